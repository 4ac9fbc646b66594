"""Decoders that are made when they are first used."""

from __future__ import annotations

import msgspec
import pytest

from rad_lsp.core import decoders
from rad_lsp.core.decoders import Lazy


class Point(msgspec.Struct, frozen=True):
    x: int
    y: int = 0


def test_json_and_messagepack_are_decoded_as_the_type_has_it():
    point = Point(1, 2)
    assert decoders.json(Point).decode(msgspec.json.encode(point)) == point
    assert decoders.msgpack(Point).decode(msgspec.msgpack.encode(point)) == point
    assert decoders.json(dict[str, int]).decode(b'{"a": 1}') == {"a": 1}
    with pytest.raises(msgspec.ValidationError):
        decoders.json(Point).decode(b'{"x": "1"}')


def test_lines_are_decoded_one_by_one():
    assert decoders.json(Point).decode_lines(b'{"x": 1}\n{"x": 2}\n') == [Point(1), Point(2)]
    with pytest.raises(AttributeError):
        _ = decoders.msgpack(Point).decode_lines


def test_a_decoder_is_made_at_its_first_use():
    made = []

    def make():
        made.append(msgspec.json.Decoder(Point))
        return made[-1]

    lazy: Lazy[Point] = Lazy(make)
    assert made == []
    for number in range(3):
        assert lazy.decode(b'{"x": %d}' % number) == Point(number)
    assert len(made) == 1


def test_it_has_nothing_but_ways_to_decode():
    assert not hasattr(decoders.json(Point), "encode")
