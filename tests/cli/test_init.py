from __future__ import annotations

import subprocess
import sys

import pytest

SESSIONS = (".radium", "_internals", "sessions")


def test_it_makes_the_current_folder_a_workspace(rad, tmp_path):
    done = rad("init")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Made {tmp_path.joinpath(*SESSIONS)}\n"
    assert tmp_path.joinpath(*SESSIONS).is_dir()


@pytest.mark.parametrize("arguments", [["new"], ["-w", "new"], ["--workspace", "new"]])
def test_it_makes_the_named_folder_a_workspace(rad, tmp_path, arguments):
    done = rad("init", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert tmp_path.joinpath("new", *SESSIONS).is_dir()
    assert not (tmp_path / ".radium").exists()


def test_the_new_workspace_is_found(rad):
    rad("init")
    done = rad("stats", "history")
    assert (done.returncode, done.stdout) == (0, "No session history found.\n")


def test_reports_stay_out_of_git_and_settings_do_not(rad, tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    rad("init")
    tmp_path.joinpath(*SESSIONS, "mine.json").write_text("{}")
    (tmp_path / ".radium" / "rad-lsp.toml").write_text("")
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    shown = subprocess.run(status, cwd=tmp_path, check=True, capture_output=True).stdout
    assert shown.decode().split() == ["??", ".radium/.gitignore", "??", ".radium/rad-lsp.toml"]


def test_what_a_user_ignores_stays_as_it_is(rad, tmp_path):
    (tmp_path / ".radium").mkdir()
    (tmp_path / ".radium" / ".gitignore").write_text("mine")
    rad("init")
    assert (tmp_path / ".radium" / ".gitignore").read_text() == "mine"


def test_where_it_exists_nothing_changes(rad, workspace):
    report = workspace.add("mine")
    before = report.read_bytes()
    done = rad("init", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{workspace.sessions} is there already; nothing changed.\n"
    assert report.read_bytes() == before


def test_a_workspace_without_a_sessions_folder_gets_one(rad, tmp_path):
    (tmp_path / ".radium").mkdir()
    assert rad("init").returncode == 0
    assert tmp_path.joinpath(*SESSIONS).is_dir()


def test_a_file_in_the_way_is_one_clear_line(rad, tmp_path):
    (tmp_path / ".radium").write_text("not a folder")
    done = rad("init")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {tmp_path.joinpath(*SESSIONS)} can't be made: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / ".radium").read_text() == "not a folder"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_link_out_of_the_folder_is_not_followed(rad, tmp_path, depth):
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path.joinpath("here", *SESSIONS[:depth])
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere" / "\x1b[31m")
    done = rad("init", "here")
    assert (done.returncode, done.stdout) == (1, "")
    assert "a link leads to " in done.stderr
    assert str(tmp_path / "elsewhere") in done.stderr
    assert "\x1b" not in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_within_the_folder_is_followed(rad, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / ".radium").symlink_to("kept")
    assert rad("init").returncode == 0
    assert tmp_path.joinpath("kept", *SESSIONS[1:]).is_dir()


def test_a_folder_name_cannot_change_the_terminal(rad, tmp_path):
    for _ in range(2):
        done = rad("init", tmp_path / "a\x1b]0;b\x07")
        assert done.returncode == 0
        assert "\x1b" not in done.stdout
        assert "a\\x1b]0;b\\x07" in done.stdout


def test_two_folders_are_wrong_usage(rad, tmp_path):
    done = rad("init", "one", "two")
    assert (done.returncode, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_another_workspace_are_wrong_usage(rad, tmp_path):
    done = rad("init", "one", "--workspace", "two")
    assert (done.returncode, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_read_only_folder_is_one_clear_line(without_privileges, read_only):
    done = without_privileges("init", cwd=read_only)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: {read_only.joinpath(*SESSIONS)} can't be made: permission denied. "
        "Choose another folder.\n"
    )
    assert list(read_only.iterdir()) == []
