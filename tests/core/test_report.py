"""The report as Radium stores it: read, checked and written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from rad_lsp.core import document, report
from rad_lsp.core.money import Money
from rad_lsp.core.problems import Problem
from rad_lsp.core.report import Duration, Metrics, Report, Spending, Usage
from rad_lsp.core.session import Child
from rad_lsp.core.session import Usage as Usages
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.tool_calls import ToolCalls

U64_MAX = 18_446_744_073_709_551_615
USAGE = {
    "requests": 1,
    "input_tokens": 2,
    "output_tokens": 3,
    "cached_tokens": 4,
    "estimated_cost": 0.5,
}
ROW = {
    "start": "2025-12-07T09:00:00Z",
    "model": "m",
    "requests": 1,
    "input_tokens": 2,
    "output_tokens": 3,
}
GOLDEN = [
    ("generations", "gen-1"),
    ("generations", "gen-2"),
    ("generations", "gen-3-compact"),
    ("edge", "very-large"),
    ("edge", "still-running"),
    ("edge", "no-tool-calls"),
    ("edge", "cache-heavy"),
    ("edge", "\u00fcn\u00efcode-\u540d\u524d 1"),
]


def read(data):
    """The report in bytes that can be read."""
    found = report.read(data)
    assert isinstance(found, Report), found
    return found


def refused(data):
    """The problem of bytes that can't be read as a report."""
    found = report.read(data)
    assert isinstance(found, Problem), found
    return found


@pytest.fixture(scope="session")
def stored(golden):
    """A golden report's bytes."""
    return lambda folder, name: golden(
        folder, ".radium", "_internals", "sessions", f"{name}.json"
    ).read_bytes()


@pytest.fixture(scope="session")
def metrics(report_bytes):
    """The metrics read from a report with changes; fails when it can't be read."""

    return lambda **changes: read(report_bytes(**changes)).metrics


@pytest.fixture(scope="session")
def problem(report_bytes):
    """The problem of a report with changes, and the bytes it points at."""

    def found(**changes):
        data = report_bytes(**changes)
        problem = refused(data)
        assert problem.span
        return problem, data[slice(*problem.span)]

    return found


@pytest.mark.parametrize(("folder", "name"), GOLDEN)
def test_every_generation_is_read(stored, folder, name):
    assert read(stored(folder, name)).metrics.session_id == name


def test_what_older_generations_lack_is_empty(stored):
    first, second, third = (
        read(stored("generations", name)).metrics for name in ("gen-1", "gen-2", "gen-3-compact")
    )
    assert (first.tool_approvals_allowed, first.engine_usage) == (0, {})
    assert second.engine_usage == {}
    assert [*third.engine_usage] == ["gemini"]


@pytest.mark.parametrize("layout", [{"indent": None, "separators": (",", ":")}, {"indent": 7}])
def test_pretty_and_compact_reports_read_alike(report_dict, report_bytes, layout):
    data = json.dumps(report_dict(), **layout).encode()
    assert report.read(b"\n " + data + b"\r\n") == report.read(report_bytes())


def test_unknown_keys_at_any_depth_are_no_error(report_dict, report_bytes):
    extended = report_dict()
    new = {"deep": [{"null": None}, 1e99, -5, "\u540d", True]}
    extended["new"] = extended["metrics"]["new"] = new
    extended["metrics"]["wall_time"]["new"] = new
    extended["metrics"]["model_usage"]["gemini-3-pro-preview"]["new"] = new
    assert report.read(json.dumps(extended).encode()) == report.read(report_bytes())


@pytest.mark.parametrize(
    ("stored_duration", "nanoseconds"),
    [
        ({"secs": 14994, "nanos": 0}, 14_994_000_000_000),
        ([14994, 5], 14_994_000_000_005),
        ({"secs": 1, "nanos": 999_999_999}, 1_999_999_999),
        ({"secs": 1, "nanos": 1_000_000_000}, 2_000_000_000),
        ([0, 4_294_967_295], 4_294_967_295),
        ([U64_MAX, 999_999_999], 18_446_744_073_709_551_615_999_999_999),
    ],
)
def test_durations_are_read_in_both_shapes(metrics, stored_duration, nanoseconds):
    assert report.nanoseconds(metrics(wall_time=stored_duration).wall_time) == nanoseconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-12-07T09:00:00Z", datetime(2025, 12, 7, 9, tzinfo=UTC)),
        ("2025-12-07T11:00:00+02:00", datetime(2025, 12, 7, 9, tzinfo=UTC)),
        ("2025-12-07T00:30:00-08:30", datetime(2025, 12, 7, 9, tzinfo=UTC)),
        ("2025-12-07T09:00:00.5Z", datetime(2025, 12, 7, 9, 0, 0, 500_000, UTC)),
        ("2025-12-07T09:00:00.123456789Z", datetime(2025, 12, 7, 9, 0, 0, 123_457, UTC)),
    ],
)
def test_times_have_any_offset_and_up_to_nine_fraction_digits(metrics, text, moment):
    assert metrics(start_time=text).start_time == moment


def test_a_session_that_runs_has_no_end(metrics):
    assert metrics(end_time=None).end_time is None
    assert metrics(drop=["end_time"]).end_time is None


@pytest.mark.parametrize("key", ["tool_calls", "failed_tool_calls", "total_cache_read_tokens"])
def test_counts_go_to_the_largest_u64(metrics, key):
    assert getattr(metrics(**{key: U64_MAX}), key) == 18_446_744_073_709_551_615


def test_line_counts_go_through_all_of_i64(metrics):
    found = metrics(lines_added=2**63 - 1, lines_removed=-(2**63))
    assert (found.lines_added, found.lines_removed) == (2**63 - 1, -(2**63))


@pytest.mark.parametrize(("stored_files", "files"), [(4, 4), (None, None)])
def test_files_changed_is_read_where_it_is_there(metrics, stored_files, files):
    assert metrics(files_changed=stored_files).files_changed == files
    assert metrics().files_changed is UNSET


@pytest.mark.parametrize("cost", [0, -0.015, 1e-9, 12345])
def test_a_cost_is_any_number(metrics, cost):
    assert metrics(total_cost=cost).total_cost == cost


@pytest.mark.parametrize(
    "name",
    ["", " ", "mod\u00e8le/\u03b2", "\u540d\u524d", "\U0001f600", 'q"\\', "a\nb\0", "a.b[0]"],
)
def test_names_are_in_any_script(metrics, name):
    found = metrics(session_id=name, model_usage={name: USAGE}, engine_usage={name: USAGE})
    assert found.session_id == name
    assert [*found.model_usage] == [*found.engine_usage] == [name]


@pytest.mark.parametrize(
    "earlier",
    [
        '"tool_calls": 1',
        '"tool_calls": "many"',
        '"tool_calls": null',
        '"tool_calls": -1',
        '"tool_calls": 18446744073709551616',
        '"tool_calls": {"a": [1]}',
        '"wall_time": 5',
        '"model_usage": {"m": {}}',
        '"start_time": "never"',
    ],
)
def test_of_duplicate_keys_the_last_counts(report_bytes, earlier):
    data = report_bytes().replace(b'"session_id"', earlier.encode() + b', "session_id"')
    assert report.read(data) == report.read(report_bytes())


def test_a_last_duplicate_at_fault_is_the_one_pointed_at(report_bytes):
    data = report_bytes().replace(b'"tool_calls": 231', b'"tool_calls": 231, "tool_calls": "x"')
    found = refused(data)
    assert found.span
    assert found.message == "`metrics.tool_calls` must be a whole number, not text"
    assert data[slice(*found.span)] == b'"x"'


@pytest.mark.parametrize(
    ("data", "code", "message", "span"),
    [
        (b"", "empty", "The file is empty", (0, 0)),
        (b" \n\t", "empty", "The file is empty", (0, 3)),
        (b'\xef\xbb\xbf{"metrics"', "not-utf8", "The file begins with a byte order mark", (0, 3)),
        (b'\xff\xfe{\0"\0', "not-utf8", "The file is UTF-16, not UTF-8", (0, 2)),
        (b'\xfe\xff\0{\0"', "not-utf8", "The file is UTF-16, not UTF-8", (0, 2)),
        (b'{\0"\0', "not-utf8", "The file holds NUL bytes", (1, 2)),
        (b"\0\0\0\0", "not-utf8", "The file holds NUL bytes", (0, 1)),
        (b'{"a": "\xe9"}', "not-utf8", "The file is not valid UTF-8", (7, 8)),
        (b"hello", "not-json", "Not valid JSON: invalid character", (0, 1)),
        (b'{"a": 1,}', "not-json", "Not valid JSON: trailing comma in object", (8, 9)),
        (b'{"a": NaN}', "not-json", "Not valid JSON: invalid character", (6, 7)),
        (b'{"a": "\n"}', "not-json", "Not valid JSON: invalid character", (7, 8)),
        (b"{} {}", "not-json", "Not valid JSON: trailing characters", (3, 4)),
        (
            b'{"a": "\\ud83d"}',
            "not-json",
            "Not valid JSON: half of a surrogate pair in a string",
            (7, 13),
        ),
        (b"{", "truncated", "The file ends in the middle of the report", (0, 1)),
        (
            b'{"metrics": {"a": 1\n',
            "truncated",
            "The file ends in the middle of the report",
            (18, 19),
        ),
        (
            b'{"a": "\\ud83d\\ude00", "b',
            "truncated",
            "The file ends in the middle of the report",
            (23, 24),
        ),
        (
            b'{"a": "\\\\ud83d", "b',
            "truncated",
            "The file ends in the middle of the report",
            (18, 19),
        ),
        (b'{"a": "\xe5\x90', "truncated", "The file ends in the middle of the report", (8, 9)),
        (b"[]", "wrong-type", "The report must be an object, not an array", (0, 2)),
        (b" null ", "wrong-type", "The report must be an object, not null", (1, 5)),
        (b"{}", "missing-key", "`metrics` is missing", (0, 2)),
        (b'{"metrics": {}}', "missing-key", "`metrics.session_id` is missing", (12, 14)),
    ],
)
def test_what_cannot_be_read_is_named_and_located(data, code, message, span):
    assert report.read(data) == Problem(code, message, span=span, path=refused(data).path)


def test_bad_utf8_in_a_key_that_nobody_reads_is_a_problem(report_bytes):
    data = report_bytes().replace(b'"session_id"', b'"new": "\xff", "session_id"')
    assert refused(data).code == "not-utf8"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_are_told_apart_from_damage(report_bytes, codec):
    assert refused(report_bytes().decode().encode(codec)).code == "not-utf8"


@pytest.mark.parametrize(
    ("changes", "message", "at"),
    [
        ({"session_id": 5}, "`metrics.session_id` must be text, not a whole number", b"5"),
        ({"tool_calls": "9"}, "`metrics.tool_calls` must be a whole number, not text", b'"9"'),
        (
            {"tool_calls": True},
            "`metrics.tool_calls` must be a whole number, not true or false",
            b"true",
        ),
        ({"total_cost": "1"}, "`metrics.total_cost` must be a number, not text", b'"1"'),
        ({"total_cost": None}, "`metrics.total_cost` must be a number, not null", b"null"),
        (
            {"files_changed": "x"},
            "`metrics.files_changed` must be a whole number or null, not text",
            b'"x"',
        ),
        (
            {"wall_time": 7},
            "`metrics.wall_time` must be an object or an array, not a whole number",
            b"7",
        ),
        (
            {"wall_time": ["x", 1]},
            "`metrics.wall_time[0]` must be a whole number, not text",
            b'"x"',
        ),
        (
            {"wall_time": {"secs": None, "nanos": 1}},
            "`metrics.wall_time.secs` must be a whole number, not null",
            b"null",
        ),
        ({"model_usage": 3}, "`metrics.model_usage` must be an object, not a whole number", b"3"),
        (
            {"model_usage": {"a": USAGE, "b": 3}},
            "`metrics.model_usage.b` must be an object, not a whole number",
            b"3",
        ),
        (
            {"model_usage": {"a": USAGE, "gpt-5": USAGE | {"requests": "x"}}},
            '`metrics.model_usage["gpt-5"].requests` must be a whole number, not text',
            b'"x"',
        ),
        (
            {"model_usage": {"a.b[0]": USAGE | {"estimated_cost": []}}},
            '`metrics.model_usage["a.b[0]"].estimated_cost` must be a number, not an array',
            b"[]",
        ),
        (
            {"engine_usage": {"\u540d": USAGE | {"cached_tokens": {}}}},
            "`metrics.engine_usage.\u540d.cached_tokens` must be a whole number, not an object",
            b"{}",
        ),
        (
            {"start_time": "soon"},
            "`metrics.start_time` must be an RFC 3339 time such as 2025-12-07T09:00:00Z",
            b'"soon"',
        ),
        (
            {"end_time": "2025-12-07T09:00:00"},
            "`metrics.end_time` must be an RFC 3339 time such as 2025-12-07T09:00:00Z",
            b'"2025-12-07T09:00:00"',
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named_and_located(problem, changes, message, at):
    found, bytes_there = problem(**changes)
    assert (found.code, found.message, bytes_there) == ("wrong-type", message, at)


def test_a_fraction_is_no_whole_number(problem):
    found, there = problem(tool_calls=1.5)
    assert (found.code, there) == ("wrong-type", b"1.5")


@pytest.mark.parametrize("duration", [[1], [1, 2, 3], []])
def test_a_duration_has_two_parts(problem, duration):
    found, _ = problem(wall_time=duration)
    assert found.code == "wrong-type"
    assert found.path == ("metrics", "wall_time")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"tool_calls": -1}, ("tool_calls",)),
        ({"tool_calls": U64_MAX + 1}, ("tool_calls",)),
        ({"total_cache_read_tokens": 10**40}, ("total_cache_read_tokens",)),
        ({"files_changed": U64_MAX + 1}, ("files_changed",)),
        ({"lines_added": 2**63}, ("lines_added",)),
        ({"lines_removed": -(2**63) - 1}, ("lines_removed",)),
        ({"wall_time": {"secs": -1, "nanos": 0}}, ("wall_time", "secs")),
        ({"wall_time": [U64_MAX + 1, 0]}, ("wall_time", 0)),
        ({"api_time": {"secs": U64_MAX + 1, "nanos": 0}}, ("api_time", "secs")),
        ({"api_time": {"secs": U64_MAX, "nanos": 1_000_000_000}}, ("api_time", "secs")),
        ({"tool_time": {"secs": 0, "nanos": 2**32}}, ("tool_time", "nanos")),
        ({"model_usage": {"a": USAGE | {"requests": -5}}}, ("model_usage", "a", "requests")),
        (
            {"model_usage": {"a": USAGE, "b.c": USAGE | {"input_tokens": U64_MAX + 1}}},
            ("model_usage", "b.c", "input_tokens"),
        ),
        (
            {"engine_usage": {"a": USAGE | {"output_tokens": U64_MAX + 1}}},
            ("engine_usage", "a", "output_tokens"),
        ),
        (
            {"spending": [ROW, ROW | {"cache_read_tokens": U64_MAX + 1}]},
            ("spending", 1, "cache_read_tokens"),
        ),
        ({"spending": [ROW | {"requests": -1}]}, ("spending", 0, "requests")),
        (
            {"spending": [ROW | {"start": "0001-01-01T00:00:00+23:00"}]},
            ("spending", 0, "start"),
        ),
    ],
)
def test_a_number_out_of_range_is_named_and_located(problem, changes, path):
    found, there = problem(**changes)
    assert (found.code, found.path) == ("out-of-range", ("metrics", *path))
    assert found.message == f"`{document.dotted(found.path)}` is out of range"
    assert there


@pytest.mark.parametrize("spending", [[], [ROW, ROW | {"start": "2025-12-07T11:00:00+02:00"}]])
@pytest.mark.parametrize("warnings", [[], ["one", "two"]])
def test_our_own_keys_are_read_whatever_the_offset_of_times(metrics, spending, warnings):
    found = metrics(
        spending=spending, warnings=warnings, start_time="2025-12-07T11:00:00.123456789+02:00"
    )
    assert [row.start.timestamp() for row in found.spending] == [1_765_098_000] * len(spending)
    assert list(found.warnings) == warnings


@pytest.mark.parametrize("digits", ["1e400", "-1e400", "1" + "0" * 400, "-" + "9" * 5000])
def test_a_cost_beyond_every_float_is_out_of_range(report_bytes, digits):
    data = report_bytes().replace(b'"total_cost": 0.1275', b'"total_cost": ' + digits.encode())
    found = report.read(data)
    assert isinstance(found, Problem)
    assert (found.code, found.path) == ("out-of-range", ("metrics", "total_cost"))


def test_a_count_of_thousands_of_digits_is_out_of_range(report_bytes):
    data = report_bytes().replace(b'"tool_calls": 231', b'"tool_calls": ' + b"9" * 5000)
    assert refused(data).code == "out-of-range"


@pytest.mark.parametrize(
    "key", ["session_id", "start_time", "wall_time", "tool_calls", "model_usage", "total_cost"]
)
def test_a_missing_key_is_named(problem, key):
    found, there = problem(drop=[key])
    assert (found.code, found.path) == ("missing-key", ("metrics", key))
    assert found.message == f"`metrics.{key}` is missing"
    assert there.startswith(b"{")


def test_a_key_missing_in_an_entry_is_named(problem):
    found, there = problem(model_usage={"gpt-5": {"requests": 1}})
    assert found.message == '`metrics.model_usage["gpt-5"].input_tokens` is missing'
    assert json.loads(there) == {"requests": 1}


@pytest.mark.parametrize("data", [b"[" * 10_000, b'{"a":' * 10_000, b"[" * 10_000 + b"]" * 10_000])
def test_values_nested_ten_thousand_deep_are_a_problem(data):
    assert refused(data).code == "too-deep"


@pytest.mark.parametrize("end", [b"", b'"\\ud800', b"1,]"], ids=["cut", "half", "comma"])
def test_no_depth_is_too_much_for_a_broken_report(end):
    codes = {check(b"[" * depth + end).code for depth in range(500, 1200)}
    assert codes <= {"truncated", "not-json", "too-deep"}


def test_unknown_values_nested_ten_thousand_deep_are_a_problem(report_bytes):
    deep = b'"new": ' + b"[" * 10_000 + b"]" * 10_000
    found = refused(report_bytes().replace(b'"session_id"', deep + b', "session_id"'))
    assert (found.code, found.message) == ("too-deep", "Values are nested too deeply to be read")


def test_up_to_64_mib_are_read(report_bytes):
    data = report_bytes()
    padded = b" " * (67_108_864 - len(data)) + data
    assert isinstance(report.read(padded), Report)
    assert report.read(padded + b" ") == Problem(
        "too-large", "The file has 67,108,865 bytes, more than the 64 MiB that are read"
    )


@pytest.mark.parametrize(
    "name", ["\x1b[2J", "a\nb", "\u202e"], ids=["escape", "line-feed", "right-to-left"]
)
def test_a_problem_is_one_printable_line_whatever_the_names(problem, name):
    found, _ = problem(model_usage={name: {}})
    assert found.path == ("metrics", "model_usage", name, "requests")
    assert found.message.isprintable()


@pytest.mark.parametrize(("folder", "name"), GOLDEN[3:])
def test_reports_are_written_as_radium_writes_them(stored, folder, name):
    data = stored(folder, name)
    written = json.loads(report.encode(read(data)))
    assert list(written) == ["metrics", "generated_at"]
    assert list(written["metrics"]) == list(json.loads(data)["metrics"])
    assert read(report.encode(read(data))) == read(data)


def test_a_compact_report_is_one_line_and_a_pretty_one_has_two_spaces(report_bytes):
    found = read(report_bytes())
    assert report.encode(found, compact=True).startswith(b'{"metrics":{"session_id":"3c6ddcd3-')
    assert report.encode(found).startswith(b'{\n  "metrics": {\n    "session_id": "3c6ddcd3-')


def test_reformatting_keeps_every_value(report_dict):
    extended = report_dict(total_cost=1e-7, new={"big": 10**40, "text": "\u540d\\u0041"})
    data = json.dumps(extended, indent=4).encode()
    pretty, compact = report.reformat(data), report.reformat(data, indent=-1)
    assert json.loads(pretty) == json.loads(compact) == extended
    assert b"\n" not in compact
    assert pretty.startswith(b'{\n  "metrics": {\n    "session_id"')


u64 = st.integers(0, U64_MAX) | st.sampled_from([0, 2**53 + 1, U64_MAX])
money = st.floats(allow_nan=False, allow_infinity=False)
zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=8.5))])
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)  # noqa: DTZ001
nanos = st.integers(0, 2**32 - 1)
durations = st.builds(Duration, st.integers(0, U64_MAX - 4), nanos) | st.tuples(
    st.integers(0, U64_MAX - 4), nanos
)
usages = st.dictionaries(
    st.text(max_size=8), st.builds(Usage, u64, u64, u64, u64, money), max_size=3
)
lines = st.integers(-(2**63), 2**63 - 1)
rows = st.builds(
    Spending,
    start=times,
    model=st.text(max_size=8),
    engine=st.text(max_size=8),
    requests=u64,
    input_tokens=u64,
    cache_read_tokens=u64,
    output_tokens=u64,
    cost=st.none() | money,
    reported=st.booleans(),
)
reports = st.builds(
    Report,
    st.builds(
        Metrics,
        session_id=st.text(max_size=20),
        start_time=times,
        end_time=st.none() | times,
        **dict.fromkeys(("wall_time", "agent_active_time", "api_time", "tool_time"), durations),
        **dict.fromkeys(("tool_calls", "successful_tool_calls", "failed_tool_calls"), u64),
        tool_approvals_allowed=u64,
        tool_approvals_denied=u64,
        tool_approvals_asked=u64,
        lines_added=lines,
        lines_removed=lines,
        model_usage=usages,
        engine_usage=usages,
        total_cached_tokens=u64,
        total_cache_creation_tokens=u64,
        total_cache_read_tokens=u64,
        total_cost=money,
        files_changed=st.just(UNSET) | st.none() | u64,
        spending=st.just(UNSET) | st.lists(rows, max_size=2).map(tuple),
        warnings=st.just(UNSET) | st.lists(st.text(max_size=8), max_size=3).map(tuple),
    ),
    times,
)
json_values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


def check(data):
    """Reading gives a report, or a problem within the data."""
    found = report.read(data)
    if isinstance(found, Report):
        return found
    assert found.span
    start, end = found.span
    assert 0 <= start <= end <= len(data)
    assert found.message
    return found


@settings(max_examples=60)
@given(reports, st.booleans())
def test_what_is_written_is_read_back_the_same(written, compact):
    assert report.read(report.encode(written, compact=compact)) == written


@given(st.binary(max_size=100))
def test_any_bytes_are_a_report_or_a_problem_within_them(data):
    check(data)


@given(st.text(max_size=100))
def test_any_text_is_a_report_or_a_problem_within_it(text):
    check(text.encode())


@pytest.mark.parametrize(("folder", "name"), [GOLDEN[2], GOLDEN[-1]])
def test_a_report_cut_anywhere_is_truncated(stored, folder, name):
    data = stored(folder, name).rstrip()
    cuts = {size: check(data[:size]).code for size in range(1, len(data))}
    assert {size: code for size, code in cuts.items() if code != "truncated"} == {}


@settings(max_examples=150)
@given(st.sampled_from(GOLDEN), st.data())
def test_a_report_with_flipped_bytes_is_a_report_or_a_problem(stored, name, draw):
    data = bytearray(stored(*name))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    check(bytes(data))


@settings(max_examples=150)
@given(st.sampled_from(GOLDEN), st.data())
def test_reports_spliced_together_are_a_report_or_a_problem(stored, name, draw):
    data = stored(*name)
    start = draw.draw(st.integers(0, len(data)))
    end = draw.draw(st.integers(0, len(data)))
    inserted = draw.draw(json_values.map(json.dumps).map(str.encode) | st.binary(max_size=9))
    check(data[:start] + inserted + data[end:])


@settings(max_examples=250)
@given(st.data())
def test_a_value_at_fault_is_found_by_its_path(report_bytes, draw):
    data = report_bytes(files_changed=4, spending=[ROW], warnings=["one"])
    pair = draw.draw(st.sampled_from(document.pairs(data)))
    value = json.dumps(draw.draw(json_values)).encode()
    start, end = pair.value
    mutated = data[:start] + value + data[end:]
    found = check(mutated)
    if isinstance(found, Problem) and found.path:
        at = found.path[:-1] if found.code == "missing-key" else found.path
        assert document.locate(mutated, at) == found.span
        assert at[: len(pair.path)] == pair.path


def test_a_session_of_any_source_is_written_as_a_report(session, spending):
    models = (
        Usages("new", 3, 10, 5, 2, Money(None, 0, 3)),
        Usages("known", 1, 4, 1, 0, Money(0.5)),
    )
    problem = Problem("incomplete", "Counted in part", "information")
    rows = (spending(slot=1_961_220, model="new", cost=None), spending(cost=0.5))
    found = report.of(
        session(source="codex", cost=0.5, models=models, spending=rows, problems=(problem,),
                files_changed=2)
    )  # fmt: skip
    again = read(report.encode(found))
    assert again == found
    assert again.metrics.model_usage["new"] == Usage(3, 10, 5, 2, 0.0)
    assert again.metrics.engine_usage == {"e": Usage(4, 1000, 100, 150, 1.0)}
    assert again.metrics.spending
    assert [(row.start, row.cost) for row in again.metrics.spending] == [
        (datetime(2025, 12, 7, 9, tzinfo=UTC), None),
        (datetime(1970, 1, 1, 12, 30, tzinfo=UTC), 0.5),
    ]
    assert (again.metrics.warnings, again.metrics.source) == (("Counted in part",), "codex")
    assert (again.metrics.wall_time, again.metrics.files_changed) == (Duration(3600, 0), 2)
    assert report.of(session(cost=None)).metrics.total_cost == 0


def test_a_session_written_as_a_report_is_read_back_the_same(session, spending):
    rows = (
        spending(slot=1_961_220, tokens=Tokens(1, 2, 3, 4, 5), cost=0.75, requests=3),
        spending(slot=1_961_221, tier="batch", threshold=1000, reported=True, cost=0.25),
        spending(slot=1_961_221, model="b", cost=None, requests=2),
    )
    models = (
        Usages("a", 4, 11, 5, 2, Money(1.0)),
        Usages("b", 2, 0, 0, 0, Money(None, 0, 2)),
    )
    engines = (Usages("e", 6, 11, 5, 2, Money(1.0, 0, 2)),)
    made = session(money=Money(1.0, 0, 2), models=models, engines=engines, spending=rows,
                   children=(Child("codex", "c"),))  # fmt: skip
    assert report.session_of(report.of(made), made.source, made.path) == made


def test_a_cost_is_unknown_where_the_price_of_no_request_is_known(session, spending):
    rows = (spending(model="a", cost=None), spending(model="b", cost=0.0))
    models = (Usages("a", 1, money=Money(None)), Usages("b", 1, money=Money(0.0)))
    written = report.of(session(models=models, spending=rows, cost=None))
    assert [usage.estimated_cost for usage in written.metrics.model_usage.values()] == [0, 0]
    read = report.session_of(written, "radium", "/w/s.json")
    assert [usage.money for usage in read.models] == [Money(None, 0, 1), Money(0.0)]
    assert read.money == Money(0.0, 0, 1)
    alone = report.of(session(models=models[:1], spending=rows[:1], cost=None))
    assert report.session_of(alone, "radium", "/w/s.json").money == Money(None, 0, 1)


def test_without_rows_a_reports_cost_is_taken_as_exact(session):
    read = report.session_of(report.of(session()), "radium", session().path)
    assert read == session(files_changed=None)
    assert read.money == Money(1.0)


def test_a_report_is_shown_with_null_where_a_cost_is_not_known(session):
    a, b = session().models
    models = (msgspec.structs.replace(a, money=Money(None, 0, 1)), b)
    found = session(source="codex", models=models, engines=models[:1], money=Money(0.25, 0, 1))
    metrics = json.loads(report.shown(found))["metrics"]
    assert [usage["estimated_cost"] for usage in metrics["model_usage"].values()] == [None, 0.25]
    assert metrics["engine_usage"]["a"]["estimated_cost"] is None
    assert (metrics["total_cost"], metrics["cost_is_lower_bound"]) == (0.25, True)
    unknown = json.loads(report.shown(session(source="codex", cost=None)))["metrics"]
    assert unknown["total_cost"] is None
    assert "cost_is_lower_bound" not in unknown


def test_a_report_is_shown_as_it_is_stored_where_all_is_known(session):
    assert report.shown(session()) == report.encode(report.of(session()))


def test_the_number_of_unknown_outcomes_survives_in_a_report(session):
    found = session(unknown_tool_calls=3, files_changed=1)
    assert report.session_of(report.of(found), "radium", found.path) == found
    assert b"unknown_tool_calls" not in report.encode(report.of(session()))


def test_tool_calls_by_name_survive_in_a_report(session):
    rows = (
        ToolCalls(1_961_220, "", denied=1),
        ToolCalls(1_961_220, "bash", ok=7, failed=2, duration=2_500_000_000),
        ToolCalls(1_961_221, "名\0", ok=1),
    )
    found = session(calls_by_tool=rows, approvals_denied=1, files_changed=1)
    stored = report.of(found)
    assert report.session_of(stored, "radium", found.path) == found
    told = json.loads(report.encode(stored))["metrics"]["calls_by_tool"]
    assert told == [
        {"start": "2025-12-07T09:00:00Z", "denied": 1},
        {"start": "2025-12-07T09:00:00Z", "name": "bash", "ok": 7, "failed": 2,
         "duration": {"secs": 2, "nanos": 500_000_000}},
        {"start": "2025-12-07T09:15:00Z", "name": "名\0", "ok": 1},
    ]  # fmt: skip
    assert b"calls_by_tool" not in report.encode(report.of(session()))


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"ok": U64_MAX + 1}, "ok"),
        ({"failed": -1}, "failed"),
        ({"duration": {"secs": U64_MAX, "nanos": 1_000_000_000}}, "duration"),
        ({"start": "0001-01-01T00:00:00+23:00"}, "start"),
    ],
)
def test_tool_calls_by_name_out_of_range_are_a_problem(report_bytes, row, key):
    rows = [{"start": "2025-12-07T09:00:00Z"}, {"start": "2025-12-07T09:00:00Z"} | row]
    found = report.read(report_bytes(calls_by_tool=rows))
    assert isinstance(found, Problem)
    assert (found.code, found.path[:4]) == (
        "out-of-range", ("metrics", "calls_by_tool", 1, key)
    )  # fmt: skip
