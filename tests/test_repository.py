"""Which repository a folder belongs to."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rad_lsp import repository
from rad_lsp.repository import project_of


@pytest.fixture
def git():
    """Runs git in a folder."""

    def run(folder, *arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", *identity, "-c", "protocol.file.allow=always", *map(str, arguments)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)

    return run


@pytest.fixture
def base(tmp_path):
    """A folder whose path has no links in it."""
    return Path(os.path.realpath(tmp_path))


@pytest.fixture
def main(base, git):
    """The main work tree of a repository with a commit and a subfolder."""
    root = base / "main"
    (root / "sub" / "deep").mkdir(parents=True)
    git(root, "init")
    git(root, "commit", "--allow-empty", "-m", "x")
    return root


def test_a_folder_belongs_to_the_nearest_repository_upward(main, git):
    inner = main / "sub" / "inner"
    inner.mkdir()
    git(inner, "init")
    for folder, root in ((main, main), (main / "sub" / "deep", main), (inner / "new", inner)):
        found = repository.find(folder)
        assert found
        assert (found.root, found.folder, found.common) == (root, root / ".git", root / ".git")


def test_a_folder_outside_belongs_to_none(base):
    assert repository.find(base) is None
    assert repository.at(base) is None


def test_only_the_topmost_folder_is_where_a_repository_begins(main):
    found = repository.at(main)
    assert found
    assert found.root == main
    assert repository.at(main / "sub") is None


def test_a_linked_worktree_shares_the_git_folder(main, git, base):
    tree = base / "tree"
    git(main, "worktree", "add", tree)
    found = repository.find(tree)
    assert found
    assert found.root == tree
    assert found.folder == main / ".git" / "worktrees" / "tree"
    assert found.common == main / ".git"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_no_repository_and_holds_nobody_up(base):
    os.mkfifo(base / ".git")
    assert repository.find(base) is None


@pytest.mark.parametrize("data", [b"", b"\0", b"gitdir:\n", b"gitdir: a\0b\n"])
def test_a_file_that_names_no_folder_is_no_repository(base, data):
    (base / ".git").write_bytes(data)
    assert repository.find(base) is None


def test_the_project_is_the_main_work_tree_for_all_worktrees(main, git, base):
    tree = base / "tree"
    git(main, "worktree", "add", tree)
    (tree / "sub").mkdir()
    for folder in (main, main / "sub" / "deep", tree, tree / "sub"):
        assert project_of(str(folder)) == str(main)


def test_the_project_of_a_folder_reached_by_a_link(main, base):
    link = base / "link"
    link.symlink_to(main / "sub", target_is_directory=True)
    assert project_of(str(link / "deep")) == str(main)


def test_a_bare_repository_is_the_project_of_its_worktrees(main, git, base):
    bare = base / "bare.git"
    git(base, "clone", "--bare", main, bare)
    for name in ("one", "two"):
        git(bare, "worktree", "add", base / name, "-b", name)
        assert project_of(str(base / name)) == str(bare)
    assert project_of(str(bare)) == str(bare)


def test_a_submodule_is_a_project_of_its_own(main, git, base):
    library = base / "library"
    git(base, "clone", main, library)
    git(main, "submodule", "add", library, "lib")
    assert project_of(str(main / "lib")) == str(main / "lib")


def test_the_project_of_a_folder_that_is_gone(main, git, base):
    assert project_of(str(main / "gone" / "deeper")) == str(main)
    tree = base / "tree"
    git(main, "worktree", "add", tree)
    shutil.rmtree(tree)
    assert project_of(str(tree)) == str(tree)


def test_a_worktree_whose_repository_is_gone_is_its_own_project(main, git, base):
    tree = base / "tree"
    git(main, "worktree", "add", tree)
    shutil.rmtree(main)
    assert project_of(str(tree / "sub")) == str(tree)


@pytest.mark.parametrize("folder", ["", ".", "some/where", "sha256:0123", "/nul\0here", "/\udcff"])
def test_what_lies_in_no_repository_is_a_project_by_itself(folder):
    assert project_of(folder) == folder


def test_a_relative_path_is_not_taken_from_the_current_folder(main, monkeypatch):
    monkeypatch.chdir(main)
    assert project_of("sub") == "sub"


def test_a_folder_in_no_repository_is_its_own_project(base):
    assert project_of(str(base)) == str(base)
