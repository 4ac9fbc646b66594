"""Amounts of money, how sure they are, and their sum."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.money import NOTHING, Money, total, total_usd

UNKNOWN = Money(None)

amounts = st.none() | st.floats(-1e12, 1e12)
counts = st.integers(0, 2**64 - 1)
money = st.builds(Money, amounts, counts, counts)
shuffled = st.lists(money, max_size=9).flatmap(
    lambda parts: st.tuples(st.just(parts), st.permutations(parts))
)


@pytest.mark.parametrize(
    ("amount", "lower_bound"),
    [
        (Money(0.5), False),
        (NOTHING, False),
        (UNKNOWN, False),
        (Money(None, 1, 1), False),
        (Money(0.5, 1), True),
        (Money(0.5, 0, 1), True),
        (Money(0.0, 0, 1), True),
    ],
)
def test_a_known_amount_is_a_lower_bound_when_something_is_missing(amount, lower_bound):
    assert amount.is_lower_bound is lower_bound


def test_what_is_not_sure_of_a_part_is_not_sure_of_the_sum():
    assert Money(0.5, 1) + Money(0.25, 0, 2) == Money(0.75, 1, 2)
    assert Money(0.5) + Money(None, 0, 3) == Money(0.5, 0, 3)


def test_the_sum_of_unknown_amounts_is_unknown_and_of_none_is_nothing():
    assert UNKNOWN + UNKNOWN == UNKNOWN
    assert total([Money(None, 1, 1), Money(None, 0, 2)]) == Money(None, 1, 3)
    assert total([]) == NOTHING
    assert total(iter([Money(0.5), Money(0.25)])) == Money(0.75)


@given(money, money, money)
def test_the_order_of_adding_makes_no_difference(a, b, c):
    assert a + b == b + a
    left, right = (a + b) + c, a + (b + c)
    assert (left.lower_bound, left.unpriced) == (right.lower_bound, right.unpriced)
    assert (left.usd is None) == (right.usd is None)
    assert (left.usd or 0) == pytest.approx(right.usd or 0, rel=1e-9, abs=1e-3)


@given(shuffled)
def test_a_total_is_the_same_in_any_order_to_the_last_bit(orders):
    one, other = orders
    assert total(one) == total(other)


@given(st.lists(money, min_size=1, max_size=9))
def test_a_total_is_none_when_no_part_is_known_and_only_then(parts):
    assert (total(parts).usd is None) == all(part.usd is None for part in parts)


@given(st.lists(money, max_size=9))
def test_a_total_counts_all_requests_that_are_not_sure(parts):
    found = total(parts)
    assert found.lower_bound == sum(part.lower_bound for part in parts)
    assert found.unpriced == sum(part.unpriced for part in parts)


def test_amounts_are_rounded_once():
    assert total_usd([0.1] * 10) == 1.0
    assert total_usd([1e16, 1.0, -1e16]) == 1.0


def test_amounts_that_are_not_known_are_left_out_of_a_sum():
    assert total_usd([None, 0.5]) == 0.5
    assert total_usd([None, None]) is None
    assert total_usd([]) == 0


def test_amounts_beyond_every_number_are_infinite():
    assert total_usd([1e308, 1e308]) == math.inf


def test_negative_amounts_beyond_every_number_stay_negative():
    assert total_usd([-1e308, -1e308]) == -math.inf
