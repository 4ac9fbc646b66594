"""Counts of tokens by class, and their sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.tokens import NO_TOKENS, Tokens, of_input

counts = st.integers(0, 2**64 - 1)
tokens = st.builds(Tokens, counts, counts, counts, counts, counts)


def test_input_is_all_but_output():
    found = Tokens(1, 20, 300, 4_000, 50_000)
    assert (found.input, found.cache_write, found.output) == (4_321, 4_300, 50_000)


def test_a_source_may_count_cached_tokens_as_input():
    assert of_input(1000, 200, 100, 50, 10) == Tokens(650, 200, 100, 50, 10)


def test_more_cached_than_input_tokens_are_no_credit():
    assert of_input(10, 1_000_000, 0, 0, 5) == Tokens(0, 1_000_000, output=5)


def test_each_class_adds_up_by_itself():
    assert Tokens(1, 2, 3, 4, 5) + Tokens(10, 20, 30, 40, 50) == Tokens(11, 22, 33, 44, 55)
    assert sum([Tokens(1), Tokens(output=2)], NO_TOKENS) == Tokens(1, output=2)


@given(tokens, tokens, tokens)
def test_the_order_of_adding_makes_no_difference(a, b, c):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + NO_TOKENS == a


@given(tokens, tokens)
def test_input_adds_up_as_its_classes_do(a, b):
    assert (a + b).input == a.input + b.input
    assert (a + b).cache_write == a.cache_write + b.cache_write


@given(tokens)
def test_input_with_its_cached_part_is_the_same_tokens(found):
    assert found == of_input(
        found.input, found.cache_read, found.cache_write_5m, found.cache_write_1h, found.output
    )
