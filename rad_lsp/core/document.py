"""Where each value of a JSON document stands in its bytes.

Reading a report needs no positions; saying where it is wrong, and what lies under an
editor's cursor, does. The scan also works on documents that are broken further down.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from rad_lsp.core.wording import printable

if TYPE_CHECKING:
    from collections.abc import Collection

Span: TypeAlias = tuple[int, int]
"""First byte and the byte behind the last, counted from 0."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys of objects and indexes of arrays, from the document's root."""

# Patterns are compiled when they are first used: reading reports needs no positions.
_TOKEN = rb"""(?xs)
    [\s,:\x00]*(?:
        ("[^"\\]*(?:\\.[^"\\]*)*") (?:\s*:\s*)    # 1: a key
        (?:([^\s,:\[\]{}"]+)|("[^"\\]*(?:\\.[^"\\]*)*"))?+    # 2, 3: and its scalar or text
      | ([^\s,:\[\]{}"]+|"[^"\\]*(?:\\.[^"\\]*)*")    # 4: a scalar or text without a key
      | ([\[{])    # 5
      | ([\]}])    # 6
    )"""
_FLAT = rb"""(?xs) [\[{] [^\[\]{}"]* (?: "[^"\\]*(?:\\.[^"\\]*)*" [^\[\]{}"]* )*+ [\]}]"""
"""A container that holds no other."""


_DEEPEST = 50
"""Containers within each other whose values are told apart; a report has five."""


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A value of a document, with the key in front of it where it has one."""

    path: Path
    key: Span | None
    value: Span

    @property
    def span(self) -> Span:
        """From the key, or the value that has none, to the value's end."""
        return (self.key or self.value)[0], self.value[1]


def pairs(data: bytes, within: Span | None = None) -> list[Pair]:  # noqa: C901, PLR0912, PLR0915  (one scanner)
    """Every value of the document except its root, in the order of their ends.

    A container comes behind what it holds. What is not closed ends with the document. Values that
    lie very deep are left out: their paths alone would fill the memory. With `within`, only values
    that touch those bytes are sure to be among them, which is much faster.
    """
    first, last = within or (0, len(data))
    match = re.compile(_TOKEN).match
    skip = re.compile(_FLAT).match
    found: list[Pair] = []
    nothing: deque[Pair] = deque(maxlen=0)
    into: list[Pair] | deque[Pair] = found
    # One frame per open container: its path, its key's span and its start.
    frames: list[tuple[Path, Span | None, int]] = []
    path: Path = ()
    index = -1  # of the next element of an array; -1 in an object
    outer: list[int] = []
    key: Span | None = None
    position = 0
    while token := match(data, position):
        kind, position = token.lastindex, token.end()
        if kind in {1, 2, 3}:  # a key, and what belongs to it
            key = token.span(1)
            if kind != 1:
                into.append(Pair((*path, _text(data[key[0] : key[1]])), key, token.span(kind)))
                key = None
        elif kind == 4:  # noqa: PLR2004
            if index >= 0:
                into.append(Pair((*path, index), None, token.span(4)))
                index += 1
        elif kind == 5:  # noqa: PLR2004
            start = token.start(5)
            name = _text(data[key[0] : key[1]]) if key else index
            begins = key[0] if key else start
            if within and (flat := skip(data, start)) and (flat.end() < first or begins > last):
                position = flat.end()
            else:
                frames.append((path, key, start))
                if len(frames) > _DEEPEST:
                    into = nothing
                else:
                    path = (*path, name) if len(frames) > 1 else ()
                outer.append(index)
                index = 0 if data[start] == ord("[") else -1
                key = None
                continue
            index += index >= 0
            key = None
        elif frames:
            above, own_key, start = frames.pop()
            if frames:
                into.append(Pair(path, own_key, (start, position)))
            into = nothing if len(frames) > _DEEPEST else found
            path, index = above, outer.pop()
            index += index >= 0
            key = None
    del frames[_DEEPEST:]
    while len(frames) > 1:
        above, own_key, start = frames.pop()
        found.append(Pair(path, own_key, (start, len(data))))
        path = above
    return found


def innermost(data: bytes, offset: int) -> Pair | None:
    """The smallest pair that the byte at `offset` belongs to, or that ends there."""
    for pair in pairs(data, (offset, offset)):
        start, end = pair.span
        if start <= offset <= end:
            return pair
    return None


def locate(data: bytes, path: Path) -> Span | None:
    """The span of the value at `path`; of several with one key the last, which is the one read."""
    if not path:
        return len(data) - len(data.lstrip()), len(data.rstrip())
    found = locate_all(data, {path}).get(path)
    return found.value if found else None


def locate_all(data: bytes, paths: Collection[Path]) -> dict[Path, Pair]:
    """The pairs at some paths, as far as there are any, found in one go."""
    return {pair.path: pair for pair in pairs(data) if pair.path in paths}


def dotted(path: Path) -> str:
    """A path as people write it: `metrics.model_usage["gpt-5"].requests`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.isidentifier():
            parts.append(f".{step}" if parts else step)
        else:
            parts.append('["' + printable(step.replace("\\", "\\\\").replace('"', '\\"')) + '"]')
    return "".join(parts)


def _text(quoted: bytes) -> str:
    if b"\\" in quoted:
        try:
            return msgspec.json.decode(quoted, type=str)
        except msgspec.DecodeError:
            pass
    return quoted[1:-1].decode("utf-8", "replace")
