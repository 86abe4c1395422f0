"""How every figure looks.

One unit of a figure is one CSS pixel at its natural size: a figure 720 wide has 720/72 inches, and a font of
size 12 is 12 px high. Text stays text (small, searchable, in the reader's own font), mathematics in labels is
off (a buyer may be called ``$x$``). Matplotlib is loaded where something is drawn: data and tables do without.
Programmes differ by colour *and* dash pattern, so that the figures survive greyscale and colour blindness.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from simulator.report.numbers import clean, short_money, short_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1f2933"
MUTED = "#5b6770"
RULE = "#d5dae0"
BAND = "#8fa3b5"
ALERT = "#b3261e"
CHOICE = "#1d4e79"
PAPER = "#ffffff"

WIDE = 720
NARROW = 343
PANEL = 343

_COLOURS = ("#1f2933", "#0067a5", "#c2500a", "#00815f", "#a8478a", "#7a6000", "#5946b2", "#3f7f93")
_DASHES: tuple[tuple[float, ...], ...] = (
    (), (6, 2), (1.5, 1.5), (8, 2, 1.5, 2), (3, 1.5), (10, 3), (8, 2, 1.5, 2, 1.5, 2), (4, 2, 1.5, 2)
)  # fmt: skip

RC: dict[str, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11.5,
    "axes.labelsize": 11.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 4,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "butt",
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "hatch.linewidth": 0.6,
    "path.simplify": False,
}


@dataclass(frozen=True)
class Line:
    """Colour and dash pattern of a programme (empty pattern: solid)."""

    colour: str
    dashes: tuple[float, ...]

    @property
    def linestyle(self) -> Literal["solid"] | tuple[float, Sequence[float]]:
        """The pattern as matplotlib takes it."""
        return (0.0, self.dashes) if self.dashes else "solid"


def line_of(index: int) -> Line:
    """Line of the programme with this position in the study; the baseline is solid and dark."""
    return Line(_COLOURS[index % len(_COLOURS)], _DASHES[(index + index // len(_COLOURS)) % len(_DASHES)])


def display_width(text: str) -> int:
    """Width of a text in Latin characters: East Asian wide characters count twice."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, width: int) -> str:
    """The text, cut with an ellipsis to at most this display width; line breaks become spaces."""
    flat = " ".join(clean(text).split())
    if display_width(flat) <= width:
        return flat
    kept, used = "", 0
    for character in flat:
        used += display_width(character)
        if used > width - 1:
            break
        kept += character
    return kept.rstrip() + "…"


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's settings for the report; characters its own font lacks are the reader's font's business."""
    import matplotlib as mpl

    with mpl.rc_context(RC), warnings.catch_warnings():  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield


def canvas(
    width: float, height: float, left: float = 52, right: float = 14, top: float = 26, bottom: float = 30
) -> Axes:
    """One pair of axes in a figure of this size, margins in pixels."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasSVG(figure)
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - top / height, wspace=0, hspace=0
    )
    return figure.add_subplot()


def size_of(axes: Axes) -> tuple[float, float]:
    """Width and height of the figure in pixels."""
    width, height = axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    return float(width) * 72, float(height) * 72


def margins(axes: Axes, **pixels: float) -> None:
    """Set some margins (left, right, top, bottom) in pixels and keep the others."""
    width, height = size_of(axes)
    scale = {"left": width, "right": width, "top": height, "bottom": height}
    placed = {k: (1 - v / scale[k]) if k in {"right", "top"} else v / scale[k] for k, v in pixels.items()}
    axes.get_figure(root=True).subplots_adjust(**placed)  # type: ignore[union-attr]


def heading(axes: Axes, text: str) -> None:
    """What the vertical axis shows, written above it: nobody has to turn the head."""
    axes.annotate(
        text, xy=(0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, 12), textcoords="offset pixels",
        ha="left", va="bottom", color=MUTED, fontsize=11.5, annotation_clip=False,
    )  # fmt: skip


def unit_below(axes: Axes, text: str) -> None:
    """What the horizontal axis shows, right-aligned below it; the figure grows by a line."""
    width, height = size_of(axes)
    box = axes.get_position()
    above, below = height * (1 - box.y1), height * box.y0
    axes.get_figure(root=True).set_size_inches(width / 72, (height + 18) / 72)  # type: ignore[union-attr]
    margins(axes, top=above, bottom=below + 18)
    axes.annotate(
        text, xy=(1, 0), xycoords="axes fraction", xytext=(0, -23), textcoords="offset pixels", ha="right", va="top",
        color=MUTED, fontsize=11, annotation_clip=False,
    )  # fmt: skip


def money_ticks(axes: Axes, which: str, ticks: int = 5) -> None:
    """Money on an axis, thousands abbreviated."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_money(value)))


def currency(data: pd.DataFrame) -> str:
    """Currency of a figure's amounts, written behind a comma; nothing where the data do not say."""
    code = str(data.attrs.get("currency", ""))
    return f", {code}" if code else ""


def percent_ticks(axes: Axes, which: str, ticks: int = 5) -> None:
    """Probabilities and shares on an axis as percentages."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_percent(value)))


def date_ticks(axes: Axes, labels: Sequence[str], room: float) -> None:
    """Period positions 0 … n−1 labelled with as many dates as the room in pixels carries."""
    count = max(2, min(len(labels), int(room // 78)))
    places = np.unique(np.linspace(0, len(labels) - 1, count).round().astype(int))
    axes.set_xticks(places.tolist(), [labels[i] for i in places])
    if len(places) > 1:
        axes.get_xticklabels()[-1].set_horizontalalignment("right" if len(labels) > 2 else "center")


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move label positions apart so that neighbours are at least ``gap`` apart within [low, high].

    Order is kept; where there is no room for all, they are spaced evenly.
    """
    if not places:
        return []
    order = np.argsort(np.asarray(places), kind="stable")
    gap = min(gap, (high - low) / max(1, len(places) - 1)) if len(places) > 1 else gap
    moved = np.clip(np.asarray(places, dtype=float)[order], low, high)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    moved[-1] = min(moved[-1], high)
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    result = np.empty(len(moved))
    result[order] = moved
    return [float(v) for v in result]


def label_lines(axes: Axes, ends: Sequence[tuple[float, float, str, Line]]) -> None:
    """Name lines at their right ends, or, in a narrow figure, in a key below the drawing.

    Args:
        axes: with limits and scales already set.
        ends: (x, y, name, line) of each line's last point, in data units.
    """
    width, height = size_of(axes)
    if not ends:
        return
    names = [shorten(name, 26) for _, _, name, _ in ends]
    room = max(display_width(name) for name in names) * 6.3 + 24
    if room > 0.32 * width:
        _key_below(axes, [(name, line) for name, (_, _, _, line) in zip(names, ends, strict=True)])
        return
    margins(axes, right=room)
    box = axes.get_position()
    bottom, top = box.y0 * height, box.y1 * height
    pixels = [float(axes.transData.transform((x, y))[1]) for x, y, _, _ in ends]
    for name, (x, y, _, line), place in zip(names, ends, spread(pixels, 15, bottom + 5, top - 5), strict=True):
        offset = place - float(axes.transData.transform((x, y))[1])
        axes.annotate(
            name, xy=(x, y), xytext=(14, offset), textcoords="offset pixels", color=line.colour, ha="left", va="center",
            fontsize=11.5, annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": line.colour, "linewidth": 0.7, "shrinkA": 2, "shrinkB": 1,
                "relpos": (0, 0.5),
            },
        )  # fmt: skip


def key(axes: Axes, entries: Sequence[tuple[str, Line]]) -> None:
    """Names of lines in the upper right corner (free in an exceedance plot), below the drawing in a narrow figure."""
    from matplotlib.lines import Line2D

    named = [(shorten(name, 30), line) for name, line in entries]
    if size_of(axes)[0] <= NARROW:
        _key_below(axes, named)
        return
    handles = [Line2D([], [], color=line.colour, linestyle=line.linestyle) for _, line in named]
    axes.legend(
        handles, [name for name, _ in named], loc="upper right", bbox_to_anchor=(1, 1), frameon=True, framealpha=1,
        edgecolor="none", fancybox=False, borderaxespad=0, handlelength=3.2, labelcolor="linecolor", fontsize=11.5,
    )  # fmt: skip


def _key_below(axes: Axes, entries: Sequence[tuple[str, Line]]) -> None:
    from matplotlib.lines import Line2D

    width, height = size_of(axes)
    figure = axes.get_figure(root=True)
    row = 17.0
    taller = height + row * len(entries) + 6
    box = axes.get_position()
    above, below = height * (1 - box.y1), height * box.y0
    figure.set_size_inches(width / 72, taller / 72)  # type: ignore[union-attr]
    margins(axes, top=above, bottom=below + taller - height)
    for position, (name, line) in enumerate(entries):
        y = (row * (len(entries) - position) - row / 2 + 3) / taller
        sample = Line2D([4 / width, 40 / width], [y, y], color=line.colour, linestyle=line.linestyle)
        sample.set_transform(figure.transFigure)  # type: ignore[union-attr]
        figure.add_artist(sample)  # type: ignore[union-attr]
        figure.text(48 / width, y, name, ha="left", va="center", fontsize=11.5, color=line.colour)  # type: ignore[union-attr]
