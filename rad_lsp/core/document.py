"""Where each value of a JSON document stands in its bytes.

Reading a report needs no positions; saying where it is wrong, and what lies under an
editor's cursor, does. The scan also works on documents that are broken further down.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Span: TypeAlias = tuple[int, int]
"""First byte and the byte behind the last, counted from 0."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys of objects and indexes of arrays, from the document's root."""

# Compiled when it is first used: compiling is slow, and reading reports needs no positions.
_TOKEN = rb"""(?xs)
    [\s,:\x00]*(?:
        (?P<text>"[^"\\]*(?:\\.[^"\\]*)*") (?P<colon>\s*:)?
      | (?P<open>[\[{])
      | (?P<close>[\]}])
      | (?P<scalar>[^\s,:\[\]{}"]+)
    )"""


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A value of a document, with the key in front of it where it has one."""

    path: Path
    key: Span | None
    value: Span

    @property
    def span(self) -> Span:
        """From the key, or the value that has none, to the value's end."""
        return (self.key or self.value)[0], self.value[1]


def pairs(data: bytes) -> list[Pair]:
    """Every value of the document except its root, in the order of their ends.

    A container comes behind what it holds. What is not closed ends with the document.
    """
    found: list[Pair] = []
    # One frame per open container: its path, its key's span, its start, and in an array
    # the index of the next element (None in an object).
    frames: list[tuple[Path, Span | None, int]] = []
    indexes: list[int | None] = []
    key: Span | None = None
    name: str | int = ""
    for token in re.finditer(_TOKEN, data):
        kind = token.lastgroup
        if kind == "colon":
            key = token.span("text")
            name = _text(data[key[0] : key[1]])
            continue
        if kind == "close":
            if frames:
                path, own_key, start = frames.pop()
                indexes.pop()
                if path:
                    found.append(Pair(path, own_key, (start, token.end())))
            key = None
            continue
        parent: Path = frames[-1][0] if frames else ()
        if indexes and (index := indexes[-1]) is not None:
            key, name = None, index
            indexes[-1] = index + 1
        path = (*parent, name) if frames else ()
        if kind == "open":
            start = token.start("open")
            frames.append((path, key, start))
            indexes.append(0 if data[start] == ord("[") else None)
        elif path and kind is not None and (key or isinstance(name, int)):
            found.append(Pair(path, key, token.span(kind)))
        key = None
    found.extend(
        Pair(path, key, (start, len(data))) for path, key, start in reversed(frames) if path
    )
    return found


def locate(data: bytes, path: Path) -> Span | None:
    """The span of the value at `path`; of several with one key the last, which is the one read."""
    if not path:
        return len(data) - len(data.lstrip()), len(data.rstrip())
    return last(pairs(data), path)


def last(found: Iterable[Pair], path: Path) -> Span | None:
    """The span of the last value at `path` among `found`, or None."""
    span = None
    for pair in found:
        if pair.path == path:
            span = pair.value
    return span


def dotted(path: Path) -> str:
    """A path as people write it: `metrics.model_usage["gpt-5"].requests`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.isidentifier():
            parts.append(f".{step}" if parts else step)
        else:
            parts.append('["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]')
    return "".join(parts)


def _text(quoted: bytes) -> str:
    if b"\\" in quoted:
        try:
            return msgspec.json.decode(quoted, type=str)
        except msgspec.DecodeError:
            pass
    return quoted[1:-1].decode("utf-8", "replace")
