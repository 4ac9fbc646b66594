"""Where each value of a JSON document stands in its bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import document
from rad_lsp.core.document import Pair

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def below(value, path=()):
    """Every value below a JSON value by its path, a container behind what it holds."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in items:
        if isinstance(inner, (dict, list)):
            yield from below(inner, (*path, step))
        yield (*path, step), inner


@given(values, st.sampled_from([None, 2]), st.booleans())
def test_every_value_is_found_where_json_has_it(value, indent, ascii_only):
    data = json.dumps([value], indent=indent, ensure_ascii=ascii_only).encode()
    found = document.pairs(data)
    assert [(pair.path, json.loads(data[slice(*pair.value)])) for pair in found] == [
        *below([value])
    ]


@given(values, st.booleans())
def test_every_key_is_found_in_front_of_its_value(value, ascii_only):
    data = json.dumps({"root": value}, ensure_ascii=ascii_only).encode()
    for pair in document.pairs(data):
        if isinstance(pair.path[-1], int):
            assert pair.key is None
        else:
            assert pair.key
            assert json.loads(data[slice(*pair.key)]) == pair.path[-1]


@given(
    st.binary(max_size=200) | st.text('[]{},:"\\ 0a\n', max_size=60).map(str.encode),
    st.integers(0, 200),
)
def test_any_bytes_at_all_give_spans_within_them(data, offset):
    for pair in document.pairs(data):
        start, end = pair.span
        assert 0 <= start < end <= len(data)
    found = document.innermost(data, offset)
    assert found is None or found.span[0] <= offset <= found.span[1] <= len(data)


@given(values, st.sampled_from([None, 2]), st.data())
def test_the_innermost_pair_at_an_offset_is_the_first_to_end_that_holds_it(value, indent, draw):
    data = json.dumps({"root": value}, indent=indent).encode()
    offset = draw.draw(st.integers(0, len(data)))
    holding = [pair for pair in document.pairs(data) if pair.span[0] <= offset <= pair.span[1]]
    assert document.innermost(data, offset) == (holding[0] if holding else None)


def test_a_pair_spans_its_key_and_its_value():
    assert document.pairs(b'{ "a" : [1, "x"] }') == [
        Pair(("a", 0), None, (9, 10)),
        Pair(("a", 1), None, (12, 15)),
        Pair(("a",), (2, 5), (8, 16)),
    ]
    assert document.pairs(b'{ "a" : [1, "x"] }')[0].span == (9, 10)
    assert document.pairs(b'{ "a" : [1, "x"] }')[2].span == (2, 16)


def test_what_is_not_closed_ends_with_the_document():
    assert document.pairs(b'{"a": {"b": 1, "c": [2') == [
        Pair(("a", "b"), (7, 10), (12, 13)),
        Pair(("a", "c", 0), None, (21, 22)),
        Pair(("a", "c"), (15, 18), (20, 22)),
        Pair(("a",), (1, 4), (6, 22)),
    ]


def test_a_key_without_a_value_and_a_value_without_a_key_are_no_pairs():
    assert document.pairs(b'{1, "a": , "c": 2}') == [Pair(("c",), (11, 14), (16, 17))]


def test_a_document_of_one_value_has_no_pairs():
    assert document.pairs(b"5") == document.pairs(b"{}") == document.pairs(b"]}") == []


def test_a_key_that_cannot_be_decoded_stands_as_it_is_written():
    assert document.pairs(b'{"\\ud800": 1}')[0].path == ("\\ud800",)


def test_a_large_string_that_is_not_closed_is_scanned_only_once():
    data = b'{"a": 1, "b": "' + b'\\"' * 100_000
    assert document.pairs(data)[0] == Pair(("a",), (1, 4), (6, 7))


def test_the_last_of_duplicate_keys_is_located():
    assert document.locate(b'{"a": 1, "a": 22}', ("a",)) == (14, 16)


def test_the_root_is_located_without_the_space_around_it():
    assert document.locate(b" \n[1] \n", ()) == (2, 5)


def test_what_is_not_there_is_not_located():
    assert document.locate(b'{"a": 1}', ("b",)) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("metrics",), "metrics"),
        (("metrics", "wall_time", 1), "metrics.wall_time[1]"),
        (
            ("metrics", "model_usage", "gpt-5", "requests"),
            'metrics.model_usage["gpt-5"].requests',
        ),
        (("a", 'q"\\'), 'a["q\\"\\\\"]'),
        (("a", ""), 'a[""]'),
        (("a", "mod\u00e8le"), "a.mod\u00e8le"),
    ],
)
def test_a_path_as_people_write_it(path, text):
    assert document.dotted(path) == text


def test_what_lies_very_deep_is_left_out_and_what_follows_is_not():
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b', "b": 1}'
    found = document.pairs(deep)
    assert len(found) < 100
    assert found[-1].path == ("b",)
    assert document.locate(deep, ("a",)) == (6, 200_006)


def test_many_paths_are_located_in_one_go():
    found = document.locate_all(b'{"a": 1, "b": {"c": 2}}', {("a",), ("b", "c"), ("d",)})
    assert {path: pair.value for path, pair in found.items()} == {
        ("a",): (6, 7),
        ("b", "c"): (20, 21),
    }
