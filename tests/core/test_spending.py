"""Requests, each priced by itself, and added up per slot of fifteen minutes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rad_lsp.core import spending as spendings
from rad_lsp.core.money import Money
from rad_lsp.core.spending import SLOT_MS, SLOT_SECONDS, Request
from rad_lsp.core.tokens import Tokens


def request(minute=0, model="a", **fields):
    return Request(time=minute * 60_000, model=model, **fields)


def tally(requests, price_list):
    """The requests, each priced by itself, as rows."""
    return spendings.add_up(spendings.priced(one, price_list) for one in requests)


def test_a_request_is_priced_by_its_size_and_its_slot(price_list, spending):
    tokens = Tokens(650, 200, 100, 50, 10)
    # 650 at $10, 200 at $1, 100 at $20, 50 at $40, 10 at $100, per million.
    row = spendings.priced(request(749, engine="e", tokens=tokens), price_list)
    assert row == spending(slot=49, cost=row.cost, tokens=tokens)
    assert row.cost == pytest.approx(0.0117)
    assert not row.money.is_lower_bound


def test_above_a_threshold_the_whole_request_is_billed_otherwise(price_list):
    row = spendings.priced(request(tokens=Tokens(1001, output=10)), price_list)
    assert row.threshold == 1000
    assert row.cost == pytest.approx(0.02202)


def test_cached_tokens_count_towards_the_threshold(price_list):
    tokens = Tokens(1, cache_read=998, cache_write_5m=1, cache_write_1h=1, output=5000)
    assert spendings.billed(request(tokens=tokens), price_list.A)[0] == 1000
    assert spendings.billed(request(tokens=replace(tokens, fresh=0)), price_list.A)[0] == 0


def test_what_the_provider_says_counts_before_the_price_list(price_list):
    row = spendings.priced(request(tokens=Tokens(2000), cost=0.5), price_list)
    assert (row.cost, row.reported, row.threshold) == (0.5, True, 1000)
    row = spendings.priced(request(model="unknown", cost=0.0), price_list)
    assert (row.cost, row.reported) == (0.0, True)


def test_a_request_without_a_price_has_no_cost(price_list):
    row = spendings.priced(request(model="unknown", tokens=Tokens(5), requests=2), price_list)
    assert (row.money, row.reported, row.threshold) == (Money(None, 0, 2), False, 0)


def test_a_fee_is_paid_for_each_request(price_list):
    late = [request(1500, model="b")] * 3
    assert spendings.priced(late[0], price_list).cost == 0.5
    assert tally(late, price_list)[0].cost == 1.5


def test_requests_of_a_slot_are_one_row(price_list, spending):
    rows = tally(
        [request(minute, tokens=Tokens(100), engine="e") for minute in (750, 764, 751)], price_list
    )
    (row,) = rows
    assert row == spending(requests=3, tokens=Tokens(300), cost=row.cost)
    assert row.cost == pytest.approx(0.003)


def test_each_request_has_its_own_size(price_list):
    found = tally([request(tokens=Tokens(600)), request(tokens=Tokens(600))], price_list)
    assert [(row.threshold, row.tokens.input) for row in found] == [(0, 1200)]


def test_requests_of_which_only_sums_are_told_are_of_average_size(price_list):
    row = spendings.priced(request(requests=2, tokens=Tokens(2000)), price_list)
    assert (row.requests, row.threshold) == (2, 0)
    assert row.cost == pytest.approx(0.02)
    row = spendings.priced(request(1500, model="b", requests=3), price_list)
    assert row.cost == 1.5
    assert spendings.billed(request(requests=0, tokens=Tokens(1001)), price_list.A)[0] == 1000


def test_one_request_is_priced_as_among_others(price_list):
    for one in (
        request(tokens=Tokens(998, cache_read=3, output=7)),
        request(1500, model="b", requests=2, tokens=Tokens(5)),
        request(model="unknown"),
        request(cost=0.0, tier="batch", engine="e"),
    ):
        assert tally([one], price_list) == (spendings.priced(one, price_list),)


def test_rows_differ_by_what_makes_the_price_another(price_list):
    found = tally(
        [
            request(15),
            request(0, model="unknown"),
            request(0, tokens=Tokens(2000)),
            request(0, tier="batch"),
            request(0, engine="z"),
            request(0, cost=1.0),
            request(0),
        ],
        price_list,
    )
    assert [
        (row.slot, row.model, row.engine, row.tier, row.threshold, row.reported) for row in found
    ] == [
        (0, "a", "", "", 0, False),
        (0, "a", "", "", 0, True),
        (0, "a", "", "", 1000, False),
        (0, "a", "", "batch", 0, False),
        (0, "a", "z", "", 0, False),
        (0, "unknown", "", "", 0, False),
        (1, "a", "", "", 0, False),
    ]


def test_a_row_without_a_cost_is_none_of_those_that_have_one(spending):
    rows = [spending(cost=None, reported=True), spending(cost=0.5, reported=True)]
    assert spendings.add_up(rows) == (rows[1], rows[0])


def test_a_cost_that_is_not_known_adds_up_to_none(price_list):
    (row,) = tally([request(model="unknown")] * 2, price_list)
    assert (row.requests, row.money) == (2, Money(None, 0, 2))


def test_lower_bounds_stay_with_the_sum(spending):
    rows = [spending(money=Money(0.25, 1)), spending(money=Money(0.5))]
    assert [row.money for row in spendings.add_up(rows)] == [Money(0.75, 1)]


def test_the_order_of_requests_makes_no_difference(price_list):
    requests = [request(minute, "ab"[minute % 2], tokens=Tokens(8)) for minute in range(60)]
    assert tally(requests, price_list) == tally(requests[::-1], price_list)


@given(st.lists(st.floats(0, 1e6), max_size=9).flatmap(lambda usd: st.tuples(
    st.just(usd), st.permutations(usd))))  # fmt: skip
def test_the_order_of_rows_makes_no_difference_to_the_last_bit(spending, amounts):
    one, other = ([spending(cost=usd) for usd in order] for order in amounts)
    assert spendings.add_up(one) == spendings.add_up(other)


def test_no_requests_are_no_rows(price_list):
    assert tally([], price_list) == ()


def test_a_slot_is_one_before_the_epoch_too(price_list):
    assert spendings.priced(request(-1), price_list).slot == -1
    assert (SLOT_SECONDS, SLOT_MS) == (900, 900_000)


def test_rows_of_one_rule_add_up_to_one(price_list):
    requests = [
        request(minute, model, tokens=Tokens(size), cost=cost)
        for minute in (0, 14, 15)
        for model, size, cost in (("a", 5, None), ("a", 2000, None), ("unknown", 1, None),
                                  ("a", 5, 0.5))
    ]  # fmt: skip
    rows = [spendings.priced(one, price_list) for one in requests]
    found = spendings.add_up(reversed(rows))
    assert found == tally(requests, price_list)
    assert [row.requests for row in found] == [2, 2, 2, 2, 1, 1, 1, 1]
    assert sum(row.tokens.input for row in found) == 3 * (5 + 2000 + 1 + 5)


def test_at_another_price_the_requests_have_its_rates_and_its_fee(price_list, spending):
    row = spending(threshold=1000, tokens=Tokens(1_000_000), requests=2, money=Money(9.0, 1))
    found = spendings.repriced(row, price_list.A)
    assert found == replace(row, money=Money(20.0, 1))
    fee = spendings.repriced(spending(requests=2, cost=None), price_list.LATE)
    assert (fee.money, fee.reported) == (Money(1.0), False)
