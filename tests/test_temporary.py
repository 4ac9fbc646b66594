"""Temporary files and folders: the next start removes what a killed process has left."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rad_lsp import temporary

MAKE = """
import sys, time
from pathlib import Path
from rad_lsp import temporary
parent = Path(sys.argv[1])
with temporary.folder("git", parent) as folder, temporary.file(parent) as file:
    (folder / "inner").mkdir()
    (folder / "inner" / "object").write_bytes(b"x")
    file.write_bytes(b"half")
    print("made", flush=True)
    sys.stdin.read()
"""

FILE = ".rad.tmp." + "0" * 32
FOLDER = "rad-lsp-git-abcd1234"


@pytest.fixture
def other(tmp_path):
    """Another process, which has a temporary folder and a temporary file in `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == b"made\n"
        yield process
        process.kill()


def start(folder):
    """Begin and end as another process would that makes a temporary file and a folder."""
    code = (
        "import sys; from pathlib import Path; from rad_lsp import temporary\n"
        "parent = Path(sys.argv[1])\n"
        "with temporary.folder('session', parent), temporary.file(parent): pass"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_made_is_removed_at_the_end(tmp_path):
    with temporary.folder("demo", tmp_path) as folder, temporary.file(folder) as file:
        assert folder.is_dir()
        assert file.is_file()
        (folder / "more").write_bytes(b"x")
    assert names(tmp_path) == []


def test_a_file_that_was_moved_stays(tmp_path):
    with temporary.file(tmp_path) as file:
        file.write_bytes(b"x")
        file.replace(tmp_path / "target")
    assert names(tmp_path) == ["target"]


def test_what_another_process_uses_stays(tmp_path, other):
    before = names(tmp_path)
    start(tmp_path)
    assert names(tmp_path) == before
    other.communicate(b"", timeout=30)
    assert (other.returncode, names(tmp_path)) == (0, [])


@pytest.mark.skipif(sys.platform == "win32", reason="files stay for an hour there")
def test_what_a_killed_process_has_left_is_removed_by_the_next(tmp_path, other):
    assert len(names(tmp_path)) == 2
    other.kill()
    other.wait()
    start(tmp_path)
    assert names(tmp_path) == []


def test_a_folder_that_was_not_locked_yet_is_removed(tmp_path):
    (tmp_path / FOLDER).mkdir()
    start(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    (outside / temporary.LOCK).touch()
    parent = tmp_path / "temporary"
    parent.mkdir()
    (parent / FOLDER).symlink_to(outside)
    (parent / FILE).symlink_to(outside / temporary.LOCK)
    inner = parent / "rad-lsp-git-efgh5678"
    inner.mkdir()
    (inner / temporary.LOCK).touch()
    (inner / "link").symlink_to(outside)
    start(parent)
    assert names(parent) == [FILE, FOLDER]
    assert names(outside) == [temporary.LOCK, "kept"]


@pytest.mark.parametrize(
    "name", ["rad-lsp-vscode-frontend", "rad-lsp-git-abcd12345", "rad-lsp-git-abcd1234"]
)
def test_what_is_not_ours_stays(tmp_path, name):
    """Either the name is another one, or the folder holds something and has no lock."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "something").touch()
    (tmp_path / ".rad.tmp.notes").touch()
    start(tmp_path)
    assert names(tmp_path) == [".rad.tmp.notes", name]
    assert names(tmp_path / name) == ["something"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize("name", [FILE, f"{FOLDER}/{temporary.LOCK}"])
def test_a_pipe_in_their_place_hangs_nobody(tmp_path, name):
    import os

    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    start(tmp_path)
    assert path.exists()
