"""What goes on until Ctrl-C: an answer is shown at once, and again after each change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

import click

from rad_lsp.cli.output import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable


def watch(seconds: float, ask: Callable[[], str], show: Callable[[str], None]) -> NoReturn:
    """Ask every so many seconds, and show each answer that differs from the one before."""
    shown = ""
    try:
        while True:
            begun = time.monotonic()
            answer = ask()
            if answer != shown:
                show(answer)
                shown = answer
            # With many transcripts a look takes long: it may use a twentieth of a core.
            time.sleep(max(seconds, 20 * (time.monotonic() - begun)))
    except KeyboardInterrupt:
        click.get_current_context().exit(EXIT_INTERRUPTED)
