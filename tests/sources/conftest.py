"""What the tests of transcripts share."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


def _places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))


def _with_value(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with_value(value[path[0]], path[1:], new)
    return copy


@pytest.fixture(scope="session")
def altered():
    """A copy of some records where one place of one of them has any other JSON value."""

    def drawn(data, records):
        records = list(records)
        place = data.draw(st.sampled_from(list(_places(records))[1:]))
        return _with_value(records, place, data.draw(_JSON))

    return drawn
