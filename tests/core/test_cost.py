"""What a cost is made of, and what the cache saved."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rad_lsp.core import cost
from rad_lsp.core.cost import Charge, Savings
from rad_lsp.core.session import Usage
from rad_lsp.core.tokens import of_input


@pytest.fixture
def billed(session, spending):
    """A session whose requests are known, from what its rows have."""

    def made(*rows, total=None):
        return session(cost=total, spending=tuple(_row(spending, **row) for row in rows))

    return made


def _row(spending, *, input=0, cache_read=0, cache_write_5m=0, cache_write_1h=0, output=0, **more):  # noqa: A002
    """A row of spending whose input tokens include cached ones."""
    return spending(
        tokens=of_input(input, cache_read, cache_write_5m, cache_write_1h, output), **more
    )


def test_tokens_of_each_class_have_their_rate_and_cost(billed, price_list):
    row = {
        "requests": 2,
        "input": 1000,
        "cache_read": 200,
        "cache_write_5m": 100,
        "cache_write_1h": 50,
        "output": 10,
        "cost": 0.0117,
    }
    found = cost.table([billed(row, total=0.0117)], price_list)
    (line,) = found.rows
    assert line.charges == (
        Charge("input", 650, 10, 0.0065),
        Charge("cache_read", 200, 1, 0.0002),
        Charge("cache_write_5m", 100, 20, 0.002),
        Charge("cache_write_1h", 50, 40, 0.002),
        Charge("output", 10, 100, 0.001),
    )
    assert (line.requests, line.cost) == (2, 0.0117)
    assert line.computed == pytest.approx(0.0117)
    assert (line.price, line.reported) == (price_list.A, False)
    assert (found.sessions, found.cost) == (1, 0.0117)
    assert found.computed == pytest.approx(0.0117)
    assert (found.reported, found.unpriced, found.estimated) == (None, 0, False)
    assert found.unexplained == 0


def test_requests_above_a_threshold_are_a_line_of_their_own(billed, price_list):
    low = {"input": 1000, "cost": 0.01}
    high = {"input": 5000, "threshold": 1000, "cost": 0.1}
    found = cost.table([billed(low, high)], price_list)
    assert [(row.threshold, row.charges[0].rate, row.computed) for row in found.rows] == [
        (1000, 20, 0.1),
        (0, 10, 0.01),
    ]


def test_a_price_that_changes_makes_another_line(billed, price_list):
    early = {"slot": 99, "model": "b", "input": 1_000_000, "cost": 1.0}
    late = early | {"slot": 100, "cost": 2.5}
    found = cost.table([billed(early, late), billed(late)], price_list)
    assert [(row.requests, row.price, row.computed) for row in found.rows] == [
        (2, price_list.LATE, 5.0),  # $2 for the tokens and $0.50 for the request, twice
        (1, price_list.EARLY, 1.0),
    ]


def test_by_whom_a_model_was_served_makes_no_line_where_the_price_is_one(billed, price_list):
    found = cost.table([billed({"engine": "x"}, {"engine": "y"})], price_list)
    assert [row.requests for row in found.rows] == [2]
    assert len(cost.table([billed({"tier": "batch"}, {})], price_list).rows) == 2


def test_what_has_no_price_is_none_and_counted(billed, price_list):
    row = {"model": "unknown", "input": 5, "requests": 3, "cost": None}
    found = cost.table([billed(row, {"cost": 0.25}, total=0.25)], price_list)
    unknown = next(row for row in found.rows if row.model == "unknown")
    assert (unknown.cost, unknown.computed, unknown.price) == (None, None, None)
    assert unknown.charges == (Charge("input", 5, None, None),)
    assert (found.unpriced, found.cost, found.computed) == (3, 0.25, 0)
    alone = cost.table([billed(row)], price_list)
    assert (alone.cost, alone.computed, alone.reported, alone.unexplained) == (None, None, None, 0)


def test_searches_of_the_web_are_part_of_a_cost(billed, price_list):
    row = {"input": 1000, "searches": 8, "cost": 0.09}
    found = cost.table([billed(row, row, total=0.18)], price_list)
    (line,) = found.rows
    assert line.searches == 16
    assert line.search_cost == pytest.approx(0.16)
    assert line.computed == found.computed == pytest.approx(0.02 + 0.16)
    assert found.unexplained == 0


@pytest.mark.parametrize(
    ("model", "search_cost", "computed"),
    [("b", None, 0.001), ("unknown", None, None), ("free", 0, 0)],
)
def test_searches_without_a_price_are_unknown_and_not_free(
    billed, price_list, model, search_cost, computed
):
    row = {"model": model, "input": 1000, "searches": 8, "cost": computed}
    (line,) = cost.rows(billed(row), price_list)
    assert (line.search_cost, line.computed) == (search_cost, computed)


def test_searches_of_the_web_save_nothing(billed, price_list):
    row = {"input": 1000, "cache_read": 1000, "searches": 8}
    assert cost.savings(billed(row), price_list).usd == pytest.approx(0.009)


def test_a_model_without_tokens_costs_its_fee_or_nothing(billed, price_list):
    (row,) = cost.table([billed({"slot": 100, "model": "b"})], price_list).rows
    assert (row.charges, row.computed) == ((), 0.5)


def test_a_local_model_costs_nothing_and_is_not_unpriced(billed, price_list):
    found = cost.table([billed({"model": "free", "input": 9}, total=0.0)], price_list)
    assert (found.computed, found.unpriced) == (0, 0)
    assert found.rows[0].charges == (Charge("input", 9, 0, 0),)


def test_what_the_provider_says_is_kept_apart(billed, price_list):
    row = {"input": 1_000_000}
    given = row | {"cost": 9.0, "reported": True}
    found = cost.table([billed(given, row | {"cost": 10.0}, total=19.0)], price_list)
    assert [(row.reported, row.cost, row.computed) for row in found.rows] == [
        (False, 10.0, 10.0),
        (True, 9.0, 10.0),
    ]
    assert (found.cost, found.reported, found.computed) == (19.0, 9.0, 20.0)


def test_a_report_of_sums_is_an_estimate_by_its_models(session, price_list):
    found = cost.table([session()], price_list)
    assert [(row.model, row.cost, row.reported) for row in found.rows] == [
        ("a", 0.75, True),
        ("b", 0.25, True),
    ]
    assert found.estimated
    assert (found.cost, found.reported) == (1.0, 1.0)
    # Cached tokens are 100 and 50 of 150: so are the 110 read and the 40 created.
    assert {charge.token_class: charge.tokens for charge in found.rows[0].charges} == {
        "input": 601,
        "cache_read": 73,
        "cache_write_5m": 26,
        "output": 70,
    }
    assert found.rows[1].price == price_list.LATE
    read, written = (
        sum(c.tokens for row in found.rows for c in row.charges if c.token_class == name)
        for name in ("cache_read", "cache_write_5m")
    )
    assert (read, written) == (110, 40)


def test_without_cached_tokens_by_model_input_tokens_share_them_out(session, price_list):
    models = (Usage("a", 1, 300), Usage("b", 1, 100))
    rows = cost.rows(session(models=models, cached_tokens=0), price_list)
    shared = {row.model: [c.tokens for c in row.charges] for row in rows}
    assert shared == {"a": [300 - 82 - 30, 82, 30], "b": [100 - 28 - 10, 28, 10]}
    nothing = session(models=(Usage("a", 1), Usage("b", 1)), cached_tokens=0)
    assert [row.charges for row in cost.rows(nothing, price_list)] == [(), ()]


def test_no_part_of_a_contradicting_report_is_more_than_the_whole(session, price_list):
    found = session(models=(Usage("a", 1, 100, 0, 100),), cache_read_tokens=90,
                    cache_creation_tokens=10_000)  # fmt: skip
    (row,) = cost.rows(found, price_list)
    assert [(c.token_class, c.tokens) for c in row.charges] == [
        ("cache_read", 90),
        ("cache_write_5m", 10),
    ]


def test_more_cached_than_input_tokens_of_a_request_are_no_credit(billed, price_list):
    (row,) = cost.rows(billed({"input": 10, "cache_read": 1_000_000}), price_list)
    assert row.computed == 1.0


def test_a_total_that_its_models_do_not_explain_is_named(session, price_list):
    found = cost.table([session(cost=5.0)], price_list)
    assert (found.cost, found.reported, found.unexplained) == (5.0, 5.0, 4.0)
    empty = cost.table([session(cost=5.0, models=())], price_list)
    assert (empty.rows, empty.computed, empty.reported, empty.unexplained) == ((), None, 5.0, 5.0)
    assert not empty.estimated


def test_a_session_without_requests_costs_nothing(session, price_list):
    found = cost.table([session(cost=0.0, models=())], price_list)
    assert (found.cost, found.computed, found.reported) == (0, 0, None)


def test_without_sessions_there_is_nothing(price_list):
    found = cost.table([], price_list)
    assert (found.sessions, found.rows, found.cost, found.reported) == (0, (), 0, None)


def test_many_sessions_add_up_exactly(billed, price_list):
    one = billed({"input": 3, "cost": 0.1}, total=0.1)
    found = cost.table((one for _ in range(2_500)), price_list)
    (row,) = found.rows
    assert (row.requests, row.cost, row.charges[0].tokens) == (2_500, 250.0, 7_500)
    assert (found.sessions, found.cost) == (2_500, 250.0)


def test_the_dearest_line_comes_first_then_the_name(billed, price_list):
    rows = [{"model": name, "cost": usd} for name, usd in (("z", 1.0), ("y", None), ("x", 0.0))]
    found = cost.table([billed(*rows, {"model": "w", "cost": 1.0})], price_list)
    assert [row.model for row in found.rows] == ["w", "z", "x", "y"]


def test_one_model_alone_has_its_lines(session, billed, price_list):
    assert [row.model for row in cost.rows(session(), price_list, "b")] == ["b"]
    assert cost.rows(session(), price_list, "c") == ()
    assert len(cost.rows(billed({"model": "a"}, {"model": "b"}), price_list)) == 2


def test_the_largest_counts_have_a_cost(billed, session, price_list):
    row = {"input": 2**64 - 1, "output": 2**64 - 1, "requests": 2**64 - 1}
    found = cost.table([billed(row), billed(row)], price_list)
    assert found.rows[0].requests == 2**65 - 2
    assert found.computed == pytest.approx(2 * 2**64 * 110 / 1e6)
    most = 2**64 - 1
    huge = session(models=(Usage("a", most, most, most, most),), cached_tokens=most)
    assert cost.savings(huge, price_list).usd is not None


def test_the_cache_saved_the_difference_of_the_rates(billed, price_list):
    row = {
        "input": 1_000,
        "cache_read": 500,
        "cache_write_5m": 100,
        "cache_write_1h": 10,
    }
    # 500 x ($10 - $1) - 100 x ($20 - $10) - 10 x ($40 - $10), per million.
    saved = cost.savings(billed(row), price_list)
    assert saved.usd == pytest.approx(0.0032)
    assert saved.left_out == ()
    # Above the threshold: 500 x ($20 - $2) - 100 x ($40 - $20) - 10 x ($80 - $20).
    above = row | {"threshold": 1000}
    saved = cost.savings(billed(above), price_list)
    assert saved.usd == pytest.approx(0.0064)
    assert saved.left_out == ()


def test_a_cache_that_only_was_written_to_saved_less_than_nothing(billed, price_list):
    row = {"input": 100, "cache_write_5m": 100}
    assert cost.savings(billed(row), price_list) == Savings(-0.001)


def test_models_without_a_price_are_left_out_of_savings_and_named(billed, price_list):
    known = {"input": 500, "cache_read": 500}
    unknown = known | {"model": "unknown"}
    found = cost.savings(billed(known, unknown, unknown), price_list)
    assert found.usd == pytest.approx(0.0045)
    assert found.left_out == ("unknown",)
    assert cost.savings(billed(unknown), price_list) == Savings(None, ("unknown",))


def test_a_model_without_cached_tokens_does_not_matter_to_savings(billed, price_list):
    assert cost.savings(billed({"model": "unknown", "input": 9}), price_list) == Savings(None)


def test_a_report_of_sums_has_savings_as_an_estimate(session, price_list):
    models = (Usage("a", 1, 1000, 0, 150),)
    # 110 read x ($10 - $1) - 40 created x ($20 - $10).
    assert cost.savings(session(models=models), price_list).usd == pytest.approx(0.00059)


def test_spellings_of_a_model_that_cost_the_same_are_one_row(billed, price_list):
    class Sellers:
        """`a` by its maker; as `shop/a` by another seller at the same rates, or at others."""

        def price(self, model, engine, slot, tier):
            found = price_list.price(model.removeprefix("shop/")[:1], engine, slot, tier)
            names = {"provider": "shop", "model": "shop/a"} if "/" in model else {}
            return replace(found, **names, fee=1.0 if engine == "dear" else 0.0)

    rows = [
        {"model": "shop/a", "input": 10, "cost": 1.0},
        {"model": "a", "input": 20, "cost": 2.0},
        {"model": "a", "input": 40, "cost": 0.5, "threshold": 1000},
        {"model": "a", "input": 80, "cost": 0.25, "engine": "dear"},
    ]
    found = cost.table([billed(*rows), billed(rows[1])], Sellers())
    assert [(row.model, row.requests, row.cost, row.spellings) for row in found.rows] == [
        ("a", 3, 5.0, ("a", "shop/a")),
        ("a", 1, 0.5, ()),
        ("a", 1, 0.25, ()),
    ]
    assert found.rows[0].price == price_list.A


def test_a_model_with_one_spelling_keeps_it_in_all_rows(billed, price_list):
    rows = [{"model": "a-latest", "cost": 1.0}, {"model": "a-latest", "tier": "flex", "cost": 0.5}]
    found = cost.table([billed(*rows)], price_list)
    assert [(row.model, row.spellings) for row in found.rows] == [("a-latest", ())] * 2


def test_a_row_tells_that_its_only_spelling_is_not_the_models_name(billed, price_list):
    rows = [{"model": "x/a", "cost": 1.0}, {"model": "a", "tier": "flex", "cost": 0.5}]
    found = cost.table([billed(*rows)], price_list)
    assert [(row.model, row.spellings) for row in found.rows] == [("a", ("x/a",)), ("a", ())]


def test_rows_of_one_session_are_named_as_recorded(billed, price_list):
    found = cost.rows(
        billed({"model": "a", "cost": 2.0}, {"model": "x/a", "cost": 1.0}), price_list
    )
    assert [row.model for row in found] == ["a", "x/a"]


def test_a_seller_with_other_rates_for_what_was_used_has_a_row_of_its_own(billed, price_list):
    class Sellers:
        """`shop/a` costs what `a` does, but for tokens that are written to the cache."""

        def price(self, model, engine, slot, tier):
            found = price_list.price(model[-1], engine, slot, tier)
            dear = replace(found.rates[0], cache_write_1h=41)
            shop = {"provider": "shop", "model": "shop/a", "rates": (dear, *found.rates[1:])}
            return replace(found, **shop) if "/" in model else found

    own = {"model": "a", "input": 20, "cache_write_1h": 10, "cost": 2.0}
    shop = {"model": "shop/a", "input": 20, "cost": 1.0}
    assert len(cost.table([billed(own, shop)], Sellers()).rows) == 1
    found = cost.table([billed(own, {**shop, "cache_write_1h": 10})], Sellers())
    assert [(row.model, row.price and row.price.provider, row.spellings) for row in found.rows] == [
        ("a", "seller", ()),
        ("a", "shop", ("shop/a",)),
    ]
