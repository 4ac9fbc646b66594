"""Printing: answers to stdout as UTF-8, notes to stderr, colour only on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

import click

from rad_lsp.core.wording import is_hidden, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.render.text import Paint, Role


EXIT_INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as in a shell."""


def emit(*chunks: str) -> None:
    """Write an answer for people to stdout. A path in it need not be Unicode."""
    _write(chunk.encode("utf-8", "backslashreplace") for chunk in chunks)


def emit_data(chunks: Iterable[bytes]) -> None:
    """Write an answer for programs to stdout, piece by piece.

    On a terminal, control and invisible characters in it are escaped as in JSON.
    """
    _write(map(_escaped, chunks) if sys.stdout.isatty() else chunks)


def emit_answer(answer: str, *, as_json: bool) -> None:
    """Write an answer for programs, or for people."""
    if as_json:
        emit_data([answer.encode("utf-8")])
    else:
        emit(answer)


def _write(chunks: Iterable[bytes]) -> None:
    sys.stdout.flush()
    out = sys.stdout.buffer
    for chunk in chunks:
        out.write(chunk)
    out.flush()


def _escaped(data: bytes) -> bytes:
    import json
    import re

    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")

    def escape(match: re.Match[str]) -> str:
        return json.dumps(match[0])[1:-1] if is_hidden(match[0]) else match[0]

    return re.sub(r"[^\n -~]", escape, text).encode("utf-8")


def drop() -> None:
    """Discard all further output: what is still buffered must not fail when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(message: str) -> None:
    """Write a line to stderr."""
    click.echo(printable(message), err=True)


def painter() -> Paint:
    """What colours text; it leaves it plain off a terminal and with NO_COLOR."""
    from rad_lsp.render import text

    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text.plain
    return _coloured


def width() -> int | None:
    """The number of cells in a line of the terminal; None where output goes elsewhere."""
    if not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def _coloured(role: Role, text: str) -> str:
    if role == "title":
        return click.style(text, bold=True)
    return click.style(text, fg="green" if role == "good" else "red")
