"""Radium's reports: which files are reports, and what is read from them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.money import Money
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session, Usage
from rad_lsp.core.spending import SLOT_MS, SLOT_SECONDS, Spending
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import ToolRecord
from rad_lsp.sources import radium
from rad_lsp.sources.radium import Radium
from tests.sources.parsed import tools

needs_permissions = pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users here")


@pytest.fixture
def source(workspace):
    return Radium(workspace.root)


@pytest.fixture
def read(source):
    """What a parser has after a file."""

    def fed(path):
        parser = source.parser(str(path))
        parser.feed(Path(path).read_bytes())
        return parser

    return fed


@pytest.fixture
def content(read):
    """What is read from a file."""
    return lambda path: read(path).report


def test_a_report_becomes_a_session(golden):
    (path,) = Radium(golden("session")).paths()
    assert radium.parse(path, Path(path).read_bytes()) == Session(
        id="3c6ddcd3-85b6-48f1-88e1-f428ca458337",
        source="radium",
        path=path,
        start_time=datetime(2025, 12, 7, 9, 0, 0, 123_457, UTC),
        end_time=datetime(2025, 12, 7, 13, 9, 54, 123_457, UTC),
        generated_at=datetime(2025, 12, 7, 13, 9, 55, 500_000, UTC),
        wall_time=14_994_000_000_000,
        agent_active_time=10_397_000_000_000,
        api_time=4_182_000_000_000,
        tool_time=6_215_000_000_000,
        tool_calls=231,
        successful_tool_calls=214,
        failed_tool_calls=17,
        approvals_allowed=40,
        approvals_denied=2,
        approvals_asked=9,
        lines_added=505,
        lines_removed=208,
        files_changed=None,
        models=(
            Usage("gemini-2.5-flash-lite", 28, 60_389, 2_422, 5_000, Money(0.0025)),
            Usage("gemini-3-pro-preview", 168, 31_056_954, 44_268, 12_000, Money(0.125)),
        ),
        engines=(Usage("gemini", 196, 31_117_343, 46_690, 17_000, Money(0.1275)),),
        cached_tokens=17_000,
        cache_creation_tokens=4_000,
        cache_read_tokens=13_000,
        money=Money(0.1275),
    )


@pytest.mark.parametrize("folder", ["session", "history", "compare", "edge", "generations"])
def test_golden_reports_are_read_without_a_warning(golden, content, folder):
    sessions = [content(path) for path in Radium(golden(folder)).paths()]
    assert sessions
    assert [session.problems for session in sessions] == [()] * len(sessions)


def test_times_with_an_offset_are_kept_in_utc(workspace, content):
    path = workspace.add(
        "a", start_time="2025-12-07T11:00:00+02:00", end_time="2025-12-07T05:00:00-08:00"
    )
    session = content(path)
    assert session.start_time.isoformat() == "2025-12-07T09:00:00+00:00"
    assert session.end_time.isoformat() == "2025-12-07T13:00:00+00:00"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_that_utc_does_not_reach_is_out_of_range(workspace, content, text):
    found = content(workspace.add("a", start_time=text))
    assert isinstance(found, Problem)
    assert found.code == "out-of-range"


@pytest.mark.parametrize(("stored", "files"), [(4, 4), (0, 0), (None, None)])
def test_files_changed_are_known_where_they_are_written(workspace, content, stored, files):
    assert content(workspace.add("a", files_changed=stored)).files_changed == files


def test_contradictions_are_warnings_of_the_session(workspace, content):
    session = content(workspace.add("a", failed_tool_calls=99))
    assert [problem.code for problem in session.problems] == ["tool-calls-mismatch"]


def test_a_file_named_otherwise_is_read_with_a_warning(workspace, content, report_bytes):
    session = content(workspace.raw("copy.json", report_bytes(session_id="a")))
    assert session.id == "a"
    assert [problem.code for problem in session.problems] == ["id-mismatch"]


def test_only_json_files_directly_in_the_folder_are_reports(workspace, source):
    workspace.add("a")
    workspace.raw("b.tmp.0b0e", b"")
    workspace.raw("notes.txt", b"")
    (workspace.sessions / "c").mkdir()
    workspace.raw("c/session.json", b"{}")
    inner = workspace.sessions / "c.json"
    inner.mkdir()
    workspace.raw("c.json/d.json", b"{}")
    a = str(workspace.sessions / "a.json")
    assert sorted(source.paths()) == [a, str(inner)]
    assert source.stands_alone(a)
    assert not source.by_line(a)
    for other in ("b.tmp.0b0e", "c/session.json", "c.json/d.json"):
        assert not source.stands_alone(str(workspace.sessions / other))
    assert not source.stands_alone(str(workspace.root / "a.json"))


def test_without_a_folder_there_are_no_reports(tmp_path):
    assert list(Radium(tmp_path).paths()) == []


def test_a_file_in_the_folders_place_holds_no_reports(tmp_path):
    (tmp_path / ".radium").write_text("")
    assert list(Radium(tmp_path).paths()) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/w/.radium/_internals/sessions/a.json", True),
        ("/w/.radium/_internals/sessions/\u540d 1.json", True),
        ("/w/.radium/_internals/sessions/a/session.json", False),
        ("/w/.radium/_internals/sessions/a.tmp.0b0e", False),
        ("/w/.radium/_internals/sessions/a.jsonl", False),
        ("/w/.radium/_internals/a.json", False),
        ("/w/sessions/a.json", False),
        ("a.json", False),
    ],
)
def test_what_is_a_report_by_its_path(path, expected):
    assert radium.is_report(path) is expected


@needs_permissions
def test_a_folder_that_may_not_be_read_is_an_error(open_folder, as_no_one):
    source = Radium(open_folder)
    source.folders[0].mkdir(parents=True)
    (open_folder / ".radium").chmod(0o700)
    with as_no_one(), pytest.raises(PermissionError):
        list(source.paths())


def test_a_report_that_is_not_stored_yet_is_parsed_alike(report_bytes):
    session = radium.parse("/w/a.json", report_bytes(session_id="a"))
    assert isinstance(session, Session)
    assert (session.id, session.path, session.problems) == ("a", "/w/a.json", ())
    problem = radium.parse("/w/a.json", b"")
    assert isinstance(problem, Problem)
    assert problem.code == "empty"


def test_our_own_reports_tell_when_the_money_went(workspace, content, stored_row):
    row = stored_row(
        start="2025-12-07T09:15:00Z", engine="e", tier="batch", threshold=200_000, requests=2,
        cache_read_tokens=5, cache_write_5m_tokens=6, cache_write_1h_tokens=7, cost=0.5,
        reported=True,
    )  # fmt: skip
    found = content(workspace.add("a", spending=[row, stored_row(cost=0.25)]))
    slot = 1_765_098_900 // SLOT_SECONDS
    tokens = Tokens(982, 5, 6, 7, 10)
    assert found.spending == (
        Spending(slot, "m", "e", "batch", 200_000, True, 2, tokens, Money(0.5)),  # noqa: FBT003
        Spending(slot - 1, "m", "", "", 0, False, 1, Tokens(1000, output=10), Money(0.25)),  # noqa: FBT003
    )
    assert content(workspace.add("b")).spending == ()


def test_a_cost_without_a_price_is_none_and_not_the_zero_that_a_report_has(
    workspace, content, stored_row
):
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    models = {name: usage | {"estimated_cost": 0.0} for name in ("known", "new")}
    rows = [stored_row(model="new", engine="e")]
    found = content(workspace.add("a", total_cost=0.0, model_usage=models, spending=rows))
    assert found.cost is None
    assert [(row.name, row.cost, row.money.unpriced) for row in found.models] == [
        ("known", 0.0, 0),
        ("new", None, 1),
    ]
    (problem,) = found.problems
    assert (problem.code, problem.severity) == ("unpriced", "information")
    rows.append(stored_row(model="known", cost=0.0))
    assert content(workspace.add("a", total_cost=0.0, model_usage=models, spending=rows)).cost == 0


def test_what_our_own_reports_could_not_count_is_information(workspace, content):
    found = content(workspace.add("a", warnings=["Lines of 1 file are not known"]))
    (problem,) = found.problems
    assert (problem.code, problem.severity) == ("incomplete", "information")
    assert (problem.message, problem.path) == (
        "Lines of 1 file are not known",
        ("metrics", "warnings"),
    )


def test_what_a_report_says_of_itself_is_not_said_twice(workspace, content, stored_row):
    unpriced = "No price is known for 1 request to m: not in the cost"
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    found = content(
        workspace.add("a", total_cost=0.0, model_usage={"m": usage | {"estimated_cost": 0.0}},
                      spending=[stored_row()], warnings=[unpriced, "Another"])
    )  # fmt: skip
    assert [problem.message for problem in found.problems] == [unpriced, "Another"]


def test_a_report_that_can_not_be_read_has_a_problem_and_nothing_else(workspace, read):
    parser = read(workspace.raw("a.json", b"{"))
    assert isinstance(parser.report, Problem)
    assert (parser.requests, parser.tools, parser.facts) == ({}, {}, {})
    assert (parser.progress.skipped, parser.progress.first_skipped, parser.state()) == (0, [], b"")


LAST = 1_765_112_994_123
"""When the sample report's session ended, in milliseconds."""


def test_tool_calls_are_sums_by_outcome_without_names_at_the_last_activity(workspace, read):
    parser = read(workspace.add("a"))
    assert tools(parser) == [
        ToolRecord("a", "", LAST, None, "ok", 214, is_sum=True),
        ToolRecord("a", "", LAST, None, "failed", 17, is_sum=True),
        ToolRecord("a", "", LAST, None, "denied", 2, is_sum=True),
    ]
    none = {"tool_calls": 0, "successful_tool_calls": 0, "failed_tool_calls": 0}
    assert read(workspace.add("a", **none, tool_approvals_denied=0)).tools == {}


def test_requests_are_sums_by_model_at_the_last_activity(workspace, read):
    parser = read(workspace.add("a"))
    records = list(parser.requests.values())
    assert {record.session_id for record in records} == {"a"}
    assert all(record.is_sum and record.billed and record.final for record in records)
    assert [
        (one.model, one.engine, one.requests, one.cost, one.time)
        for one in (record.request for record in records)
    ] == [
        ("gemini-2.5-flash-lite", "gemini", 28, 0.0025, LAST // SLOT_MS * SLOT_MS),
        ("gemini-3-pro-preview", "gemini", 168, 0.125, LAST // SLOT_MS * SLOT_MS),
    ]
    tokens = sum([record.request.tokens for record in records], Tokens())
    assert (tokens.input, tokens.output) == (31_117_343, 46_690)
    assert (tokens.cache_read, tokens.cache_write) == (13_000, 4_000)


def test_requests_of_our_own_reports_are_their_rows(workspace, read, stored_row):
    rows = [
        stored_row(engine="e", tier="batch", requests=2, cache_read_tokens=5, cost=0.5),
        stored_row(model="new"),
    ]
    parser = read(workspace.add("a", spending=rows, total_cost=0.5))
    known, new = parser.requests.values()
    assert known.request.time == 1_765_098_000_000
    assert (known.request.engine, known.request.tier) == ("e", "batch")
    assert (known.request.requests, known.request.cost, known.billed) == (2, 0.5, True)
    assert known.request.tokens == Tokens(995, 5, output=10)
    assert (new.request.model, new.request.cost, new.billed) == ("new", None, False)
    assert known.is_sum
    assert new.is_sum


def test_what_a_report_costs_beyond_its_models_is_of_no_model(workspace, read):
    *_, rest = read(workspace.add("a", total_cost=5.1275)).requests.values()
    assert (rest.request.model, rest.request.requests, rest.request.time) == ("", 0, LAST)
    assert rest.request.cost == pytest.approx(5)
    assert (rest.request.tokens, rest.billed, rest.is_sum) == (Tokens(), True, True)
    *_, less = read(workspace.add("a", total_cost=0.0)).requests.values()
    assert less.request.cost == pytest.approx(-0.1275)


def test_each_sum_of_a_report_is_a_request_of_its_own(workspace, read):
    parser = read(workspace.add("a", total_cost=5.0))
    assert [(record.key, record.variant) for record in parser.requests.values()] == [
        ("", "0"),
        ("", "1"),
        ("", "2"),
    ]
    assert list(parser.requests) == [("", "0"), ("", "1"), ("", "2")]


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data):
    parser = Radium(Path("w")).parser("/w/a.json")
    parser.feed(data)
    assert parser.report is not None


def test_the_first_hundred_of_a_reports_warnings_are_kept_and_the_others_counted(
    workspace, content
):
    said = [f"Warning {number}" for number in range(10_000)]
    kept = [problem.message for problem in content(workspace.add("a", warnings=said)).problems]
    assert kept[-101:] == [*said[:100], "The report has 9,900 more warnings"]


NAMED = {"start": "2025-12-07T10:00:00Z", "name": "bash"}
SLOT_10 = 1_765_101_600_000
"""The start of these calls, in milliseconds."""


def test_tool_calls_have_the_names_and_times_that_a_report_tells(workspace, read):
    row = NAMED | {"ok": 210, "failed": 17, "duration": {"secs": 4, "nanos": 500_000_000}}
    parser = read(workspace.add("a", calls_by_tool=[row, {**NAMED, "name": "rm", "denied": 2}]))
    assert tools(parser) == [
        ToolRecord("a", "bash", SLOT_10, 4_500, "ok", 210, is_sum=True),
        ToolRecord("a", "bash", SLOT_10, None, "failed", 17, is_sum=True),
        ToolRecord("a", "rm", SLOT_10, 0, "denied", 2, is_sum=True),
        ToolRecord("a", "", LAST, None, "ok", 4, is_sum=True),
    ]
    assert parser.report.problems == ()


def test_tool_calls_by_name_that_contradict_the_totals_are_not_believed(workspace, read):
    parser = read(workspace.add("a", calls_by_tool=[NAMED | {"ok": 214, "failed": 18}]))
    assert tools(parser) == tools(read(workspace.add("a")))
    assert [problem.code for problem in parser.report.problems] == ["tool-calls-mismatch"]


@pytest.mark.parametrize(
    ("start", "counted"),
    [("1970-01-01T00:00:00Z", 1_765_098_000_000), ("9999-01-01T00:00:00Z", LAST)],
)
def test_tool_calls_count_within_their_session(workspace, read, start, counted):
    parser = read(workspace.add("a", calls_by_tool=[NAMED | {"start": start, "ok": 1}]))
    assert tools(parser)[0].start == counted


def test_tool_calls_of_which_the_outcome_is_unknown_are_told_apart(workspace, read):
    parser = read(workspace.add("a", unknown_tool_calls=14))
    assert [(tool.outcome, tool.calls) for tool in tools(parser)] == [
        ("ok", 200), ("failed", 17), ("denied", 2), ("unknown", 14)
    ]  # fmt: skip
