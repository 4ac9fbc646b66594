"""The `rad` command, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
from typing import Final

import click

from rad_lsp import __version__
from rad_lsp.cli.groups import Group, OutputClosed
from rad_lsp.cli.output import EXIT_INTERRUPTED, drop, emit_data, note
from rad_lsp.core.errors import RadError

EXIT_MENDABLE = 1

_NAMES = ("demo", "doctor", "index", "init", "limits", "overview", "report", "session", "status")
_COMMANDS: Final = {name: name for name in _NAMES}
_STATS = {
    name: f"stats.{name}"
    for name in ("budget", "compare", "cost", "export", "history", "session", "tools")
}
_STATS |= dict.fromkeys(("engine", "model"), "stats.usage")
_STATS |= dict.fromkeys(("hourly", "daily", "weekly", "monthly"), "stats.trend")
"""The modules of commands, below `rad_lsp.cli`; a command is a function of its name."""


def _print_schema(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  (click's)
    if wanted:
        from rad_lsp.render import outputs, rows

        emit_data([rows.encode(outputs.schema())])
        context.exit()


class _Root(Group):
    """`rad` alone, or with options of its own, is `rad overview`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What click makes of the arguments."""
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if not ctx.resilient_parsing and (
            not args or (args[0].startswith("-") and args[0].partition("=")[0] not in own)
        ):
            args = ["overview", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Root, modules=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rad", message="%(prog)s %(version)s (rad-lsp)")
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_print_schema,
    help="Print the JSON Schema of what commands print as JSON, and exit.",
)  # fmt: skip
def rad() -> None:
    """Session analytics for coding agents: cost, tool results, time and cache.

    Without a command: what today, this week and this month cost, and what is left.

    Example: rad stats daily --split project
    """


@rad.group(cls=Group, modules=_STATS)
def stats() -> None:
    """Answer questions about recorded sessions.

    Example: rad stats history --limit 20
    """


def main() -> None:
    """Run `rad` and exit: 0, 1 for what the user can mend, 2 for wrong usage, 130 on Ctrl-C."""
    # Most commands take less than a second and make no cycles: collecting would only cost time.
    gc.disable()
    # A shell's >&- leaves no stream at all.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    code = _run()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Skip Python's clean-up: to free a hundred thousand sessions takes longer than to list them.
    os._exit(code)


def _run() -> int:
    try:
        code = rad.main(prog_name="rad", standalone_mode=False)
        sys.stdout.flush()
    except RadError as error:
        return _fail(str(error))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except (OutputClosed, BrokenPipeError):
        drop()
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}.")
    except Exception as error:  # a traceback never shows
        if "RAD_LSP_DEBUG" in os.environ:
            raise
        return _fail(
            f"Internal error: {type(error).__name__}: {error}. "
            "Please report it; RAD_LSP_DEBUG=1 shows where it came from."
        )
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    note(f"Error: {' '.join(message.split())}")
    return EXIT_MENDABLE
