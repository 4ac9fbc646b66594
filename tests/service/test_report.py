"""The facts of a report page."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rad_lsp.core.figures import CLOCK_SKEW
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.price import Override
from rad_lsp.service import report, sessions, trend
from rad_lsp.settings import Settings

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRICE = 0.0045
"""USD of an answer: 1,000 tokens in, 100 out, of Sonnet 4.5."""


@pytest.fixture
def asked(workspace):
    """Asks for the facts of all sessions, or for sums over time."""
    machine = sessions.open_machine()

    def ask(within=ALWAYS, zone="UTC", *, everywhere=True, **settings):
        values = Settings(timezone=zone, **settings)
        store = sessions.open_store(
            machine, workspace.root, values.sources, values.prices, everywhere=everywhere
        )
        store.refresh()
        prices = machine.prices(values.prices)
        arguments = (workspace.root, values, NOW, within)
        read = store.ask_known(lambda _: report.read(store, *arguments))
        return report.of(read, values.zone, prices)

    yield ask
    machine.close()


def hour(moment, zone=UTC):
    """The hour on a clock in a zone, since 1970."""
    local = datetime.fromisoformat(moment).astimezone(zone)
    return int((local.replace(tzinfo=UTC) - EPOCH).total_seconds() // 3600)


def test_requests_count_in_the_hour_on_the_users_clock(asked, claude_code):
    claude_code("one", start="2026-03-02T13:29:58+00:00").answer().answer().answer()
    claude_code("two", start="2026-03-02T23:40:00+00:00").answer(model="claude-opus-4-5-20251101")
    found = asked(zone="Asia/Kolkata")
    used = [(one.session, one.hour, one.model, one.requests) for one in found.usage]
    kolkata = ZoneInfo("Asia/Kolkata")
    assert used == [
        (0, hour("2026-03-02T23:40:00+00:00", kolkata), "claude-opus-4-5-20251101", 1),
        # A request counts with its slot of 15 minutes.
        (1, hour("2026-03-02T13:15:00+00:00", kolkata), "claude-sonnet-4-5-20250929", 1),
        (1, hour("2026-03-02T13:30:00+00:00", kolkata), "claude-sonnet-4-5-20250929", 2),
    ]


def test_both_hours_of_a_night_that_has_one_twice_are_the_same_on_the_clock(asked, claude_code):
    claude_code("one", start="2025-10-26T00:30:00+00:00").answer()
    claude_code("two", start="2025-10-26T01:30:00+00:00").answer()
    assert len({one.hour for one in asked(zone="Europe/Berlin").usage}) == 1


def test_money_adds_up_to_that_of_sums_over_time(asked, workspace, claude_code, codex):
    claude_code("one").answer().answer(read=5_000, written=300)
    codex("two").answer().answer(read=4_000)
    workspace.add("three")  # a report, whose total is not the sum of its models
    workspace.add("four", total_cost=2.5)
    found = asked()
    question = trend.Question("month", NOW, UTC, Period(datetime(2020, 1, 1, tzinfo=UTC)))
    machine = sessions.open_machine()
    store = sessions.open_store(machine, workspace.root, everywhere=True)
    sums = store.ask(lambda sums: trend.ask(sums, question, machine.prices({})))
    machine.close()
    whole = sums.total.figures.spent
    assert whole is not None
    assert sum(one.money.usd or 0.0 for one in found.usage) == pytest.approx(whole.money.usd)
    assert sum(one.requests for one in found.usage) == whole.requests
    assert sum(one.tokens.input for one in found.usage) == whole.tokens.input
    saved = [one.savings for one in found.usage if one.savings is not None]
    assert sum(saved) == pytest.approx(whole.savings.usd)


def test_what_a_report_cost_beside_its_models_is_of_no_model(asked, workspace):
    workspace.add("one", total_cost=2.5)
    found = asked()
    rest = [one for one in found.usage if not one.model]
    assert [(one.requests, one.tokens.input) for one in rest] == [(0, 0)]
    assert sum(one.money.usd for one in found.usage) == pytest.approx(2.5)


def test_without_a_price_neither_cost_nor_savings_are_known(asked, claude_code):
    claude_code("one").answer(model="unheard-of", read=500)
    (used,) = asked().usage
    assert (used.money.usd, used.money.unpriced, used.savings) == (None, 1, None)


def test_without_a_cache_it_has_saved_nothing(asked, claude_code):
    claude_code("one").answer()
    assert [one.savings for one in asked().usage] == [0.0]


def test_prices_of_the_users_own_count(asked, claude_code):
    claude_code("one").answer(model="unheard-of")
    own = {"unheard-of": Override(input=1.0, output=10.0)}
    (used,) = asked(prices=own).usage
    assert used.money.usd == pytest.approx(0.002)


def test_tool_calls_are_told_by_session_day_and_tool(asked, claude_code, workspace):
    one = claude_code("one", start="2026-03-02T23:59:50+00:00").answer(tools=["a", "b"])
    one.result("a").result("b", failed=True)
    workspace.add(
        "two",
        end_time="2026-03-01T12:00:00Z",
        tool_calls=3,
        successful_tool_calls=3,
        failed_tool_calls=0,
    )
    found = asked()
    calls = [
        (one.session, str(one.day), one.tool, one.calls.ok, one.calls.failed, one.time)
        for one in found.calls
    ]
    # A report of Radium does not name its tools, and tells nothing of how long each call took.
    assert calls == [
        (0, "2026-03-02", "Bash", 1, 1, 3_000_000_000),
        (1, "2026-03-01", "", 3, 0, None),
    ]


def test_of_a_session_that_goes_beyond_the_period_only_what_is_within_counts(asked, claude_code):
    one = claude_code("one", start="2026-03-01T12:00:00+00:00").answer(tools=["a"]).result("a")
    one.time = datetime(2026, 3, 2, 12, tzinfo=UTC)
    one.answer(tools=["b"]).result("b")
    claude_code("old", start="2026-02-01T12:00:00+00:00").answer()
    found = asked(Period(datetime(2026, 3, 2, tzinfo=UTC)))
    assert [one.id for one in found.sessions] == ["one"]
    assert [(one.requests, one.money.usd) for one in found.usage] == [(1, pytest.approx(PRICE))]
    assert [(str(one.day), one.calls.total) for one in found.calls] == [("2026-03-02", 1)]


def test_an_id_is_as_long_as_tells_it_from_all_others(asked, claude_code):
    for name in ("0199f3c2-7a10-7000-a", "0199f3c2-7a10-7000-b", "short", "x" * 40):
        claude_code(name).answer()
    ids = {session.id: short for session, short in zip(*_ids(asked()), strict=True)}
    assert ids == {
        "0199f3c2-7a10-7000-a": "0199f3c2-7a10-7000-a",
        "0199f3c2-7a10-7000-b": "0199f3c2-7a10-7000-b",
        "short": "short",
        "x" * 40: "x" * 12,
    }


def _ids(found):
    return found.sessions, found.ids


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
def test_nothing_happened_before_1970_or_in_the_future(asked, workspace, zone):
    ends = {
        "old": ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
        "far": ("9999-12-30T00:00:00Z", "9999-12-31T23:59:59Z"),
        "both": ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    }
    for name, (start, end) in ends.items():
        workspace.add(name, start_time=start, end_time=end, generated_at=end)
    found = asked(zone=zone)
    latest = NOW + CLOCK_SKEW
    assert {session.id for session in found.sessions} == ends.keys()
    assert all(EPOCH <= moment <= latest for times in found.times for moment in times)
    hours = [one.hour for one in found.usage]
    assert -12 <= min(hours) <= max(hours) <= hour(latest.isoformat()) + 14
    assert all(-1 <= (one.day - EPOCH.date()).days <= hours[0] // 24 for one in found.calls)
    assert sum(one.money.usd for one in found.usage) == pytest.approx(3 * 0.1275)


def test_files_that_cant_be_read_are_counted(asked, workspace):
    workspace.add("good")
    workspace.raw("torn.json", b'{"metrics": {')
    found = asked(everywhere=False)
    assert ([one.id for one in found.sessions], found.skipped) == (["good"], 1)


def test_a_session_within_a_tracked_one_counts_as_part_of_it(asked, rad, workspace, resume):
    done = rad("session", "run", "--", *resume(2), cwd=workspace.root)
    assert done.returncode == 0, done.stderr
    found = asked(everywhere=False)
    (session,) = found.sessions
    assert [child.session_id for child in session.children] == ["resumed"]
    assert sum(one.requests for one in found.usage) == 2
    assert sum(one.calls.total for one in found.calls) == session.tool_calls == 2
