"""Choices that follow from bytes, so that hypothesis and atheris may draw and shrink them."""

from __future__ import annotations

import json
from itertools import pairwise


class Dice:
    """Chooses by the next bytes; once they are used up, always the first."""

    def __init__(self, data):
        self._data = data
        self._next = 0

    def below(self, count):
        """A number from 0 up to, but not including, `count`."""
        size = 1 if count <= 256 else 2 if count <= 65_536 else 4
        taken = self._data[self._next : self._next + size]
        self._next += size
        return int.from_bytes(taken) % count

    def choice(self, among):
        return among[self.below(len(among))]

    def bytes(self, most):
        """A few bytes as they are."""
        size = self.below(most + 1)
        taken = self._data[self._next : self._next + size]
        self._next += size
        return taken

    @property
    def is_used_up(self):
        return self._next >= len(self._data)

    def cuts(self):
        """Where bytes of any length are cut, as parts of the length."""
        return sorted(self.below(257) / 256 for _ in range(self.below(5)))


DEEP = 3_000
"""Brackets; Python's own limit of recursion is a third of that."""

VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    -0.0,
    2**31,
    2**53,
    2**53 + 1,
    2**63,
    2**64,
    10**40,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    "",
    "0",
    "latest",
    "\0",
    "\ud800",
    "\x1b]0;title\x07",
    "\u202e",
    "😀" * 50,
    "x" * 1000,
    "../../etc/passwd",
    "2026-02-30T25:61:61Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "1969-12-31T23:59:59Z",
    "2026-03-02T12:00:00",
    [],
    {},
    [[]],
    [None],
    {"": {"": {}}},
]
"""What a place in a record may come to hold."""

RAW = [
    b"",
    b"\0",
    b"\0" * 5_000,
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b"\n\n",
    b"{",
    b"}{",
    b'{"type":',
    b"null",
    b"1e999",
    b"-" + b"9" * 400,
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b'"' + b"x" * 70_000 + b'"',
]
"""What may come to stand in the bytes of a file."""


def places(value):
    """Every container in a value, itself included."""
    if isinstance(value, (dict, list)):
        yield value
        for inner in list(value.values()) if isinstance(value, dict) else value:
            yield from places(inner)


def altered(dice, record):
    """A record with some places changed: keys, types, values, what is missing or double."""
    whole = [json.loads(json.dumps(record))]
    for _ in range(1 + dice.below(3)):
        place = dice.choice(list(places(whole)))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            continue
        key = dice.choice(keys)
        kind = dice.below(6)
        if kind == 0:
            del place[key]
        elif kind == 1 and isinstance(place, dict):
            place[dice.choice(["", "type", "id", "usage", "\ud800", f"{key}2"])] = place.pop(key)
        elif kind == 2 and isinstance(place, list):
            place.append(place[key])
        elif kind == 3 and isinstance(place[key], (int, float)):
            place[key] = -place[key] if dice.below(2) else place[key] * 10 ** (1 + dice.below(20))
        else:
            place[key] = dice.choice(VALUES)
    return whole[0] if whole else None


def altered_lines(dice, data):
    """Some lines of a file changed, moved, doubled, cut or overwritten."""
    lines = data.splitlines(keepends=True)
    while not dice.is_used_up:
        if not lines:
            return dice.choice(RAW)
        number = dice.below(len(lines))
        kind = dice.below(8)
        if kind < 4:
            lines[number] = _altered_line(dice, lines[number])
        elif kind == 4:
            lines.insert(dice.below(len(lines)), lines[number])
        elif kind == 5:
            del lines[number]
        elif kind == 6:
            lines[number] = lines[number][: dice.below(len(lines[number]) + 1)]
        else:
            lines[number] = altered_bytes(dice, lines[number])
    return b"".join(lines)


def _altered_line(dice, line):
    try:
        record = altered(dice, json.loads(line))
    except (ValueError, RecursionError, OverflowError):
        return altered_bytes(dice, line)
    return json.dumps(record).encode() + b"\n"


def altered_bytes(dice, data):
    """Some bytes overwritten, left out or put in."""
    at = dice.below(len(data) + 1)
    new = dice.choice(RAW) if dice.below(2) else dice.bytes(8)
    return data[:at] + new + data[at + dice.below(9) :]


def pieces(data, cuts):
    """The same bytes in pieces."""
    places = [0, *(int(cut * len(data)) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(places)]
