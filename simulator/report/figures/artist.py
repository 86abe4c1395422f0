"""Who draws the figures: this process, or one of its own beside the simulation and the writing of files.

Loading matplotlib and drawing a report take a second and a half, which a second core has to spare.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from simulator.engine.interrupts import interrupts_held

if TYPE_CHECKING:
    import pandas as pd

    from simulator.report.blocks import Drawing
    from simulator.results.result import Result

    Drawn = tuple[dict[str, Drawing], dict[str, str]]


class Artist:
    """Draws the figures of one result, when they are asked for.

    Args:
        connection: to a process that draws them as soon as it has their data; drawn here when None.
    """

    def __init__(self, connection: Connection | None = None) -> None:
        self.connection = connection
        self.data: dict[str, pd.DataFrame] = {}

    def begin(self, result: Result) -> None:
        """Take the data of every figure that the result has something for."""
        from simulator.engine.spill import releasing
        from simulator.report.figures.catalogue import tables

        with releasing():
            self.data = tables(result)
        if self.connection is not None:
            with suppress(OSError):  # a process that is gone is noticed below
                self.connection.send(self.data)

    def drawn(self) -> Drawn:
        """The drawings for the page by figure name, and the files by their stem.

        What goes wrong in the other process goes wrong again here, where it is told.
        """
        from simulator.report.figures.catalogue import draw

        if self.connection is not None:
            with suppress(EOFError, OSError):
                drawn: Drawn = self.connection.recv()
                return drawn
        return draw(self.data)


@contextmanager
def drawing_beside() -> Iterator[Artist]:
    """An artist with a process of its own, which gets ready at once and ends with the body."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,), daemon=True)
    try:
        with interrupts_held(), suppress(OSError):  # a system that allows no process draws here
            process.start()
        theirs.close()
        yield Artist(ours)
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
        ours.close()


def work(connection: Connection) -> None:
    """The process beside: make everything ready with an empty drawing, then draw, unless the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts us too, but who started us decides
    gc.disable()  # there is one report to draw
    with suppress(Exception):
        from simulator.report.figures import catalogue, style, svg

        with style.styled():
            svg.to_svg(style.canvas(style.PANEL, style.PANEL), "ready", "", "")
        connection.send(catalogue.draw(connection.recv()))
