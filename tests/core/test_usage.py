"""Usage per model and engine, of one session and of many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from rad_lsp.core import usage
from rad_lsp.core.money import Money
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.session import Usage
from rad_lsp.core.tokens import Tokens


def test_one_sessions_models_with_a_total(session):
    found = usage.table([session()], "model")
    assert found.rows == session().models
    assert found.total == Usage("TOTAL", 4, 1000, 100, 150, Money(1.0))
    assert (found.kind, found.sessions) == ("model", 1)


def test_engines_are_a_table_of_their_own(session):
    assert usage.table([session()], "engine").rows == (Usage("e", 4, 1000, 100, 150, Money(1.0)),)


def test_many_sessions_are_added_up_by_name(session):
    sessions = [
        session(models=(Usage("a", 1, 10, 1, 2, Money(0.5)),)),
        session(
            models=(Usage("a", 2, 20, 2, 3, Money(0.25)), Usage("b", 1, 100, 0, 0, Money(1.0)))
        ),
    ]
    found = usage.table(sessions, "model")
    assert found.rows == (
        Usage("b", 1, 100, 0, 0, Money(1.0)),
        Usage("a", 3, 30, 3, 5, Money(0.75)),
    )
    assert found.total == Usage("TOTAL", 4, 130, 3, 5, Money(1.75))


def test_rows_come_by_total_tokens_then_by_name(session):
    models = (Usage("c", 1, 5, 5), Usage("a", 1, 4, 6), Usage("b", 1, 1, 100))
    found = usage.table([session(models=models)], "model")
    assert [row.name for row in found.rows] == ["b", "a", "c"]


def test_thousands_of_sessions_add_up_exactly(session):
    one = session(models=(Usage("a", 1, 2, 3, 4, Money(0.1)),))
    found = usage.table((one for _ in range(2500)), "model")
    assert found.sessions == 2500
    assert found.rows == (Usage("a", 2500, 5000, 7500, 10_000, Money(250.0)),)


def test_counts_add_up_beyond_64_bits(session):
    one = session(models=(Usage("a", 2**64 - 1, 2**64 - 1),))
    assert usage.table([one, one], "model").total.requests == 36_893_488_147_419_103_230


def test_requests_without_a_price_are_counted_and_their_cost_is_none(session):
    models = (Usage("a", 3, money=Money(None, 0, 3)), Usage("b", 2, money=Money(0.5, 0, 1)))
    found = usage.table([session(models=models), session(models=models[:1])], "model")
    assert [(row.name, row.cost, row.money.unpriced) for row in found.rows] == [
        ("a", None, 6),
        ("b", 0.5, 1),
    ]
    assert (found.total.cost, found.total.money.unpriced) == (0.5, 7)


def test_without_sessions_there_are_no_rows_and_a_total_of_nothing():
    found = usage.table([], "engine")
    assert (found.sessions, found.rows, found.total) == (0, (), Usage("TOTAL"))


def test_requests_are_added_up_by_model_or_engine_in_the_order_of_names(spending):
    rows = [
        spending(model="b", engine="e", requests=2, tokens=Tokens(15, 60, 20, 5, 10), cost=0.5),
        spending(model="a", engine="e", tokens=Tokens(7), money=Money(0.25, 1)),
        spending(model="b", engine="f", requests=4, tokens=Tokens(1), cost=None),
    ]
    assert usage.of_rows(rows, "model") == (
        Usage("a", 1, 7, 0, 0, Money(0.25, 1)),
        Usage("b", 6, 101, 10, 60, Money(0.5, 0, 4)),
    )
    assert usage.of_rows(rows, "engine") == (
        Usage("e", 3, 107, 10, 60, Money(0.75, 1)),
        Usage("f", 4, 1, 0, 0, Money(None, 0, 4)),
    )
    assert usage.of_rows(rows[::-1], "model") == usage.of_rows(rows, "model")
    assert usage.of_rows([], "model") == ()


def test_lower_bounds_stay_with_the_sums(session):
    models = (Usage("a", 3, money=Money(1.0, 2)),)
    found = usage.table([session(models=models)] * 2, "model")
    assert found.rows[0].money == found.total.money == Money(2.0, 4)


def test_spellings_of_one_model_are_one_row_with_the_models_name(session):
    models = (Usage("p/a", 1, 10, 1, 2, Money(0.5)), Usage("b", 1, 5))
    sessions = [session(models=models), session(models=(Usage("a[1m]", 2, 20, 2, 3, Money(0.25)),))]
    found = usage.table(sessions, "model", lambda name: name.removeprefix("p/")[:1])
    assert found.rows == (Usage("a", 3, 30, 3, 5, Money(0.75)), Usage("b", 1, 5))
    assert found.spellings == {"a": ("a[1m]", "p/a")}


def test_a_model_with_one_spelling_keeps_it(session):
    sessions = [session(models=(Usage("p/a", 1),)), session(models=(Usage("p/a", 2), Usage("b")))]
    found = usage.table(sessions, "model", lambda name: name.removeprefix("p/"))
    assert {row.name for row in found.rows} == {"p/a", "b"}
    assert found.spellings == {}


def test_one_sessions_spellings_of_a_model_are_one_row(session):
    models = (Usage("a", 1, 10, 1), Usage("b", 1), Usage("p/a", 2, 20, 2))
    found = usage.with_one_row_per_model(
        session(models=models), lambda name: name.removeprefix("p/")
    )
    assert found.models == (Usage("a", 3, 30, 3), Usage("b", 1))


def test_without_several_spellings_a_session_stays_as_it_is(session):
    found = session(models=(Usage("p/a", 1), Usage("b", 1)))
    assert usage.with_one_row_per_model(found, lambda name: name.removeprefix("p/")) is found


def test_models_and_engines_add_up_to_the_same_total_where_sessions_name_no_engine(session):
    sessions = [
        session(),
        session(id="old", engines=()),
        session(id="empty", models=(), engines=()),
    ]
    models, engines = (usage.table(sessions, kind) for kind in ("model", "engine"))
    assert engines.total == models.total
    assert engines.rows == (
        Usage("", 4, 1000, 100, 150, Money(1.0)),
        Usage("e", 4, 1000, 100, 150, Money(1.0)),
    )
    assert (engines.without_engine, models.without_engine) == (("old",), ())


def test_requests_without_an_engine_are_told_by_their_session(session):
    engines = (Usage("", 1), Usage("e", 3))
    assert usage.table([session(engines=engines)], "engine").without_engine == ("s",)


START = datetime(2025, 12, 7, 9, 5, tzinfo=UTC)
SLOT = int(START.timestamp()) // 900
"""From 9:00 on; the session begins in it."""


@pytest.fixture
def spent(session, spending):
    """A session from 9:05 to 9:50 with requests in the first, the second and the last slot."""
    rows = tuple(
        spending(slot=SLOT + slot, model=model, tokens=Tokens(10), cost=cost)
        for slot, model, cost in ((0, "a", 1.0), (1, "b", 2.0), (3, "a", 4.0))
    )
    return session(
        start_time=START,
        end_time=START + timedelta(minutes=45),
        **usage.of_spending(rows),
    )


def clock(text):
    return text and datetime.fromisoformat(f"2025-12-07T{text}:00Z")


@pytest.mark.parametrize(
    ("since", "until", "cost"),
    [
        (None, None, 7),
        ("09:00", "10:00", 7),
        ("09:15", None, 6),
        (None, "09:15", 1),
        ("09:15", "09:45", 2),
        # A slot counts when it begins,
        ("09:16", None, 4),
        (None, "09:16", 3),
        # the first one when the session does.
        ("09:04", None, 7),
        ("09:06", None, 6),
        (None, "09:06", 1),
        # It was last active at 9:50.
        ("09:46", None, 0),
    ],
)
def test_a_session_counts_in_a_period_with_what_it_spent_in_it(spent, since, until, cost):
    found = usage.within(spent, Period(clock(since), clock(until)))
    assert found is not None
    assert (found.id, found.cost) == ("s", cost)
    assert sum(row.cost or 0 for row in found.models) == cost
    assert sum(row.cost or 0 for row in found.engines) == cost


@pytest.mark.parametrize(
    ("since", "until"), [("09:51", None), (None, "09:05"), ("09:31", "09:44"), ("10:00", "11:00")]
)
def test_a_session_that_spent_nothing_and_did_not_end_in_a_period_is_not_in_it(spent, since, until):
    assert usage.within(spent, Period(clock(since), clock(until))) is None


def test_a_session_that_lies_within_a_period_stays_as_it_is(spent, session):
    contradictory = session(spending=spent.spending)
    assert usage.within(contradictory, ALWAYS) is contradictory


@pytest.mark.parametrize("minutes", [4, 7, 15, 16])
def test_periods_one_after_the_other_count_each_request_once(spent, minutes):
    ends = [clock("08:00") + timedelta(minutes=minutes) * step for step in range(120)]
    parts = [usage.within(spent, Period(*pair)) for pair in pairwise(ends)]
    assert sum(part.cost or 0 for part in parts if part) == 7


def test_a_session_whose_requests_are_not_recorded_counts_whole_at_its_last_activity(session):
    whole = session()
    assert usage.within(whole, Period(clock("09:00"), clock("10:00"))) is None
    assert usage.within(whole, Period(clock("10:00"), clock("10:01"))) is whole
