"""The overview: spans beside those before, on what money went, and what needs a look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rad_lsp import service
from rad_lsp.core.budget import Budget
from rad_lsp.core.period import Period
from rad_lsp.service import overview, sessions
from rad_lsp.settings import Settings

NOW = datetime(2026, 3, 12, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ANSWER = 0.0045


def at(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def ask(workspace):
    """The overview of the workspace at `now`, or of all projects."""

    def asked(now=NOW, *, all_projects=False, **options):
        settings = Settings(timezone="UTC", **options)
        machine = sessions.open_machine()
        try:
            period = service.status_period(now, settings.zone, settings.budget)
            here = sessions.open_store(
                machine,
                workspace.root,
                everywhere=all_projects,
                selection=sessions.recent(period, ""),
            )
            here.refresh()
            everywhere = here
            if not all_projects:
                everywhere = sessions.open_store(
                    machine, workspace.root, everywhere=True, selection=sessions.newest(1)
                )
            prices = machine.prices({})
            return overview.ask(here, everywhere, workspace.root, settings, prices, now)
        finally:
            machine.close()

    return asked


def spent(spans):
    return {
        span.name: (span.now.sessions, span.now.money.usd, span.before.money.usd) for span in spans
    }


def test_each_span_is_beside_as_much_of_the_one_before(ask, claude_code):
    claude_code("today", start="2026-03-12T09:00:00+00:00").answer()
    claude_code("yesterday", start="2026-03-11T09:00:00+00:00").answer()
    claude_code("late yesterday", start="2026-03-11T20:00:00+00:00").answer().answer()
    claude_code("last week", start="2026-03-05T09:00:00+00:00").answer()
    claude_code("last month", start="2026-02-10T09:00:00+00:00").answer()
    claude_code("late last month", start="2026-02-20T09:00:00+00:00").answer()
    found = ask()
    assert spent(found.here) == {
        "day": (1, pytest.approx(ANSWER), pytest.approx(ANSWER)),
        "week": (3, pytest.approx(4 * ANSWER), pytest.approx(ANSWER)),
        "month": (4, pytest.approx(5 * ANSWER), pytest.approx(ANSWER)),
    }
    assert spent(found.everywhere) == spent(found.here)
    assert found.last.id == "today"


def test_a_folder_is_beside_all_projects(ask, claude_code, tmp_path):
    claude_code("here", start="2026-03-12T09:00:00+00:00").answer()
    claude_code("there", tmp_path / "other", start="2026-03-12T10:00:00+00:00").answer().answer()
    found = ask()
    assert spent(found.here)["day"][:2] == (1, pytest.approx(ANSWER))
    assert spent(found.everywhere)["day"][:2] == (2, pytest.approx(3 * ANSWER))
    assert found.last.id == "here"
    assert [share.name.rpartition("/")[2] for share in found.projects] == ["other", "workspace"]
    assert [share.money.usd for share in found.models] == [pytest.approx(3 * ANSWER)]


@pytest.mark.parametrize("all_projects", [False, True])
def test_a_folder_without_sessions_shows_all_projects(ask, claude_code, tmp_path, all_projects):
    claude_code("there", tmp_path / "other", start="2026-03-12T10:00:00+00:00").answer()
    found = ask(all_projects=all_projects)
    assert found.here == ()
    assert spent(found.everywhere)["day"][:2] == (1, pytest.approx(ANSWER))
    assert found.last.id == "there"


def test_where_there_is_nothing_all_is_zero(ask):
    found = ask()
    assert (found.here, found.last, found.projects, found.models) == ((), None, (), ())
    assert spent(found.everywhere) == dict.fromkeys(("day", "week", "month"), (0, 0.0, 0.0))


def test_a_session_of_tool_calls_alone_counts_as_in_sums_over_time(ask, claude_code):
    made = claude_code("today", start="2026-03-11T23:59:57+00:00").answer(tools=["a"])
    made.tick()
    made.result("a").answer()
    assert spent(ask().here)["day"][:2] == (1, pytest.approx(ANSWER))


def test_what_needs_a_look_is_said(ask, claude_code, workspace):
    claude_code("today", start="2026-03-12T09:00:00+00:00").answer(model="unheard-of")
    workspace.raw("broken.json", b"{")
    found = ask(budget=Budget(day=1))
    assert found.attention == (
        "1 file skipped: rad doctor",
        "1 request without a known price: rad stats cost",
    )
    assert [row.name for row in found.budgets] == ["day"]


def test_the_same_time_before_is_told_by_the_clock_on_the_wall():
    # The clock was set forward on the 29th of March 2026, a day of 23 hours.
    now = at("2026-03-29T10:00+02:00")
    (day, before), *_ = overview.periods(now, BERLIN, "monday").values()
    assert day == Period(at("2026-03-29T00:00+01:00"), at("2026-03-30T00:00+02:00"))
    assert before == Period(at("2026-03-28T00:00+01:00"), at("2026-03-28T10:00+01:00"))


def test_a_longer_month_is_beside_the_whole_of_a_shorter_one():
    found = overview.periods(at("2026-03-31T12:00+00:00"), UTC, "monday")
    assert found["month"][1] == Period(at("2026-02-01T00:00Z"), at("2026-02-28T12:00Z"))


def test_weeks_begin_on_the_day_that_is_set():
    sunday = at("2026-03-08T12:00+00:00")
    found = overview.periods(sunday, UTC, "sunday")
    assert found["week"] == (
        Period(at("2026-03-08T00:00Z"), at("2026-03-15T00:00Z")),
        Period(at("2026-03-01T00:00Z"), at("2026-03-01T12:00Z")),
    )
    assert overview.periods(sunday, UTC, "monday")["week"][0].since == at("2026-03-02T00:00Z")


@pytest.mark.parametrize("zone", [UTC, BERLIN, ZoneInfo("Asia/Kolkata"), None])
def test_no_span_overlaps_the_one_before(zone):
    now = at("2026-01-01T00:00+00:00")
    for _ in range(400):
        for current, before in overview.periods(now, zone, "monday").values():
            ends = [before.since, before.until, current.since, current.until]
            assert ends == sorted(filter(None, ends))
            assert now in current
        now += timedelta(hours=23, minutes=7)
