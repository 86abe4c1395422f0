"""The command ``simulator``: user errors become text and status 2, an interrupt status 130, nothing else is hidden."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    import click

    from simulator.cli import cli
    from simulator.errors import SimulatorError

    try:
        status = cli.main(args=arguments, prog_name="simulator", standalone_mode=False)
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.ClickException as error:
        error.show()
        status = 2
    except SimulatorError as error:
        click.echo(str(error), err=True)
        status = 2
    except MemoryError:
        click.echo(
            "out of memory: ask for fewer scenarios (--scenarios); finished chunks (4,096 scenarios) are kept",
            err=True,
        )
        status = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            "\nstopped; finished chunks (4,096 scenarios) are kept: the same command goes on where it was", err=True
        )
        status = 130
    except BrokenPipeError:
        status = 0
        sys.stderr.close()
    if status == 130 and arguments is None:
        # the message is out and every file is whole: taking compiled code apart would only keep the user waiting
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
