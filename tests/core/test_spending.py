"""Requests, each priced by itself, and added up per quarter of an hour."""

from __future__ import annotations

import pytest

from rad_lsp.core import spending as spendings
from rad_lsp.core.spending import QUARTER, Request


def request(minute=0, model="a", **fields):
    return Request(time=minute * 60_000, model=model, **fields)


def test_a_request_is_priced_by_its_size_and_its_quarter_of_an_hour(price_list, spending):
    tokens = {
        "input_tokens": 1000,
        "cache_read_tokens": 200,
        "cache_write_5m_tokens": 100,
        "cache_write_1h_tokens": 50,
        "output_tokens": 10,
    }
    # 650 at $10, 200 at $1, 100 at $20, 50 at $40, 10 at $100, per million.
    row = spendings.priced(request(749, engine="e", **tokens), price_list)
    assert row == spending(quarter=49, cost=pytest.approx(0.0117), **tokens)


def test_above_a_limit_the_whole_request_is_billed_otherwise(price_list):
    row = spendings.priced(request(input_tokens=1001, output_tokens=10), price_list)
    assert (row.above, row.cost) == (1000, pytest.approx(0.02202))


def test_what_the_provider_says_counts_before_the_price_list(price_list):
    row = spendings.priced(request(input_tokens=2000, cost=0.5), price_list)
    assert (row.cost, row.reported, row.above) == (0.5, True, 1000)
    row = spendings.priced(request(model="unknown", cost=0.0), price_list)
    assert (row.cost, row.reported) == (0.0, True)


def test_a_request_without_a_price_has_no_cost(price_list):
    row = spendings.priced(request(model="unknown", input_tokens=5), price_list)
    assert (row.cost, row.reported, row.above) == (None, False, 0)


def test_a_fee_is_paid_for_each_request(price_list):
    late = [request(1500, model="b")] * 3
    assert spendings.priced(late[0], price_list).cost == 0.5
    assert spendings.tally(late, price_list)[0].cost == 1.5


def test_requests_of_a_quarter_of_an_hour_are_one_row(price_list, spending):
    rows = spendings.tally(
        [request(minute, input_tokens=100, engine="e") for minute in (750, 764, 751)], price_list
    )
    (row,) = rows
    assert row == spending(requests=3, input_tokens=300, cost=pytest.approx(0.003))


def test_each_request_has_its_own_size(price_list):
    found = spendings.tally([request(input_tokens=600), request(input_tokens=600)], price_list)
    assert [(row.above, row.input_tokens) for row in found] == [(0, 1200)]


def test_requests_of_which_only_sums_are_told_are_of_average_size(price_list):
    (row,) = spendings.tally([request(requests=2, input_tokens=2000)], price_list)
    assert (row.requests, row.above, row.cost) == (2, 0, pytest.approx(0.02))
    (row,) = spendings.tally([request(1500, model="b", requests=3)], price_list)
    assert row.cost == 1.5


def test_one_request_is_priced_as_among_others(price_list):
    for one in (
        request(input_tokens=1001, output_tokens=7, cache_read_tokens=3),
        request(1500, model="b", requests=2, input_tokens=5),
        request(model="unknown"),
        request(cost=0.0, tier="batch", engine="e"),
    ):
        assert spendings.tally([one], price_list) == (spendings.priced(one, price_list),)


def test_rows_differ_by_what_makes_the_bill_another(price_list):
    found = spendings.tally(
        [
            request(15),
            request(0, model="unknown"),
            request(0, input_tokens=2000),
            request(0, tier="batch"),
            request(0, engine="z"),
            request(0, cost=1.0),
            request(0),
        ],
        price_list,
    )
    assert [
        (row.quarter, row.model, row.engine, row.tier, row.above, row.reported) for row in found
    ] == [
        (0, "a", "", "", 0, False),
        (0, "a", "", "", 0, True),
        (0, "a", "", "", 1000, False),
        (0, "a", "", "batch", 0, False),
        (0, "a", "z", "", 0, False),
        (0, "unknown", "", "", 0, False),
        (1, "a", "", "", 0, False),
    ]


def test_a_cost_that_is_not_known_adds_up_to_none(price_list):
    (row,) = spendings.tally([request(model="unknown")] * 2, price_list)
    assert (row.requests, row.cost) == (2, None)


def test_the_order_of_requests_makes_no_difference(price_list):
    requests = [request(minute, "ab"[minute % 2], input_tokens=8) for minute in range(60)]
    assert spendings.tally(requests, price_list) == spendings.tally(requests[::-1], price_list)


def test_no_requests_are_no_rows(price_list):
    assert spendings.tally([], price_list) == ()


def test_a_quarter_of_an_hour_is_one_before_the_epoch_too(price_list):
    assert spendings.priced(request(-1), price_list).quarter == -1
    assert QUARTER == 900


def test_rows_of_one_rule_add_up_to_one(price_list):
    requests = [
        request(minute, model, input_tokens=size, cost=cost)
        for minute in (0, 14, 15)
        for model, size, cost in (("a", 5, None), ("a", 2000, None), ("unknown", 1, None),
                                  ("a", 5, 0.5))
    ]  # fmt: skip
    rows = [spendings.priced(one, price_list) for one in requests]
    found = spendings.add_up(reversed(rows))
    assert found == spendings.tally(requests, price_list)
    assert [row.requests for row in found] == [2, 2, 2, 2, 1, 1, 1, 1]
