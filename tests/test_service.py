"""The use cases over a snapshot, and the writing of outputs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from rad_lsp import service
from rad_lsp.core.budget import Budget, Passed
from rad_lsp.core.errors import (
    NoPreviousSession,
    NoSessions,
    OutputExists,
    OutputNotWritable,
    SessionAmbiguous,
    SessionNotFound,
    SessionUnreadable,
)
from rad_lsp.core.money import Money
from rad_lsp.core.period import Period
from rad_lsp.core.price import Override
from rad_lsp.core.session import Child
from rad_lsp.pricing import Prices
from rad_lsp.service import Sum
from rad_lsp.store.snapshot import Snapshot

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 12, 7, 20, tzinfo=UTC)
A, B = "3c6ddcd3-85b6-48f1-88e1-f428ca458337", "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture
def snapshot(workspace, reports_of):
    """The snapshot of the workspace as it is now."""
    return lambda: reports_of(workspace.root)


@pytest.fixture(scope="session")
def history(golden, reports_of):
    return reports_of(golden("history"))


def test_without_a_reference_it_is_the_most_recent_session(history):
    assert service.session(history, None).id == A
    assert service.session(history, "a1b").id == B
    assert service.session(history, "latest~1").id == B


def test_an_empty_reference_is_not_the_most_recent(history):
    with pytest.raises(SessionNotFound):
        service.session(history, "")


def test_without_sessions_there_is_none_to_show():
    for reference in (None, "latest", "x"):
        with pytest.raises(NoSessions):
            service.session(Snapshot(), reference)


def test_usage_is_of_all_sessions_or_of_one(history):
    assert service.usage(history, "model").total.requests == 267
    assert service.usage(history, "model", "a1b").total.requests == 99
    assert service.usage(history, "engine").rows[0].name == "gemini"
    assert service.usage(Snapshot(), "model").rows == ()


def test_usage_within_a_period_counts_sessions_by_their_last_activity(history):
    since = Period(datetime(2025, 12, 7, tzinfo=UTC), None)
    assert service.usage(history, "model", within=since).total.requests == 168


def test_history_comes_in_pages(workspace, snapshot):
    for hour in range(5):
        workspace.add(f"s{hour}", end_time=f"2025-12-07T{hour:02}:00:00Z")
    found = snapshot()

    def ids(**options):
        return [session.id for session in service.history(found, **options).sessions]

    assert ids(limit=2) == ["s4", "s3"]
    assert ids(limit=2, offset=3) == ["s1", "s0"]
    assert ids(limit=10, offset=4) == ["s0"]
    assert ids(limit=10, offset=5) == []
    within = Period(datetime(2025, 12, 7, 1, tzinfo=UTC), datetime(2025, 12, 7, 3, tzinfo=UTC))
    assert ids(limit=10, within=within) == ["s2", "s1"]
    assert service.history(found, 1, within=within).total == 2
    assert service.history(found, 1, offset=99).total == 5


def test_a_comparison_names_both_sessions_by_the_rules_of_ids(history):
    found = service.compare(history, "latest~1", "latest")
    assert (found.a.id, found.b.id) == (B, A)
    with pytest.raises(SessionNotFound):
        service.compare(history, "latest", "nope")


def test_a_comparison_without_a_session_a_is_with_the_one_before(history):
    found = service.compare(history, None, "latest")
    assert (found.a.id, found.b.id) == (B, A)
    with pytest.raises(NoPreviousSession):
        service.compare(history, None, B)
    with pytest.raises(SessionNotFound):
        service.compare(history, None, "nope")
    with pytest.raises(NoSessions):
        service.compare(Snapshot(), None, "latest")


def test_an_ambiguous_id_is_not_guessed(workspace, snapshot):
    workspace.add("aa")
    workspace.add("ab")
    with pytest.raises(SessionAmbiguous):
        service.session(snapshot(), "a")


def test_a_status_sums_all_sessions_and_todays(history):
    found = service.status(history, NOW, UTC)
    assert found.session
    assert found.session.id == A
    assert (found.totals.sessions, found.totals.tool_calls) == (2, 376)
    assert found.totals.cost == pytest.approx(0.21)
    assert not found.totals.money.is_lower_bound
    assert found.totals.success_rate == pytest.approx(93.6170212)
    today = found.today
    assert (today.sessions, today.money, today.tool_calls) == (1, Money(0.125), 231)
    assert today.success_rate == pytest.approx(92.6406926)
    assert (found.skipped, found.warning, found.passed) == (0, False, ())


def test_today_is_the_users_day(workspace, snapshot):
    workspace.add("a", end_time="2025-12-07T22:59:59Z", total_cost=1.0)
    workspace.add("b", end_time="2025-12-07T23:00:00Z", total_cost=2.0)
    late = datetime(2025, 12, 7, 23, 30, tzinfo=UTC)
    assert service.status(snapshot(), late, BERLIN).today.cost == 2.0
    assert service.status(snapshot(), late, UTC).today.cost == 3.0


def test_a_status_without_sessions_has_no_figures():
    found = service.status(Snapshot(), NOW, UTC)
    assert (found.session, found.totals) == (None, Sum(0, Money(0.0), 0, None))
    assert not found.warning


def test_a_status_warns_of_files_skipped(workspace, snapshot):
    workspace.add("a")
    workspace.raw("b.json", b"")
    found = service.status(snapshot(), NOW, UTC)
    assert (found.skipped, found.warning) == (1, True)


def test_a_status_warns_of_figures_that_contradict(workspace, snapshot):
    workspace.add("a", failed_tool_calls=99)
    assert service.status(snapshot(), NOW, UTC).warning


def test_a_status_warns_of_a_budget_that_is_passed(history):
    found = service.status(history, NOW, UTC, Budget(session=0.1, day=0.2, week=0.2, month=5))
    assert [(passed.name, passed.spent.usd, passed.limit) for passed in found.passed] == [
        ("session", 0.125, 0.1),
        ("week", pytest.approx(0.21), 0.2),
    ]
    assert found.warning


@pytest.fixture
def spend(workspace, stored_row):
    """Adds a session of ours whose requests, a start and a cost each, are known."""

    def add(session_id, *requests, **changes):
        rows = [stored_row(start=start, cost=cost) for start, cost in requests]
        total = sum(cost or 0 for _, cost in requests)
        models = {"m": {"requests": len(rows), "input_tokens": 1, "output_tokens": 1,
                        "cached_tokens": 0, "estimated_cost": total}}  # fmt: skip
        changes = {"total_cost": total, "model_usage": models, **changes}
        workspace.add(session_id, spending=rows, **changes)

    return add


def test_money_belongs_to_the_day_of_each_request(spend, workspace, snapshot):
    start, end = "2025-12-05T22:00:00Z", "2025-12-07T01:00:00Z"
    spend(
        "long",
        ("2025-12-05T22:45:00Z", 1.0),
        ("2025-12-05T23:00:00Z", 2.0),
        ("2025-12-06T22:45:00Z", 4.0),
        ("2025-12-06T23:00:00Z", 8.0),
        start_time=start,
        end_time=end,
    )
    workspace.add("sums", start_time=start, end_time=end, total_cost=100.0)
    found = snapshot()

    def today(moment, zone):
        status = service.status(found, datetime.fromisoformat(moment), zone)
        return status.today.cost, status.today.sessions

    assert today("2025-12-05T23:30:00+01:00", BERLIN) == (1.0, 0)
    assert today("2025-12-06T12:00:00+01:00", BERLIN) == (6.0, 0)
    assert today("2025-12-07T12:00:00+01:00", BERLIN) == (108.0, 2)
    assert today("2025-12-05T12:00:00+00:00", UTC) == (3.0, 0)
    assert today("2025-12-06T12:00:00+00:00", UTC) == (12.0, 0)
    assert today("2025-12-08T12:00:00+00:00", UTC) == (0.0, 0)


@pytest.mark.parametrize(
    ("day", "quarters"), [("2026-03-28", 96), ("2026-03-29", 92), ("2026-10-25", 100)]
)
def test_a_day_has_as_many_hours_as_it_has(spend, snapshot, day, quarters):
    begin = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    moments = [begin + timedelta(minutes=15 * n) for n in range(-4, quarters + 4)]
    requests = [(f"{moment:%Y-%m-%dT%H:%M:%SZ}", 1.0) for moment in moments]
    spend("s", *requests, start_time=requests[0][0], end_time=requests[-1][0])
    noon = begin + timedelta(hours=12)
    assert service.status(snapshot(), noon, BERLIN).today.cost == quarters


def test_budgets_go_by_the_day_of_each_request(spend, snapshot):
    # A Sunday's and a Monday's requests, in Berlin.
    spend("s", ("2025-12-07T22:45:00Z", 5.0), ("2025-12-07T23:00:00Z", 1.0),
          end_time="2025-12-07T23:10:00Z")  # fmt: skip
    monday = datetime(2025, 12, 8, 9, tzinfo=UTC)
    limits = Budget(session=5.5, day=0.5, week=0.5, month=5.5)
    passed = {
        p.name: p.spent.usd for p in service.status(snapshot(), monday, BERLIN, limits).passed
    }
    assert passed == {"session": 6.0, "day": 1.0, "week": 1.0, "month": 6.0}


def test_money_of_which_no_price_is_known_is_not_zero(spend, snapshot):
    spend("new", ("2025-12-07T09:00:00Z", None))
    found = service.status(snapshot(), NOW, UTC, Budget(session=0, day=0))
    assert found.session
    assert (found.session.cost, found.today.cost, found.totals.cost) == (None, None, None)
    assert found.passed == ()
    spend("old", ("2025-12-07T09:00:00Z", 0.5), end_time="2025-12-07T09:01:00Z")
    found = service.status(snapshot(), NOW, UTC, Budget(day=0.25))
    assert (found.today.cost, found.totals.cost) == (0.5, 0.5)
    assert found.passed == (Passed("day", Money(0.5, 0, 1), 0.25),)


def test_a_success_rate_of_all_sessions_is_that_of_known_outcomes(workspace, snapshot):
    calls = {"tool_calls": 10, "successful_tool_calls": 9, "failed_tool_calls": 1}
    workspace.add("a", **calls)
    workspace.add("b", **calls, unknown_tool_calls=8)
    totals = service.status(snapshot(), NOW, UTC).totals
    assert (totals.tool_calls, totals.unknown_tool_calls) == (20, 8)
    assert totals.success_rate == pytest.approx(100 * 10 / 12)


def test_what_is_only_for_information_is_no_warning(spend, workspace, snapshot):
    spend("new", ("2025-12-07T09:00:00Z", None))
    found = service.status(snapshot(), NOW, UTC)
    assert found.session
    assert [problem.severity for problem in found.session.problems] == ["information"]
    assert not found.warning
    workspace.add("newer", end_time="2025-12-07T19:00:00Z", warnings=["Counted in part"])
    assert not service.status(snapshot(), NOW, UTC).warning


def test_a_cost_is_explained_of_one_session_or_of_all_within_a_period(spend, snapshot):
    spend("a", ("2025-12-06T09:00:00Z", 1.0), end_time="2025-12-06T10:00:00Z")
    spend("b", ("2025-12-07T09:00:00Z", 2.0), ("2025-12-07T09:00:00Z", 4.0))
    found, prices = snapshot(), Prices({"m": Override(1000, 10_000)})
    assert service.cost(found, prices).cost == 7.0
    assert service.cost(found, prices).computed == pytest.approx(3 * 1.1)
    assert service.cost(found, prices, "a").cost == 1.0
    since = Period(datetime(2025, 12, 7, tzinfo=UTC), None)
    assert service.cost(found, prices, within=since).rows[0].requests == 2
    with pytest.raises(SessionNotFound):
        service.cost(found, prices, "nope")
    with pytest.raises(NoSessions):
        service.cost(Snapshot(), prices, "a")
    assert service.cost(Snapshot(), prices).sessions == 0


def test_savings_need_a_price(workspace, snapshot):
    workspace.add("a", model_usage={"m": {"requests": 1, "input_tokens": 20_000,
                  "output_tokens": 1, "cached_tokens": 13_000, "estimated_cost": 1}})  # fmt: skip
    found = snapshot().latest()
    own = Prices({"m": Override(10, 1, cache_read=1, cache_write_5m=20)})
    # 13,000 read x ($10 - $1) - 4,000 created x ($20 - $10).
    assert service.savings(found, own).usd == pytest.approx(0.077)
    assert service.savings(found, Prices()).usd is None


def test_a_stored_report_is_handed_on_as_it_is(workspace, snapshot, report_bytes):
    workspace.add("a", new={"unknown": [1e9]})
    found = service.stored(snapshot().latest())
    assert found == report_bytes(session_id="a", new={"unknown": [1e9]})


def test_a_session_of_another_agent_and_one_with_such_within_it_are_handed_on_as_shown(
    workspace, snapshot
):
    workspace.add("a", total_cost=0.5)
    report = snapshot().latest()
    unknown = replace(report, money=Money(None), models=(), engines=())
    agent = replace(unknown, source="codex")
    tracked = replace(unknown, children=(Child("codex", "c"),))
    for found in (agent, tracked):
        assert json.loads(service.stored(found))["metrics"]["total_cost"] is None
    assert json.loads(service.stored(unknown))["metrics"]["total_cost"] == 0.5


def test_a_stored_report_that_is_gone_or_broken_says_so(workspace, snapshot):
    path = workspace.add("a")
    session = snapshot().latest()
    path.write_bytes(b"{")
    with pytest.raises(SessionUnreadable, match="ends in the middle of the report") as raised:
        service.stored(session)
    assert raised.value.data["path"] == str(path)
    path.unlink()
    with pytest.raises(SessionUnreadable, match="it has been deleted"):
        service.stored(session)


@pytest.fixture
def folder(tmp_path):
    """A folder to write to."""
    made = tmp_path / "out"
    made.mkdir()
    return made


def failing(error, *chunks):
    yield from chunks
    raise error


def test_an_output_that_exists_is_kept_unless_overwriting_is_asked_for(folder):
    path = folder / "o.csv"
    path.write_bytes(b"old")
    with pytest.raises(OutputExists, match="exists already"):
        service.write(path, [b"new"], overwrite=False)
    assert path.read_bytes() == b"old"
    assert service.write(path, [b"new!"], overwrite=True) == 4
    assert path.read_bytes() == b"new!"


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_is_not_written_over(folder, overwrite):
    (folder / "o.csv").mkdir()
    with pytest.raises(OutputNotWritable, match="it is a folder"):
        service.write(folder / "o.csv", [b"x"], overwrite=overwrite)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_not_written_over(folder):
    os.mkfifo(folder / "o.csv")
    with pytest.raises(OutputNotWritable, match="it is not a regular file"):
        service.write(folder / "o.csv", [b"x"], overwrite=True)
    assert (folder / "o.csv").is_fifo()


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices here")
def test_a_device_is_not_written_over(folder):
    (folder / "null").symlink_to("/dev/null")
    for path in (Path("/dev/null"), folder / "null"):
        with pytest.raises(OutputNotWritable, match="it is not a regular file"):
            service.write(path, [b"x"], overwrite=True)
    assert Path("/dev/null").is_char_device()


def test_a_missing_folder_is_named(folder):
    with pytest.raises(OutputNotWritable) as raised:
        service.write(folder / "no" / "o.csv", [b"x"], overwrite=False)
    assert raised.value.data["reason"] == f"the folder {folder / 'no'} does not exist"


def test_a_file_in_a_folders_place_cannot_be_written_below(folder):
    (folder / "no").write_bytes(b"")
    with pytest.raises(OutputNotWritable, match="not a directory"):
        service.write(folder / "no" / "o.csv", [b"x"], overwrite=False)


def test_what_the_chunks_raise_is_raised(folder):
    unreadable = SessionUnreadable("a.json", "it has been deleted")
    with pytest.raises(SessionUnreadable):
        service.write(folder / "o.csv", failing(unreadable, b"part"), overwrite=False)


def test_a_full_disk_is_said_in_a_sentence(folder):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OutputNotWritable, match=r"can't be written: no space left on device\.$"):
        service.write(folder / "o.csv", failing(full), overwrite=False)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300], ids=["nul", "long"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_name_that_no_file_may_have_is_refused(folder, name, overwrite):
    with pytest.raises(OutputNotWritable):
        service.write(folder / name, [b"x"], overwrite=overwrite)


def test_links_in_a_circle_are_never_followed_forever(folder):
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(OutputExists):
        service.write(folder / "a", [b"x"], overwrite=False)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users here")
@pytest.mark.parametrize("mode", [0o000, 0o555])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_that_may_not_be_written_to_is_an_error_for_the_user(mode, overwrite):
    closed = Path(tempfile.mkdtemp())
    closed.chmod(mode)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        with pytest.raises(OutputNotWritable, match="permission denied"):
            service.write(closed / "o.csv", [b"x"], overwrite=overwrite)
    finally:
        os.seteuid(user)
        closed.chmod(0o700)
        shutil.rmtree(closed)
