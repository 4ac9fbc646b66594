from __future__ import annotations

import csv
import io
import json
import signal
import stat
import subprocess
import sys
import time

import pytest

from rad_lsp.repository import project_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

NEWER = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
OLDER = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
FORMATS = ["json", "ndjson", "csv", "markdown"]
HEADER = (
    "session_id,source,uri,start_time,end_time,generated_at,last_activity,running,wall_time,"
    "agent_active_time,api_time,tool_time,tool_calls,successful_tool_calls,failed_tool_calls,"
    "success_rate,lines_added,lines_removed,files_changed,requests,input_tokens,output_tokens,"
    "cached_tokens,cache_hit_rate,cost,models,project,branch\r\n"
)
TABLE = (
    "| Session ID | Duration | Tool Calls | Success Rate | Cost |\n"
    "| --- | ---: | ---: | ---: | ---: |\n"
)


@pytest.fixture
def stored(golden):
    """The golden history's reports as values, newest first."""
    folder = golden("history") / ".radium" / "_internals" / "sessions"
    return [json.loads((folder / f"{name}.json").read_bytes()) for name in (NEWER, OLDER)]


@pytest.fixture
def large(workspace):
    """A workspace with reports `new`, `middle` and `old`, each more than a pipe holds."""
    for day, name in enumerate(("old", "middle", "new"), 1):
        workspace.add(name, end_time=f"2025-12-0{day}T09:00:00Z", notes="x" * 200_000)
    return workspace


def ids(reports):
    return [report["metrics"]["session_id"] for report in reports]


def rows(done):
    return list(csv.DictReader(io.StringIO(done.stdout, newline="")))


def test_all_sessions_are_an_array_newest_first(rad, golden, stored):
    done = rad("stats", "export", cwd=golden("history"))
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, stored, "")


@pytest.mark.parametrize("session", [["a1"], ["--session-id", "latest~1"]], ids=" ".join)
def test_one_session_is_its_report(rad, golden, stored, session):
    done = rad("stats", "export", *session, cwd=golden("history"))
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, stored[1], "")


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_reports_are_exported_value_for_value(rad, workspace, report_dict, kind):
    text = json.dumps(report_dict(session_id="mine", future={"größe": ["名前", None]}))
    text = text.replace('"tool_calls": 231', '"tool_calls": 18446744073709551615')
    text = text.replace('"total_cost": 0.1275', '"total_cost": 0.1000000000000000055')
    workspace.raw("mine.json", text.encode())
    done = rad("stats", "export", "mine", "--format", kind, cwd=workspace.root)
    as_written = json.JSONDecoder(parse_int=str, parse_float=str)
    assert as_written.decode(done.stdout) == as_written.decode(text)


def test_ndjson_is_a_report_a_line(rad, golden, stored):
    done = rad("stats", "export", "--format", "ndjson", cwd=golden("history"))
    assert [json.loads(line) for line in done.stdout.splitlines()] == stored
    assert done.stdout.endswith("}\n")


def test_csv_is_a_row_per_session(rad, golden):
    done = rad("stats", "export", "--format", "csv", cwd=golden("session"))
    (row,) = rows(done)
    uri = (golden("session") / ".radium/_internals/sessions" / f"{NEWER}.json").as_uri()
    assert done.stdout.startswith(HEADER)
    assert row == {
        "session_id": NEWER,
        "source": "radium",
        "uri": uri,
        "start_time": "2025-12-07T09:00:00.123457Z",
        "end_time": "2025-12-07T13:09:54.123457Z",
        "generated_at": "2025-12-07T13:09:55.500000Z",
        "last_activity": "2025-12-07T13:09:54.123457Z",
        "running": "false",
        "wall_time": "14994.0",
        "agent_active_time": "10397.0",
        "api_time": "4182.0",
        "tool_time": "6215.0",
        "tool_calls": "231",
        "successful_tool_calls": "214",
        "failed_tool_calls": "17",
        "success_rate": "92.64069264069263",
        "lines_added": "505",
        "lines_removed": "208",
        "files_changed": "",
        "requests": "196",
        "input_tokens": "31117343",
        "output_tokens": "46690",
        "cached_tokens": "17000",
        "cache_hit_rate": "0.04177734583572897",
        "cost": "0.1275",
        "models": "gemini-2.5-flash-lite;gemini-3-pro-preview",
        "project": project_of(str(golden("session"))),
        "branch": "",
    }


def test_csv_is_newest_first(rad, golden):
    done = rad("stats", "export", "--format", "csv", cwd=golden("history"))
    assert [row["session_id"] for row in rows(done)] == [NEWER, OLDER]


def test_csv_has_a_row_per_model_on_demand(rad, golden):
    done = rad("stats", "export", "--format", "csv", "--per-model", cwd=golden("session"))
    assert [
        (row["session_id"], row["model"], row["requests"], row["input_tokens"], row["cost"])
        for row in rows(done)
    ] == [
        (NEWER, "gemini-2.5-flash-lite", "28", "60389", "0.0025"),
        (NEWER, "gemini-3-pro-preview", "168", "31056954", "0.125"),
    ]


def test_csv_runs_no_formula_in_a_spreadsheet(rad, workspace, report_bytes):
    workspace.raw("mine.json", report_bytes(session_id="=1+1"))
    done = rad("stats", "export", "--format", "csv", cwd=workspace.root)
    assert [row["session_id"] for row in rows(done)] == ["'=1+1"]


@pytest.mark.parametrize("kind", ["json", "ndjson", "markdown"])
def test_per_model_without_csv_is_wrong_usage(rad, golden, kind):
    done = rad("stats", "export", "--format", kind, "--per-model", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Error: --per-model goes with --format csv."


def test_an_unknown_format_is_wrong_usage(rad, golden):
    done = rad("stats", "export", "--format", "xml", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("Error: Invalid value for '--format': 'xml'")


def test_markdown_of_all_is_the_history(rad, golden):
    done = rad("stats", "export", "--format", "markdown", cwd=golden("history"))
    assert done.stdout == (
        f"{TABLE}"
        f"| {NEWER} | 4h 9m | 231 | 92.6% | $0.1250 |\n"
        f"| {OLDER} | 2h 15m | 145 | 95.2% | $0.0850 |\n"
    )


def test_markdown_of_one_is_the_session_in_full(rad, golden):
    done = rad("stats", "export", "latest", "--format", "markdown", cwd=golden("session"))
    lines = done.stdout.splitlines()
    assert lines[0] == f"## Session {NEWER}"
    assert "| Wall time | 4h 9m 54s |" in lines
    assert "| Approvals | 40 allowed, 2 denied, 9 asked |" in lines
    assert "| gemini-2.5-flash-lite | 28 | 60,389 | 2,422 | 5,000 | $0.0025 |" in lines


def test_markdown_keeps_text_from_a_file_in_its_cell(rad, workspace, report_bytes):
    workspace.raw("mine.json", report_bytes(session_id="a|b\n\x1b[31m"))
    done = rad("stats", "export", "--format", "markdown", cwd=workspace.root)
    assert done.stdout.splitlines()[2].startswith(r"| a\|b\\n\\x1b\[31m | ")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_holds_what_stdout_would(rad, golden, tmp_path, kind):
    printed = rad("stats", "export", "--format", kind, cwd=golden("history")).stdout.encode()
    done = rad(
        *("stats", "export", "--format", kind, "--output", tmp_path / "out"), cwd=golden("history")
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"Wrote {len(printed):,} bytes to {tmp_path / 'out'}.\n"
    assert (tmp_path / "out").read_bytes() == printed
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_dash_is_stdout(rad, golden, stored):
    done = rad("stats", "export", "-o", "-", cwd=golden("history"))
    assert (json.loads(done.stdout), done.stderr) == (stored, "")


def test_a_name_is_taken_relative_to_the_current_folder(rad, golden, tmp_path):
    done = rad("stats", "export", "-w", golden("history"), "-o", "out.json")
    assert done.returncode == 0
    assert (tmp_path / "out.json").exists()


def test_an_existing_file_is_refused(rad, golden, tmp_path):
    (tmp_path / "out.json").write_text("mine")
    done = rad("stats", "export", "-w", golden("history"), "-o", "out.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: out.json exists. Overwrite it with --force.\n"
    assert (tmp_path / "out.json").read_text() == "mine"


def test_an_existing_file_is_overwritten_by_force(rad, golden, tmp_path, stored):
    (tmp_path / "out.json").write_text("mine")
    done = rad("stats", "export", "-w", golden("history"), "-o", "out.json", "--force")
    assert done.returncode == 0
    assert json.loads((tmp_path / "out.json").read_bytes()) == stored
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


@posix
def test_an_overwritten_file_keeps_its_permissions(rad, golden, tmp_path):
    (tmp_path / "out.json").touch(mode=0o600)
    rad("stats", "export", "-w", golden("history"), "-o", "out.json", "--force")
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o600


@posix
def test_a_link_is_refused(rad, golden, tmp_path):
    (tmp_path / "link").symlink_to("nothing-there")
    done = rad("stats", "export", "-w", golden("history"), "-o", "link")
    assert (done.returncode, done.stderr) == (
        1,
        "Error: link exists. Overwrite it with --force.\n",
    )
    assert [file.name for file in tmp_path.iterdir()] == ["link"]


@posix
@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.parametrize("there", [True, False], ids=["there", "new"])
@pytest.mark.parametrize("link", ["link.json", "folder/out.json"])
def test_a_link_out_of_the_workspace_is_not_written_through(
    rad, workspace, tmp_path, force, there, link
):
    workspace.add("mine")
    (tmp_path / "home").mkdir()
    target = tmp_path / "home" / "out.json"
    if there:
        target.write_text("precious")
    (workspace.root / "link.json").symlink_to(target)
    (workspace.root / "folder").symlink_to(tmp_path / "home")
    done = rad("stats", "export", "-o", link, *force, cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    if force or (link != "link.json" and not there):
        assert f"a link leads to {target}, outside {workspace.root}" in done.stderr
    assert [path.read_text() for path in (tmp_path / "home").iterdir()] == ["precious"] * there


@posix
def test_a_link_out_of_the_named_folder_is_not_written_through(rad, golden, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "precious")
    done = rad("stats", "export", "-w", golden("history"), "-o", "out/link", "--force")
    assert done.returncode == 1
    assert f"a link leads to {tmp_path / 'precious'}" in done.stderr
    assert not (tmp_path / "precious").exists()


@posix
def test_a_folder_of_the_users_own_may_be_behind_a_link(rad, golden, tmp_path, stored):
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    assert rad("stats", "export", "-w", golden("history"), "-o", "folder/o.json").returncode == 0
    assert json.loads((tmp_path / "real" / "o.json").read_bytes()) == stored


@posix
def test_a_link_goes_on_to_point_to_its_file_by_force(rad, golden, tmp_path, stored):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real.json").write_text("mine")
    (tmp_path / "link").symlink_to("elsewhere/real.json")
    done = rad("stats", "export", "-w", golden("history"), "-o", "link", "--force")
    assert done.returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "elsewhere" / "real.json").read_bytes()) == stored
    assert [file.name for file in (tmp_path / "elsewhere").iterdir()] == ["real.json"]


def test_a_missing_folder_is_one_clear_line(rad, golden, tmp_path):
    target = tmp_path / "nowhere" / "out.json"
    done = rad("stats", "export", "-o", target, cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: {target} can't be written: the folder {target.parent} does not exist.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["plain", "force"])
def test_a_folder_is_one_clear_line(rad, golden, tmp_path, force):
    (tmp_path / "folder").mkdir()
    done = rad("stats", "export", "-w", golden("history"), "-o", "folder", *force)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: folder can't be written: it is a folder.\n"
    assert list((tmp_path / "folder").iterdir()) == []


@posix
def test_a_device_is_one_clear_line(rad, golden):
    done = rad("stats", "export", "-o", "/dev/null", "--force", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: /dev/null can't be written: it is not a regular file.\n"


@posix
def test_a_read_only_folder_is_one_clear_line(without_privileges, read_only, golden):
    target = read_only / "out.json"
    done = without_privileges("stats", "export", "-o", target, cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {target} can't be written: permission denied.\n"
    assert list(read_only.iterdir()) == []


@posix
@pytest.mark.parametrize("before", [None, b"mine"], ids=["new", "overwritten"])
def test_a_full_disk_leaves_everything_as_it_was(golden, tmp_path, before):
    target = tmp_path / "out.json"
    if before is not None:
        target.write_bytes(before)
    # A limit on the size of files fails as a full disk does: in the middle of a write.
    done = subprocess.run(
        [
            *("sh", "-c", 'ulimit -f 1 && exec "$@"', "sh"),
            *(sys.executable, "-B", "-m", "rad_lsp.cli"),
            *("stats", "export", "-o", str(target), "--force"),
        ],
        cwd=golden("history"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    *_, last = done.stderr.decode().splitlines()
    assert last == f"Error: {target} can't be written: file too large."
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert left == ({} if before is None else {"out.json": before})


@posix
def test_control_characters_of_a_files_name_are_escaped(rad, golden):
    done = rad("stats", "export", "-w", golden("history"), "-o", "one\ntwo")
    assert done.returncode == 0
    assert done.stderr == "Wrote 2,526 bytes to one\\ntwo.\n"


@pytest.mark.parametrize(
    ("kind", "printed"),
    [
        ("json", "[]\n"),
        ("ndjson", ""),
        ("csv", HEADER),
        ("markdown", TABLE),
    ],
)
def test_an_empty_workspace_is_a_valid_export_and_a_note(rad, workspace, kind, printed):
    done = rad("stats", "export", "--format", kind, cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, printed)
    assert done.stderr == "No session history found.\n"


def test_all_reports_corrupt_is_as_good_as_none(rad, workspace):
    workspace.raw("bad.json", b"")
    done = rad("stats", "export", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr == "Skipped bad.json: the file is empty.\nNo session history found.\n"


def test_an_unknown_session_writes_nothing(rad, golden, tmp_path):
    done = rad("stats", "export", "zzz", "-w", golden("history"), "-o", "out.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: No session 'zzz' found. 'rad stats history' lists the sessions.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("period", "found"),
    [
        (["--since", "2025-12-07"], [NEWER]),
        (["--until", "2025-12-06"], [OLDER]),
        (["--since", "7d"], []),
    ],
    ids=" ".join,
)
def test_a_period_narrows_an_export(rad, golden, period, found):
    done = rad("stats", "export", "--timezone", "UTC", *period, cwd=golden("history"))
    assert (done.returncode, ids(json.loads(done.stdout))) == (0, found)


def test_a_period_does_not_go_with_one_session(rad, golden):
    done = rad("stats", "export", "latest", "--until", "7d", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "Error: --since and --until go with all sessions, not with one ID."
    )


@posix
def test_a_report_deleted_meanwhile_is_named_and_left_out(start, large):
    process = start("stats", "export", cwd=large.root)
    begun = process.stdout.read(1)
    old = large.sessions / "old.json"
    old.unlink()
    rest, problem = process.communicate()
    assert (process.returncode, ids(json.loads(begun + rest))) == (0, ["new", "middle"])
    assert problem.decode() == f"Left out: {old} can't be read: it has been deleted.\n"


@posix
def test_a_report_broken_meanwhile_is_named_and_left_out(start, large):
    process = start("stats", "export", cwd=large.root)
    begun = process.stdout.read(1)
    old = large.raw("old.json", b"{")
    rest, problem = process.communicate()
    assert (process.returncode, ids(json.loads(begun + rest))) == (0, ["new", "middle"])
    assert problem.decode() == (
        f"Left out: {old} can't be read: the file ends in the middle of the report.\n"
    )


@posix
def test_a_report_replaced_meanwhile_is_exported_as_it_is_now(start, large):
    process = start("stats", "export", cwd=large.root)
    begun = process.stdout.read(1)
    large.add("temporary", notes="new").rename(large.sessions / "old.json")
    rest, problem = process.communicate()
    assert (process.returncode, problem) == (0, b"")
    assert json.loads(begun + rest)[2]["metrics"]["notes"] == "new"


@posix
def test_ctrl_c_ends_an_export_to_stdout(start, large):
    process = start("stats", "export", cwd=large.root)
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, problem = process.communicate()
    assert (process.returncode, problem.strip()) == (130, b"Interrupted.")


@posix
@pytest.mark.parametrize("before", [{}, {"out.json": b"mine"}], ids=["new", "overwritten"])
def test_ctrl_c_leaves_everything_as_it_was(start, workspace, report_bytes, tmp_path, before):
    report = json.dumps(json.loads(report_bytes(session_id="SOME", notes=[0] * 100_000)))
    for number in range(200):
        workspace.raw(f"{number}.json", report.replace("SOME", f"s-{number}").encode())
    folder = tmp_path / "output"
    folder.mkdir()
    for name, content in before.items():
        (folder / name).write_bytes(content)
    process = start("stats", "export", "-o", folder / "out.json", "--force", cwd=workspace.root)
    while len(list(folder.iterdir())) == len(before) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, problem = process.communicate()
    assert (process.returncode, problem.strip()) == (130, b"Interrupted.")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
