"""Radium's reports as files: what is one, what is read, and what keeps it from being read."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rad_lsp.core import report
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session, Usage
from rad_lsp.core.spending import QUARTER, Spending
from rad_lsp.sources import radium
from rad_lsp.sources.radium import Radium

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
needs_permissions = pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users here")


@pytest.fixture
def source(workspace):
    return Radium(workspace.root)


@pytest.fixture
def content(source):
    """What is read from a file."""
    return lambda path: source.read(str(path)).content


@pytest.fixture
def public_folder():
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for inner in folder.iterdir():
        inner.chmod(0o700)
    shutil.rmtree(folder)


@contextmanager
def without_privileges():
    """As a user whom permissions bind: they do not bind root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_report_becomes_a_session(golden):
    source = Radium(golden("session"))
    ((name, _),) = source.scan()
    path = str(source.folder / name)
    assert source.read(path).content == Session(
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
            Usage("gemini-2.5-flash-lite", 28, 60_389, 2_422, 5_000, 0.0025),
            Usage("gemini-3-pro-preview", 168, 31_056_954, 44_268, 12_000, 0.125),
        ),
        engines=(Usage("gemini", 196, 31_117_343, 46_690, 17_000, 0.1275),),
        cached_tokens=17_000,
        cache_creation_tokens=4_000,
        cache_read_tokens=13_000,
        cost=0.1275,
    )


@pytest.mark.parametrize("folder", ["session", "history", "compare", "edge", "generations"])
def test_golden_reports_are_read_without_a_warning(golden, folder):
    source = Radium(golden(folder))
    sessions = [source.read(str(source.folder / name)).content for name, _ in source.scan()]
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
    assert [name for name, _ in source.scan()] == ["a.json"]


def test_without_a_folder_there_are_no_reports(tmp_path):
    assert Radium(tmp_path).scan() == []


def test_a_file_in_the_folders_place_holds_no_reports(tmp_path):
    (tmp_path / ".radium").write_text("")
    assert Radium(tmp_path).scan() == []


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


def test_a_folder_named_like_a_report_is_not_read(workspace, content):
    (workspace.sessions / "x.json").mkdir()
    assert content(workspace.sessions / "x.json") == Problem(
        "not-a-file", "It is a folder, not a file"
    )


@needs_fifos
def test_a_named_pipe_named_like_a_report_is_not_waited_for(workspace, content):
    os.mkfifo(workspace.sessions / "x.json")
    assert content(workspace.sessions / "x.json") == Problem(
        "not-a-file", "It is a named pipe, not a file"
    )


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices here")
def test_a_link_to_a_device_is_not_read(workspace, content):
    (workspace.sessions / "x.json").symlink_to("/dev/zero")
    assert content(workspace.sessions / "x.json") == Problem(
        "not-a-file", "It is a device, not a file"
    )


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_a_socket_named_like_a_report_is_not_read(workspace, content, monkeypatch):
    monkeypatch.chdir(workspace.sessions)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("x.json")
        assert content(workspace.sessions / "x.json").code == "unreadable"


def test_a_file_over_64_mib_is_not_read(workspace, content):
    path = workspace.sessions / "x.json"
    with path.open("wb") as file:
        file.truncate(67_108_865)
    assert content(path) == Problem(
        "too-large", "The file has 67,108,865 bytes, more than the 64 MiB that are read"
    )


def test_a_link_to_a_report_is_read(workspace, content, golden):
    source = Radium(golden("session"))
    ((name, _),) = source.scan()
    link = workspace.sessions / name
    link.symlink_to((source.folder / name).absolute())
    assert content(link).cost == 0.1275


def test_a_link_to_nothing_is_a_problem(workspace, content):
    (workspace.sessions / "x.json").symlink_to("nowhere")
    found = content(workspace.sessions / "x.json")
    assert (found.code, found.message) == (
        "unreadable",
        "The file can't be read: no such file or directory",
    )


def test_links_in_a_circle_are_a_problem(workspace, content):
    (workspace.sessions / "x.json").symlink_to("y.json")
    (workspace.sessions / "y.json").symlink_to("x.json")
    assert content(workspace.sessions / "x.json").code == "unreadable"


def test_a_file_that_is_gone_is_no_problem(source, workspace):
    assert source.read(str(workspace.sessions / "gone.json")) is None
    assert radium.read_bytes(str(workspace.sessions / "gone.json")) is None


@needs_permissions
def test_a_file_that_may_not_be_read_is_a_problem(public_folder, report_bytes):
    path = public_folder / "x.json"
    path.write_bytes(report_bytes())
    path.chmod(0)
    with without_privileges():
        _, found = radium.read_bytes(str(path))
    assert found == Problem("no-permission", "The file may not be read: permission denied")


@needs_permissions
def test_a_file_in_a_folder_that_may_not_be_entered_is_a_problem(public_folder, report_bytes):
    folder = public_folder / "closed"
    folder.mkdir()
    (folder / "x.json").write_bytes(report_bytes())
    folder.chmod(0o744)
    with without_privileges():
        _, found = radium.read_bytes(str(folder / "x.json"))
    assert found.code == "no-permission"


@needs_permissions
def test_a_folder_that_may_not_be_read_is_an_error(public_folder):
    source = Radium(public_folder)
    source.folder.mkdir(parents=True)
    (public_folder / ".radium").chmod(0o700)
    with without_privileges(), pytest.raises(PermissionError):
        source.scan()


@pytest.fixture
def while_reading(monkeypatch):
    """Does something once, between opening a file and the first bytes."""

    def during(act):
        read = os.read
        pending = [act]

        def acting(descriptor, size):
            if pending:
                pending.pop()()
            return read(descriptor, size)

        monkeypatch.setattr(os, "read", acting)

    return during


def test_a_report_deleted_while_it_is_read_is_still_read_whole(workspace, content, while_reading):
    path = workspace.add("a")
    while_reading(path.unlink)
    assert content(path).id == "a"


def test_a_report_replaced_while_it_is_read_is_read_in_one_version(
    workspace, source, while_reading, report_bytes
):
    path = workspace.add("a", total_cost=1.0)
    new = workspace.raw("a.tmp.1", report_bytes(session_id="a", total_cost=2.0))
    while_reading(lambda: new.replace(path))
    reading = source.read(str(path))
    assert reading.content.cost == 1.0
    assert reading.fingerprint != source.fingerprint(str(path))


def test_a_report_that_grows_while_it_is_read_is_read_to_its_end(
    workspace, source, while_reading, report_bytes
):
    path = workspace.raw("a.json", b"")
    while_reading(lambda: path.write_bytes(report_bytes(session_id="a")))
    reading = source.read(str(path))
    assert reading.content.id == "a"
    assert reading.fingerprint != source.fingerprint(str(path))


def test_a_report_that_shrinks_while_it_is_read_is_truncated(workspace, content, while_reading):
    path = workspace.add("a")
    while_reading(lambda: os.truncate(path, 500))
    assert content(path).code == "truncated"


def test_a_file_that_grows_beyond_what_is_read_is_given_up(
    workspace, content, while_reading, monkeypatch
):
    monkeypatch.setattr(report, "MAX_BYTES", 1000)
    path = workspace.raw("a.json", b"{")
    while_reading(lambda: path.write_bytes(b" " * 2_000_000))
    assert content(path).code == "too-large"


def test_an_input_error_is_a_problem(workspace, content, while_reading):
    def fail():
        raise OSError(5, "Input/output error")

    path = workspace.add("a")
    while_reading(fail)
    assert content(path) == Problem("unreadable", "The file can't be read: input/output error")


def test_a_fingerprint_changes_with_the_file_only(workspace, source, report_bytes):
    path = workspace.add("a")
    before = source.fingerprint(str(path))
    assert source.fingerprint(str(path)) == source.read(str(path)).fingerprint == before
    new = workspace.raw("a.tmp.1", report_bytes(session_id="a"))
    new.replace(path)
    assert source.fingerprint(str(path)) != before


def test_what_is_not_there_has_no_fingerprint(workspace, source):
    assert source.fingerprint(str(workspace.sessions / "gone.json")) == 0


def test_a_report_that_is_not_stored_yet_is_parsed_alike(report_bytes):
    session = radium.parse("/w/a.json", report_bytes(session_id="a"))
    assert (session.id, session.path, session.problems) == ("a", "/w/a.json", ())
    assert radium.parse("/w/a.json", b"").code == "empty"


def test_our_own_reports_tell_when_the_money_went(workspace, content, stored_row):
    row = stored_row(
        start="2025-12-07T09:15:00Z", engine="e", tier="batch", above=200_000, requests=2,
        cache_read_tokens=5, cache_write_5m_tokens=6, cache_write_1h_tokens=7, cost=0.5,
        reported=True,
    )  # fmt: skip
    found = content(workspace.add("a", spending=[row, stored_row(cost=0.25)]))
    quarter = 1_765_098_900 // QUARTER
    assert found.spending == (
        Spending(quarter, "m", "e", "batch", 200_000, 2, 1000, 5, 6, 7, 10, 0.5, reported=True),
        Spending(quarter - 1, "m", "", "", 0, 1, 1000, 0, 0, 0, 10, 0.25),
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
    assert [(row.name, row.cost, row.unpriced) for row in found.models] == [
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
