"""Where answers go: stdout as UTF-8, notes to stderr, colour only on a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.render.text import Paint, Role


EXIT_INTERRUPTED: Final = 130
"""What Ctrl-C exits with, as in a shell."""


def emit(*chunks: str | bytes) -> None:
    """Write an answer to stdout."""
    emit_all(chunk.encode("utf-8") if isinstance(chunk, str) else chunk for chunk in chunks)


def emit_all(chunks: Iterable[bytes]) -> None:
    """Write an answer that comes in pieces to stdout."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    for chunk in chunks:
        out.write(chunk)
    out.flush()


def drop() -> None:
    """Nobody reads on: what is still buffered must not fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(message: str) -> None:
    """Say something on the side, in one line on stderr."""
    click.echo(message, err=True)


def painter() -> Paint:
    """How text is coloured: not at all off a terminal, or with NO_COLOR."""
    from rad_lsp.render import text

    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text.plain
    return _coloured


def _coloured(role: Role, text: str) -> str:
    if role == "title":
        return click.style(text, bold=True)
    return click.style(text, fg="green" if role == "good" else "red")
