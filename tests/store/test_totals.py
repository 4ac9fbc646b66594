"""Sums by period and dimension, which equal what single requests and calls come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rad_lsp.core.money import Money
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.price import Override
from rad_lsp.core.tokens import Tokens
from rad_lsp.store import seals
from rad_lsp.store.store import Store
from rad_lsp.store.totals import When

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ONE = {"m": Override(1.0, 1.0)}
"""A price of one USD per million tokens."""


@pytest.fixture
def store(machine, workspace):
    """The sessions of all folders, read; with a price for `m`."""

    def made(prices=ONE, names=None, **options):
        found = Store(machine(None), workspace.root, names, prices, everywhere=True, **options)
        found.refresh()
        return found

    return made


def moment(text):
    return {"timestamp": f"{text}+00:00"}


def test_all_requests_are_one_sum(store, home, claude):
    home.claude("a", *claude.answers(1, 2))
    home.claude("b", *claude.answers(1, 2, 3, session="b"))
    (total,) = store().usage_totals((), ALWAYS, UTC)
    assert total.key == ()
    assert (total.sessions, total.requests) == (2, 3)
    assert total.tokens == Tokens(fresh=300, output=30)
    assert not total.money.is_lower_bound
    assert total.money.usd == pytest.approx(330e-6)


def test_sums_of_two_scopes_of_one_index_are_asked_in_turn(machine, workspace, home, claude):
    home.claude("a", *claude.answers(1, 2))
    index = machine(None)
    claudes, codexes = (
        Store(index, workspace.root, [name], everywhere=True) for name in ("claude-code", "codex")
    )
    claudes.refresh()
    one, other = claudes.sums, codexes.sums
    asked = [sums.usage([], When()) for sums in (one, other, one, other)]
    assert [[total.requests for total in found] for found in asked] == [[2], [], [2], []]


def test_without_requests_there_is_no_sum(store):
    assert store().usage_totals((), ALWAYS, UTC) == []
    assert store().tool_totals(("tool",), ALWAYS, UTC) == []


def test_a_price_of_the_users_own_leaves_searches_of_the_web_their_fee(store, home, claude):
    answer = claude.answer(1)
    answer["message"]["usage"]["server_tool_use"] = {"web_search_requests": 8}
    home.claude("a", answer)
    found = store()
    (total,) = found.usage_totals((), ALWAYS, UTC)
    assert total.money.usd == pytest.approx(110e-6 + 0.08)


def test_requests_count_on_the_users_day(store, home, claude):
    late = claude.answer(1) | moment("2026-03-02T22:59:59")
    midnight = claude.answer(2) | moment("2026-03-02T23:00:00")
    home.claude("a", late, midnight)
    days = store().usage_totals(("day",), ALWAYS, BERLIN)
    assert [(total.key, total.requests) for total in days] == [
        ((date(2026, 3, 2),), 1),
        ((date(2026, 3, 3),), 1),
    ]
    (day,) = store().usage_totals(("day",), ALWAYS, UTC)
    assert (day.key, day.requests) == ((date(2026, 3, 2),), 2)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2025-10-26", 25)]
)
def test_a_day_has_as_many_hours_as_it_has_where_the_user_is(store, home, claude, day, hours):
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    first = noon.replace(hour=0, minute=40) - timedelta(days=2)
    moments = [first + timedelta(hours=number) for number in range(24 * 5)]
    records = [
        claude.answer(number) | {"timestamp": at.isoformat()} for number, at in enumerate(moments)
    ]
    home.claude("a", *records)
    days = {total.key: total.requests for total in store().usage_totals(("day",), ALWAYS, BERLIN)}
    assert days[date.fromisoformat(day),] == hours


@pytest.mark.parametrize("year", ["1971", "2038", "2199"])
def test_days_of_all_years_are_readable(store, home, claude, year):
    home.claude("a", claude.answer(1) | moment(f"{year}-07-01T12:00:00"))
    (total,) = store().usage_totals(("day",), ALWAYS, BERLIN)
    assert total.key == (date(int(year), 7, 1),)


def test_a_period_begins_and_ends_between_slots(store, home, claude):
    home.claude("a", *(claude.answer(number, at=900 * number) for number in range(4)))
    period = Period(NOON + timedelta(minutes=15), NOON + timedelta(minutes=45))
    (total,) = store().usage_totals((), period, UTC)
    assert total.requests == 2


def test_sums_are_told_apart_by_what_requests_have_in_common(store, home, claude, codex, git):
    project = home.root / "proj"
    project.mkdir(parents=True)
    git(project, "init", "-q")
    (project / "src").mkdir()
    main = {"cwd": str(project), "gitBranch": "main"}
    fix = {"cwd": str(project / "src"), "gitBranch": "fix"}
    home.claude("a", *claude.answers(1, 2, **main))
    home.claude("b", *claude.answers(3, session="b", model="n", **fix))
    home.codex("t", codex.meta("t", cwd="/elsewhere"), codex.turn(), codex.tokens(1, 100, 10))
    found = store()

    def requests(*by):
        return {total.key: total.requests for total in found.usage_totals(by, ALWAYS, UTC)}

    assert requests("source") == {("claude-code",): 3, ("codex",): 1}
    assert requests("session") == {("a",): 2, ("b",): 1, ("t",): 1}
    assert requests("project") == {(str(project),): 3, ("/elsewhere",): 1}
    assert requests("branch") == {("main",): 2, ("fix",): 1, ("",): 1}
    assert requests("model") == {("m",): 3, ("n",): 1}
    assert requests("engine") == {("claude",): 3, ("codex",): 1}
    assert requests("tier") == {("",): 4}
    day = date(2026, 3, 2)
    assert requests("day", "project") == {(day, str(project)): 3, (day, "/elsewhere"): 1}


def test_requests_without_a_price_and_lower_bounds_are_counted(store, home, claude):
    home.claude("a", claude.answer(1, stop=None), claude.answer(2, model="unheard-of"))
    (total,) = store().usage_totals((), ALWAYS, UTC)
    assert total.money.usd == pytest.approx(110e-6)
    assert (total.money.lower_bound, total.money.unpriced) == (1, 1)
    (total,) = store({}).usage_totals((), ALWAYS, UTC)
    assert total.money == Money(None, lower_bound=1, unpriced=2)


def test_a_report_counts_as_sums_at_its_last_activity(store, workspace):
    workspace.add("a", end_time="2026-03-02T23:30:00Z")
    (total,) = store(names=["radium"]).usage_totals(("day", "source"), ALWAYS, BERLIN)
    assert total.key == (date(2026, 3, 3), "radium")
    assert total.money.usd == pytest.approx(0.1275)
    models = store(names=["radium"]).usage_totals(("model",), ALWAYS, BERLIN)
    assert [(total.key[0], total.requests) for total in models] == [
        ("gemini-2.5-flash-lite", 28),
        ("gemini-3-pro-preview", 168),
    ]
    (calls,) = store(names=["radium"]).tool_totals(("tool",), ALWAYS, BERLIN)
    assert calls.key == ("",)
    assert (calls.ok, calls.failed) == (214, 17)


def test_a_duplicate_report_counts_once(store, workspace, report_bytes):
    workspace.add("a", total_cost=1.0)
    workspace.raw("copy.json", report_bytes(session_id="a", generated_at="2026-01-01T00:00:00Z"))
    (total,) = store(names=["radium"]).usage_totals((), ALWAYS, UTC)
    assert (total.sessions, total.money.usd) == (1, pytest.approx(0.1275))


def test_tool_calls_have_names_and_outcomes(store, home, claude):
    home.claude("a", *claude.called(1), *claude.called(5), *claude.called(9, is_error=True))
    (calls,) = store().tool_totals(("tool",), ALWAYS, UTC)
    assert calls.key == ("Bash",)
    assert (calls.sessions, calls.ok, calls.failed, calls.duration) == (1, 2, 1, 3000)


def test_a_moved_files_tool_calls_count_once(store, home, claude):
    home.claude("x/a", *claude.called(1))
    home.claude("y/a", *claude.called(1), *claude.called(5))
    (calls,) = store().tool_totals((), ALWAYS, UTC)
    assert calls.ok == 2


def test_reports_and_transcripts_of_one_day_are_one_sum(store, workspace, home, claude):
    workspace.add("a", end_time="2026-03-02T12:00:00Z")
    home.claude("b", *claude.called(1))
    (total,) = store().usage_totals(("day",), ALWAYS, UTC)
    assert (total.sessions, total.requests) == (2, 197)
    (calls,) = store().tool_totals(("day",), ALWAYS, UTC)
    assert (calls.sessions, calls.ok) == (2, 215)


def test_a_tool_call_without_a_time_counts_at_the_last_activity(store, home, claude):
    home.claude("a", *claude.called(1))
    found = store()
    db = found.machine.index.connection
    db.execute("UPDATE tool SET start = 0")
    db.execute("INSERT INTO changed SELECT id FROM session")
    seals.seal(db)
    (calls,) = found.tool_totals(("day",), ALWAYS, UTC)
    assert calls.key == (date(2026, 3, 2),)
