"""The command ``simulator``: user errors become text and status 2, an interrupt status 130, nothing else is hidden."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys

#: Objects made before those that hold each other are looked for: importing makes hundreds of thousands that all stay.
COLLECT_AFTER = 50_000
STOPPED = "stopped; finished chunks (4,096 scenarios) are kept: the same command goes on where it was"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    alone = arguments is None
    if alone:
        gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    try:
        status = _run(arguments, alone)
    except KeyboardInterrupt:
        print("\n" + STOPPED, file=sys.stderr)
        status = 130
    if alone and sys.getprofile() is None:
        _leave(status)
    sys.exit(status)


def _run(arguments: list[str] | None, alone: bool) -> int:
    """Run the command line; returns its exit status."""
    import click

    from simulator.cli import cli
    from simulator.errors import SimulatorError

    try:
        status = cli.main(args=arguments, prog_name="simulator", standalone_mode=False, obj=alone)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except SimulatorError as error:
        click.echo(str(error), err=True)
        return 2
    except MemoryError:
        click.echo(
            "out of memory: ask for fewer scenarios (--scenarios); finished chunks (4,096 scenarios) are kept",
            err=True,
        )
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # click ends so, in this mode, where the reader of what we say is gone, as of a pipe into head
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        click.echo("cannot write the output: no space left on device", err=True)
        return 2
    return status if isinstance(status, int) else 0


def _leave(status: int) -> None:
    """End at once: every file is whole, and taking compiled code apart, up to a second, only keeps the user waiting.

    Back where the last words cannot be written: then Python says so as it ends.
    """
    if status != 130:
        atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed by who started us
                stream.flush()
    except (OSError, ValueError):
        if status != 130:
            return
    os._exit(status)


if __name__ == "__main__":
    main()
