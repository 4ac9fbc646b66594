"""Sessions of other folders: where there are none here, and by their ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

HINT = "No sessions in this folder. There are 2 sessions in other folders: add --all-projects."


@pytest.fixture
def others(claude_code, codex, tmp_path):
    """Two sessions in other folders: `aaa-claude` for $0.0045 and `bbb-codex` for $0.0110."""
    claude_code("aaa-claude", tmp_path / "one").answer()
    codex("bbb-codex", tmp_path / "two").answer()


@pytest.fixture
def bare(tmp_path):
    """A folder without sessions and without `.radium`."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    "command",
    [
        ["session"],
        ["session", "latest~1"],
        ["model"],
        ["engine"],
        ["history"],
        ["cost"],
        ["compare", "latest", "latest~1"],
        ["export", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_a_folder_without_sessions_says_how_many_others_have(rad, bare, command):
    done = rad("stats", *command, cwd=bare)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {HINT}\n")


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("command", ["history", "model", "engine", "export"])
def test_an_array_is_then_empty(rad, bare, command):
    as_json = [] if command == "export" else ["--json"]
    done = rad("stats", command, *as_json, cwd=bare)
    assert (done.returncode, done.stdout, done.stderr) == (1, "[]\n", f"Error: {HINT}\n")


@pytest.mark.usefixtures("others")
def test_an_object_is_then_that_of_no_sessions(rad, bare, workspace):
    done = rad("stats", "cost", "--json", cwd=bare)
    assert (done.returncode, json.loads(done.stdout)["sessions"]) == (1, 0)
    assert done.stdout == rad("stats", "cost", "--json", cwd=workspace.root).stdout


@pytest.mark.usefixtures("others")
def test_an_empty_workspace_says_so_as_well(rad, workspace):
    done = rad("stats", "history", cwd=workspace.root)
    assert done.returncode == 0
    assert (done.stdout, done.stderr) == ("No session history found.\n", f"{HINT}\n")
    assert HINT in rad("doctor", cwd=workspace.root).stdout


@pytest.mark.usefixtures("others")
def test_doctor_is_content_with_a_folder_where_only_others_have_sessions(rad, bare):
    done = rad("doctor", cwd=bare)
    assert done.returncode == 0
    assert f"  {HINT}\n" in done.stdout
    assert "rad init" not in done.stdout


@pytest.mark.usefixtures("others")
def test_the_users_settings_make_all_projects_the_default(rad, bare, user_settings):
    user_settings('scope = "all"')
    done = rad("stats", "history", "--json", cwd=bare)
    assert (done.returncode, len(json.loads(done.stdout))) == (0, 2)
    done = rad("stats", "history", "--no-all-projects", cwd=bare)
    assert done.stderr == f"Error: {HINT}\n"


@pytest.mark.usefixtures("others")
def test_a_workspace_may_not_widen_what_is_asked_for(rad, workspace, workspace_settings):
    workspace_settings('scope = "all"')
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert done.stdout == "[]\n"
    assert "scope ignored" in done.stderr


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("reference", ["aaa-claude", "aaa", "aaa-cl..."])
def test_a_session_of_another_folder_is_found_by_its_id(rad, bare, workspace, reference):
    workspace.add("own")
    for folder in (bare, workspace.root):
        done = rad("stats", "session", reference, "--json", cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["metrics"]["session_id"] == "aaa-claude"
    done = rad("stats", "model", reference, "--json", cwd=bare)
    assert [row["requests"] for row in json.loads(done.stdout)] == [1]
    assert "$0.0045" in rad("stats", "cost", reference, cwd=bare).stdout
    assert "aaa-claude" in rad("stats", "export", reference, cwd=bare).stdout


@pytest.mark.usefixtures("others")
def test_a_session_of_another_folder_is_compared_and_counts_nowhere(rad, workspace):
    workspace.add("own")
    done = rad("stats", "compare", "own", "bbb", cwd=workspace.root)
    assert "Session B: bbb-codex\n" in done.stdout
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert [one["metrics"]["session_id"] for one in json.loads(done.stdout)] == ["own"]


def test_a_report_of_another_workspace_is_found_once_it_was_read(rad, bare, workspace):
    path = workspace.add("report-1", total_cost=0.25)
    rad("stats", "history", cwd=workspace.root)
    assert "$0.2500" in rad("stats", "session", "report", cwd=bare).stdout
    path.unlink()
    done = rad("stats", "session", "report", cwd=bare)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_prefix_of_several_sessions_elsewhere_is_ambiguous(rad, bare, claude_code, tmp_path):
    claude_code("same-1", tmp_path / "one").answer()
    claude_code("same-2", tmp_path / "two").answer()
    done = rad("stats", "session", "same", cwd=bare)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: 'same' is the beginning of 2 session ids: ")


@pytest.mark.usefixtures("others")
def test_an_unknown_id_suggests_those_of_other_folders(rad, bare):
    done = rad("stats", "session", "aab-claude", cwd=bare)
    assert done.stderr == "Error: No session 'aab-claude' found. Did you mean 'aaa-claude'?\n"
    done = rad("stats", "session", "zzz", cwd=bare)
    assert done.stderr == f"Error: No session 'zzz' found. {HINT}\n"


@pytest.mark.usefixtures("others")
def test_a_source_that_is_not_asked_for_has_no_sessions_elsewhere(rad, bare):
    done = rad("stats", "session", "aaa", "--source", "codex", cwd=bare)
    assert done.returncode == 1
    assert "There is 1 session in other folders" in done.stderr


def test_a_workspace_that_is_gone_is_not_looked_into(rad, bare, workspace):
    workspace.add("report-1")
    rad("stats", "history", cwd=workspace.root)
    workspace.root.rename(Path(f"{workspace.root}-2"))
    assert rad("stats", "session", "report-1", cwd=bare).returncode == 1
