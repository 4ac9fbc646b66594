"""A terminal program in a pty, its screen as text and as a picture."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from html import escape
from pathlib import Path

import pyte

from tests.terminals import on_terminal

PATIENCE = 20
"""Seconds after which what is not on the screen is taken for never to come."""

COLUMNS, LINES = 110, 34

PICTURES = Path(__file__).parents[3] / "build" / "screenshots"
"""Where pictures go, unless `$RAD_LSP_SCREENSHOTS` names another folder."""

# What a program asks of its terminal in a device control string, which pyte would print.
_QUERY = re.compile(rb"\x1bP.*?\x1b\\", re.DOTALL)

_CELL = 9, 19
_DEFAULT = {"fg": "d8dee9", "bg": "1c1f26"}
_NAMED = {
    "black": "000000",
    "red": "cd3131",
    "green": "0dbc79",
    "brown": "e5e510",
    "blue": "2472c8",
    "magenta": "bc3fbc",
    "cyan": "11a8cd",
    "white": "e5e5e5",
}


class Screen(pyte.Screen):
    """Answers what it is asked; takes the private modes that pyte gives to the wrong method."""

    def __init__(self, answer):
        super().__init__(COLUMNS, LINES)
        self._answer = answer

    def write_process_input(self, data):
        self._answer(data)

    def set_margins(self, *args, **kwargs):
        kwargs.pop("private", None)
        super().set_margins(*args, **kwargs)


class Terminal:
    """Runs a program; `text` is what a user would see."""

    def __init__(self, command, cwd, env):
        # Neovim waits a second for an answer before it ends.
        self._screen = Screen(self.type)
        self._stream = pyte.ByteStream(self._screen)
        self._fd, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

        self.process = subprocess.Popen(
            # An editor that stops itself on Ctrl-Z, or asks for the window's size, wants its own.
            on_terminal(other, command),
            cwd=cwd,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"},
            pass_fds=(other,),
        )
        os.close(other)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self._screen.display)

    def line(self, number):
        return self._screen.display[number].rstrip()

    def type(self, keys):
        os.write(self._fd, keys.encode())

    def read(self, seconds=0.02):
        """Take what the program prints, if it prints anything within that time."""
        if select.select([self._fd], [], [], seconds)[0]:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:
                return
            self._stream.feed(_QUERY.sub(b"", data))

    def wait(self, seen, what=None, patience=PATIENCE):
        """Wait until `seen()` is true, or, when it is a string, until it is on the screen."""
        wanted = (lambda: seen in self.text) if isinstance(seen, str) else seen
        end = time.monotonic() + patience
        while not (found := wanted()):
            if time.monotonic() > end or self.process.poll() is not None:
                ended = self.process.poll()
                raise AssertionError(
                    f"Not seen within {patience} s: {what or seen!r}"
                    f"{'' if ended is None else f' (the editor ended with {ended})'}\n{self.text}"
                )
            self.read()
        return found

    def settle(self):
        """Read until the program has nothing more to print for now."""
        end = time.monotonic() + PATIENCE
        while (
            time.monotonic() < end
            and select.select([self._fd], [], [], 0.1)[0]
            and self.process.poll() is None
        ):
            self.read()

    def picture(self, name):
        """Write what is on the screen to the folder of pictures, as SVG: `EDITOR/NAME`."""
        self.settle()
        file = Path(os.environ.get("RAD_LSP_SCREENSHOTS") or PICTURES, f"{name}.svg")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_svg(self._screen), encoding="utf-8")

    def ended(self, patience=5):
        """Whether the program ends by itself within that time."""
        end = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        return self.process.poll() is not None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)


def _color(name, kind):
    if name == "default":
        return _DEFAULT[kind]
    name = name.removeprefix("bright")
    return _NAMED.get(name, name if len(name) == 6 else _DEFAULT[kind])


def _svg(screen):
    width, height = _CELL
    size = f'width="{screen.columns * width}" height="{screen.lines * height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect {size} fill="#{_DEFAULT["bg"]}"/>',
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="15">',
    ]
    for y in range(screen.lines):
        row = screen.buffer[y]
        for x, style, text in _runs(row, screen.columns):
            fg, bg, bold = style
            place = f'x="{x * width}"'
            if bg != _DEFAULT["bg"]:
                box = f'y="{y * height}" width="{len(text) * width}" height="{height}"'
                parts.append(f'<rect {place} {box} fill="#{bg}"/>')
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                fit = f'textLength="{len(text) * width}" xml:space="preserve"'
                parts.append(
                    f'<text {place} y="{y * height + 14}" fill="#{fg}"{weight} {fit}>'
                    f"{escape(text)}</text>"
                )
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _runs(row, columns):
    """Neighbouring cells of one style, as where they begin, the style and their text."""
    begun, style, text = 0, None, ""
    for x in range(columns):
        cell = row[x]
        colors = _color(cell.fg, "fg"), _color(cell.bg, "bg")
        here = (*(colors[::-1] if cell.reverse else colors), cell.bold)
        if here != style:
            if text:
                yield begun, style, text
            begun, style, text = x, here, ""
        text += cell.data or " "
    yield begun, style, text
