"""Bytes to positions and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from rad_lsp.server.positions import Positions

UTF8, UTF16, UTF32 = (
    types.PositionEncodingKind.Utf8,
    types.PositionEncodingKind.Utf16,
    types.PositionEncodingKind.Utf32,
)
ENCODINGS = (UTF8, UTF16, UTF32)
TEXTS = st.text(alphabet="ab\n\r é名😀한\u2028")


@pytest.mark.parametrize(("encoding", "character"), [(UTF8, 10), (UTF16, 5), (UTF32, 4)], ids=str)
def test_characters_are_counted_in_the_encodings_units(encoding, character):
    data = "x\né名😀b!".encode()
    positions = Positions(data, encoding)
    assert positions.position(data.index(b"!")) == types.Position(1, character)
    assert positions.offset(types.Position(1, character)) == data.index(b"!")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_the_protocol_has_it(encoding, end):
    data = end.join(["é", "", "b"]).encode()
    positions = Positions(data, encoding)
    assert positions.position(len(data)) == types.Position(2, 1)
    assert positions.offset(types.Position(2, 0)) == len(data) - 1


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_lies_outside_is_the_nearest_end(encoding):
    data = "é\nbc".encode()
    positions = Positions(data, encoding)
    assert positions.offset(types.Position(0, 99)) == 2
    assert positions.offset(types.Position(99, 0)) == len(data)
    assert positions.position(99) == types.Position(1, 2)
    assert positions.position(-1) == types.Position(0, 0)
    assert Positions(b"", encoding).position(0) == types.Position(0, 0)
    assert Positions(b"", encoding).offset(types.Position(0, 5)) == 0


@given(TEXTS, st.data())
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_position_leads_back_to_its_byte(encoding, text, data):
    index = data.draw(st.integers(0, len(text)))
    content = text.encode()
    offset = len(text[:index].encode())
    positions = Positions(content, encoding)
    found = positions.offset(positions.position(offset))
    # Between \r and \n there is no position of its own.
    assert found == offset or content[found : offset + 1] in {b"\r\n", b"\r"}


@given(st.binary(max_size=40), st.integers(-2, 50))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_that_are_no_text_have_positions_as_well(encoding, data, offset):
    positions = Positions(data, encoding)
    found = positions.position(offset)
    assert found.line >= 0
    assert found.character >= 0
    assert 0 <= positions.offset(found) <= len(data)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "data", ["한".encode() + b"\xff", b"\xed\xff", b"\xed\xa0\x80\xff", b"\xed"]
)
def test_a_broken_byte_behind_korean_text_has_a_position(encoding, data):
    assert Positions(data, encoding).position(len(data)).character > 0


@given(st.text(max_size=10), st.integers(0, 3), st.integers(0, 30))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_position_is_a_byte_between_characters(encoding, text, line, character):
    data = text.encode("utf-8", "surrogatepass")
    offset = Positions(data, encoding).offset(types.Position(line, character))
    assert 0 <= offset <= len(data)
    if encoding != UTF8:
        data[:offset].decode("utf-8", "surrogatepass")


def test_a_range_is_two_positions():
    positions = Positions(b"a\nbc", UTF16)
    assert positions.range((0, 4)) == types.Range(types.Position(0, 0), types.Position(1, 2))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_in_a_line_that_is_very_long(encoding):
    text = "aé名😀" * 5_000
    data = text.encode()
    positions = Positions(data, encoding)
    codec, unit = {UTF8: ("utf-8", 1), UTF16: ("utf-16-le", 2), UTF32: ("utf-32-le", 4)}[encoding]
    for characters in (19_999, 0, 1, 4_096, 10_001, 20_000):
        offset = len(text[:characters].encode())
        expected = types.Position(0, len(text[:characters].encode(codec)) // unit)
        assert positions.position(offset) == expected
        assert positions.offset(expected) == offset
