"""`bufferzone`: finds the command, and turns whatever goes wrong into a message and an exit code.

Nothing heavy is imported here: each command is loaded when it is called.
"""

from __future__ import annotations

import importlib
import io
import os
import pathlib
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence

import click

from sim.errors import ScenarioError

COMMANDS = {
    "run": "Simulate a scenario: data, figures and a report in a run folder.",
    "check": "Say everything that is wrong, or unlikely, in scenario files.",
    "explain": "Print the resolved scenario: every value, its unit and its source.",
    "estimate": "Answer in closed form, without simulation, in about a second.",
    "report": "Build the report of a run folder anew.",
    "schema": "Print the JSON Schema of scenario files, for editors.",
}
"""Commands in the order of their use, with the line that --help prints."""

DONE, WRONG_INPUT, WRONG_USAGE, OUR_FAULT, TARGET_MISSED, INTERRUPTED = 0, 1, 2, 3, 4, 130


class UserError(Exception):
    """Something about the user's input is wrong; the message says what, the hint what to do."""

    def __init__(self, fact: str, hint: str | None = None) -> None:
        super().__init__(fact if hint is None else f"{fact}\n    hint: {hint}")


class TargetMissed(Exception):
    """A run met its end but not the target stated with --require."""


class Commands(click.Group):
    """Lists commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, loaded now."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sim.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands for --help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"bufferzone {version('bufferzone')}")
        ctx.exit()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and stop.",
)
def cli() -> None:
    """How many soldiers does it take to watch a ceasefire line?

    Scenarios are YAML files; see `bufferzone explain SCENARIO`. A planning tool: it turns stated assumptions
    into consequences
    and predicts nothing.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command -> exit code. The only place where errors are caught."""
    _prepare_streams()
    try:
        arguments = None if argv is None else list(argv)
        code = cli.main(args=arguments, prog_name="bufferzone", standalone_mode=False)
    except SystemExit:  # click found that nobody reads what is printed
        return DONE
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except click.ClickException as bad:
        bad.show()
        return WRONG_USAGE if isinstance(bad, click.UsageError) else WRONG_INPUT
    except (ScenarioError, UserError) as bad:
        print(bad, file=sys.stderr)
        return WRONG_INPUT
    except TargetMissed as missed:
        print(missed, file=sys.stderr)
        return TARGET_MISSED
    except MemoryError:
        print(
            "this scenario needs more memory than there is\n    hint: fewer cells, posts or jobs",
            file=sys.stderr,
        )
        return WRONG_INPUT
    except OSError as bad:
        where = "" if bad.filename is None else f"{bad.filename}: "
        print(f"{where}{bad.strerror or bad}", file=sys.stderr)
        return WRONG_INPUT
    except Exception:
        return _our_fault()
    return code if isinstance(code, int) else DONE


def _prepare_streams() -> None:
    """Print what a terminal cannot show as escapes, and take an order to end like Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
                signal.signal(getattr(signal, name), _ends)


def _ends(*_: object) -> None:
    raise KeyboardInterrupt


def _our_fault() -> int:
    handle, name = tempfile.mkstemp(prefix="bufferzone-", suffix=".log", text=True)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(" ".join(sys.argv) + f"\n{sys.version}\n\n")
        traceback.print_exc(file=log)
    print(
        f"bufferzone stumbled over a fault of its own. Please send us {pathlib.Path(name)}", file=sys.stderr
    )
    return OUR_FAULT
