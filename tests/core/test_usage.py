"""Usage per model and engine, of one session and of many."""

from __future__ import annotations

from rad_lsp.core import usage
from rad_lsp.core.money import Money
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
