"""Printing: answers to stdout as UTF-8, notes to stderr, colour only on a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.render.text import Paint, Role


EXIT_INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as in a shell."""


def emit(*chunks: str | bytes) -> None:
    """Write an answer to stdout."""
    emit_all(chunk.encode("utf-8") if isinstance(chunk, str) else chunk for chunk in chunks)


def emit_all(chunks: Iterable[bytes]) -> None:
    """Write an answer to stdout, piece by piece."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    for chunk in chunks:
        out.write(chunk)
    out.flush()


def drop() -> None:
    """Discard all further output: what is still buffered must not fail when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(message: str) -> None:
    """Write a line to stderr."""
    click.echo(message, err=True)


def painter() -> Paint:
    """What colours text; it leaves it plain off a terminal and with NO_COLOR."""
    from rad_lsp.render import text

    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text.plain
    return _coloured


def _coloured(role: Role, text: str) -> str:
    if role == "title":
        return click.style(text, bold=True)
    return click.style(text, fg="green" if role == "good" else "red")
