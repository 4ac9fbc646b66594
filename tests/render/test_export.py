"""Exports: JSON value for value, CSV that reads back, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json

import pytest
from msgspec.structs import replace

from rad_lsp.core.errors import SessionUnreadable
from rad_lsp.render import export

FIELDS = [
    "session_id", "source", "uri", "start_time", "end_time", "generated_at", "last_activity",
    "running", "wall_time", "agent_active_time", "api_time", "tool_time", "tool_calls",
    "successful_tool_calls", "failed_tool_calls", "success_rate", "lines_added", "lines_removed",
    "files_changed", "requests", "input_tokens", "output_tokens", "cached_tokens",
    "cache_hit_rate", "cost", "models", "project", "branch",
]  # fmt: skip


@pytest.fixture(scope="session")
def table(now):
    """The rows of an export as the csv module reads them, by column."""

    def read(sessions, write=export.csv_sessions):
        text = b"".join(write(sessions, now)).decode("utf-8")
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))

    return read


def test_csv_has_the_wires_columns_and_ends_lines_as_rfc_4180_says(session, now):
    data = b"".join(export.csv_sessions([session()], now))
    header, row, end = data.split(b"\r\n")
    assert header.decode().split(",") == FIELDS
    assert row.startswith(b"s,radium,file:///w/s.json,2025-12-07T09:00:00.123457Z,")
    assert end == b""


def test_csv_values_are_those_of_the_session(session, table):
    place = {"project": "/srv/quilt", "branch": "main"}
    (row,) = table([replace(session(files_changed=4), **place)])
    assert row | {"uri": "", "cache_hit_rate": ""} == dict(
        zip(
            FIELDS,
            [
                "s", "radium", "", "2025-12-07T09:00:00.123457Z", "2025-12-07T13:09:54.123457Z",
                "2025-12-07T13:09:55.500000Z", "2025-12-07T13:09:54.123457Z", "false", "14994.0",
                "10397.0", "4182.0", "6215.0", "231", "214", "17", "92.64069264069263", "505",
                "208", "4", "196", "31117343", "46690", "17000", "", "0.1275",
                "gemini-2.5-flash-lite;gemini-3-pro-preview", "/srv/quilt", "main",
            ],
            strict=True,
        )
    )  # fmt: skip
    assert float(row["cache_hit_rate"]) == pytest.approx(0.0417773, abs=1e-7)


def test_what_is_not_there_is_an_empty_cell(session, table):
    (row,) = table([session(end_time=None, tool_calls=0, model_usage={})])
    empty = ("end_time", "success_rate", "files_changed", "cache_hit_rate", "models")
    assert [row[name] for name in empty] == [""] * 5


def test_numbers_stay_numbers(session, table):
    (row,) = table([session(total_cost=-0.015, lines_added=-5, tool_calls=2**64 - 1)])
    assert (row["cost"], row["lines_added"]) == ("-0.015", "-5")
    assert row["tool_calls"] == "18446744073709551615"


@pytest.mark.parametrize(
    "name",
    ["a,b", 'a"b', '"', "a\r\nb", "a\nb", "a\rb", " a ", "\u540d\u524d", "", "a;b", "'", "\0"],
)
def test_every_name_reads_back(session, table, usage, name):
    (row,) = table([session(name, model_usage={name: usage()})])
    assert row["session_id"] == row["models"] == name
    (row,) = table([session(name, model_usage={name: usage()})], export.csv_models)
    assert row["session_id"] == row["model"] == name


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *((name, f"'{name}") for name in ("=1+1", "+1", "-1", "@SUM(A1)", " =1", '"=1')),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("a;=1", "a;'=1"),
        ("a;;@b;-c", "a;;'@b;'-c"),
        ('a;"=1', "a;'\"=1"),
        ("a; +1", "a;' +1"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("a|=1", "a|'=1"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_text(session, table, usage, name, cell):
    (row,) = table([session(name, model_usage={name: usage()})])
    assert row["session_id"] == row["models"] == cell
    (row,) = table([session(name, model_usage={name: usage()})], export.csv_models)
    assert row["session_id"] == row["model"] == cell


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("text", ["=1", '"=1', " @1", "x=1"])
def test_no_reading_makes_a_formula_of_a_list(session, usage, now, delimiter, text):
    models = {"a": usage(), text: usage(), f"b;{text}": usage(), f"c\t{text}\n{text}": usage()}
    data = b"".join(export.csv_sessions([session(f"x|{text}", model_usage=models)], now))
    rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=delimiter)
    cells = [cell.strip(' "') for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_times_are_in_utc(session, table):
    (row,) = table([session(start_time="2025-12-07T11:00:00+02:00")])
    assert row["start_time"] == "2025-12-07T09:00:00Z"


def test_a_row_per_model(session, table):
    rows = table([session()], export.csv_models)
    assert rows[0] == {
        "session_id": "s",
        "source": "radium",
        "start_time": "2025-12-07T09:00:00.123457Z",
        "end_time": "2025-12-07T13:09:54.123457Z",
        "last_activity": "2025-12-07T13:09:54.123457Z",
        "running": "false",
        "model": "gemini-2.5-flash-lite",
        "requests": "28",
        "input_tokens": "60389",
        "output_tokens": "2422",
        "cached_tokens": "5000",
        "cost": "0.0025",
        "project": "",
        "branch": "",
    }
    assert [row["model"] for row in rows[1:]] == ["gemini-3-pro-preview"]


def test_no_sessions_are_a_header(now, table):
    assert b"".join(export.csv_sessions([], now)).count(b"\r\n") == 1
    assert table([], export.csv_models) == []


def test_many_rows_come_piece_by_piece(session, now, table):
    one = session()
    pieces = list(export.csv_sessions((one for _ in range(250)), now))
    assert len(pieces) == 3
    assert len(table([one] * 250)) == 250


def test_json_is_an_array_of_the_stored_reports(report_bytes, report_dict):
    stored = [report_bytes(), report_bytes(new={"big": 10**30, "text": "\u540d"})]
    data = b"".join(export.json(stored))
    assert json.loads(data) == [report_dict(), report_dict(new={"big": 10**30, "text": "\u540d"})]
    assert data.endswith(b"\n]\n")


def test_no_reports_are_an_empty_array():
    assert b"".join(export.json([])) == b"[]\n"
    assert b"".join(export.ndjson([])) == b""


def test_ndjson_is_a_report_a_line(report_bytes, report_dict):
    data = b"".join(export.ndjson([report_bytes(), report_bytes(tool_calls=1)]))
    assert [json.loads(line) for line in data.splitlines()] == [
        report_dict(),
        report_dict(tool_calls=1),
    ]
    assert data.endswith(b"\n")


@pytest.mark.parametrize("written", ["1e-7", "0.10", "100000000000000000000000", "-0.0"])
def test_numbers_are_exported_as_they_are_written(report_bytes, written):
    stored = report_bytes().replace(b'"total_cost": 0.1275', f'"total_cost": {written}'.encode())
    assert f'"total_cost": {written}\n'.encode() in b"".join(export.json([stored]))


@pytest.fixture
def exported(workspace, now, reports_of):
    """An export of the workspace's sessions, and the errors about what was left out."""

    def made(kind, *, before=lambda: None, single=False, per_model=False):
        sessions = list(reports_of(workspace.root).sessions())
        before()
        left_out = []
        data = b"".join(
            export.chunks(
                sessions,
                kind,
                now,
                single=single,
                left_out=left_out.append,
                per_model=per_model,
            )
        )
        return data.decode("utf-8"), left_out

    return made


def test_one_session_is_exported_as_it_is_stored_and_not_as_an_array(
    workspace, exported, report_dict
):
    workspace.add("a", new=[1])
    data, _ = exported("json", single=True)
    assert json.loads(data) == report_dict(session_id="a", new=[1])
    assert data.startswith('{\n  "metrics": {')
    assert data.endswith("}\n")


def test_all_sessions_are_exported_newest_first(workspace, exported):
    workspace.add("old", end_time="2025-12-06T00:00:00Z")
    workspace.add("new", end_time="2025-12-07T00:00:00Z")
    reports = json.loads(exported("json")[0])
    assert [report["metrics"]["session_id"] for report in reports] == ["new", "old"]
    lines = exported("ndjson")[0].splitlines()
    assert [json.loads(line)["metrics"]["session_id"] for line in lines] == ["new", "old"]
    assert exported("markdown")[0].splitlines()[2].startswith("| new |")
    assert exported("csv")[0].splitlines()[1].startswith("new,radium,")
    assert len(exported("csv", per_model=True)[0].splitlines()) == 5


def test_markdown_of_one_session_is_all_of_it(workspace, exported):
    workspace.add("a")
    assert exported("markdown", single=True)[0].startswith("## Session a\n\n|  |  |\n")
    assert exported("markdown")[0].startswith("| Session ID | Duration |")


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_a_report_that_goes_while_it_is_exported_is_left_out_and_told(workspace, exported, kind):
    gone = workspace.add("a")
    workspace.add("b")
    data, left_out = exported(kind, before=gone.unlink)
    assert data.count('"session_id"') == 1
    assert [str(error) for error in left_out] == [f"{gone} can't be read: it has been deleted."]
    assert json.loads(data)


def test_one_session_that_goes_while_it_is_exported_is_an_error(workspace, exported):
    gone = workspace.add("a")
    with pytest.raises(SessionUnreadable, match="it has been deleted"):
        exported("json", single=True, before=gone.unlink)


def test_without_sessions_an_export_is_empty_but_valid(exported):
    assert exported("json")[0] == "[]\n"
    assert exported("ndjson")[0] == ""
    assert exported("csv")[0].count("\r\n") == 1
    assert exported("markdown")[0].count("\n") == 2
