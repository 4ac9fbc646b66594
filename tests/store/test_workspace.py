"""Which folder is the workspace."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from rad_lsp.core.errors import RadError
from rad_lsp.store import workspace as workspaces
from rad_lsp.store.workspace import Workspace


@pytest.fixture
def folder(tmp_path):
    """A folder below `tmp_path`, with a `.radium` folder if it is to be a workspace."""

    def made(name, *, marked=True):
        made = tmp_path / name
        made.mkdir(parents=True)
        if marked:
            (made / ".radium").mkdir()
        return made

    return made


def test_the_nearest_workspace_upward_is_found(folder):
    folder("outer")
    inner = folder("outer/inner")
    current = folder("outer/inner/src/deep", marked=False)
    assert workspaces.find(None, {}, current) == Workspace(inner, "nearest")
    assert workspaces.find(None, {}, inner) == Workspace(inner, "nearest")


def test_the_environment_beats_the_nearest(folder):
    other, current = folder("other"), folder("current")
    found = workspaces.find(None, {"RADIUM_WORKSPACE": str(other)}, current)
    assert found == Workspace(other, "environment")


def test_a_named_folder_beats_the_environment(folder):
    named, other = folder("named"), folder("other")
    found = workspaces.find(named, {"RADIUM_WORKSPACE": str(other)}, other)
    assert found == Workspace(named, "named")


def test_an_empty_variable_is_as_good_as_none(folder):
    current = folder("current")
    assert workspaces.find(None, {"RADIUM_WORKSPACE": ""}, current).found == "nearest"


def test_a_relative_folder_becomes_absolute(folder, monkeypatch, tmp_path):
    folder("named")
    monkeypatch.chdir(tmp_path)
    assert workspaces.find(Path("named"), {}, tmp_path).root == tmp_path / "named"


def test_reports_lie_below_the_workspace(folder):
    root = folder("w")
    found = workspaces.find(root, {}, root)
    assert found.sessions == root / ".radium" / "_internals" / "sessions"


def test_a_folder_without_a_marker_may_have_sessions_of_other_agents(folder):
    bare = folder("bare", marked=False)
    assert workspaces.find(None, {}, bare) == Workspace(bare, "current", marked=False)
    assert workspaces.find(bare, {}, bare) == Workspace(bare, "named", marked=False)
    found = workspaces.find(None, {"RADIUM_WORKSPACE": str(bare)}, folder("w"))
    assert found == Workspace(bare, "environment", marked=False)


def test_without_a_marker_a_repository_is_the_workspace(folder):
    root = folder("repository", marked=False)
    (root / ".git").mkdir()
    current = folder("repository/src/deep", marked=False)
    assert workspaces.find(None, {}, current) == Workspace(root, "repository", marked=False)


def test_a_file_in_the_markers_place_is_no_workspace(folder):
    bare = folder("bare", marked=False)
    (bare / ".radium").write_text("")
    assert not workspaces.find(bare, {}, bare).marked


def test_a_named_folder_that_is_not_there_is_named(tmp_path):
    gone = tmp_path / "gone"
    with pytest.raises(RadError, match=r"--workspace names .*gone, which is not a folder"):
        workspaces.find(gone, {}, tmp_path)
    with pytest.raises(RadError, match=r"\$RADIUM_WORKSPACE names .*gone, which is not a folder"):
        workspaces.find(None, {"RADIUM_WORKSPACE": str(gone)}, tmp_path)


def test_a_named_folder_with_a_line_feed_is_one_line(tmp_path):
    with pytest.raises(RadError) as raised:
        workspaces.find(tmp_path / "a\n\x1b[2J", {}, tmp_path)
    assert str(raised.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users here")
def test_a_named_folder_that_may_not_be_looked_into_is_an_error_for_the_user():
    closed = Path(tempfile.mkdtemp())
    (closed / "w").mkdir()
    closed.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        with pytest.raises(RadError):
            workspaces.find(closed / "w", {}, closed)
    finally:
        os.seteuid(user)
        closed.chmod(0o700)
        shutil.rmtree(closed)


def test_init_makes_the_folder_once(tmp_path):
    assert workspaces.init(tmp_path) is True
    assert (tmp_path / ".radium" / "_internals" / "sessions").is_dir()
    assert workspaces.init(tmp_path) is False


def test_init_leaves_what_is_there(workspace):
    path = workspace.add("a")
    before = path.read_bytes()
    assert workspaces.init(workspace.root) is False
    assert path.read_bytes() == before


def test_init_below_a_file_is_an_error(tmp_path):
    (tmp_path / ".radium").write_text("")
    with pytest.raises(OSError, match=r"\.radium"):
        workspaces.init(tmp_path)


@pytest.fixture
def repository(folder, git):
    """A repository with a commit."""
    root = folder("repository", marked=False)
    git(root, "init")
    git(root, "commit", "--allow-empty", "-m", "x")
    return root


def real(folders):
    return {os.path.realpath(folder) for folder in folders}


def test_a_folder_without_a_repository_stands_for_itself(folder):
    bare = folder("bare", marked=False)
    assert workspaces.folders_of(bare) == [bare]


def test_all_worktrees_of_a_repository_are_known_from_each(repository, git, tmp_path):
    trees = [repository, tmp_path / "one", tmp_path / "two"]
    for tree in trees[1:]:
        git(repository, "worktree", "add", tree)
    for tree in trees:
        assert workspaces.folders_of(tree)[0] == tree
        assert real(workspaces.folders_of(tree)) == set(map(str, trees))
    below = [tree / "a" / "b" for tree in trees]
    assert real(workspaces.folders_of(below[1])) == set(map(str, below))


def test_worktrees_of_a_repository_without_a_tree_of_its_own(repository, git, tmp_path):
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--bare", repository, bare)
    trees = [tmp_path / "one", tmp_path / "two"]
    for tree in trees:
        git(bare, "worktree", "add", tree, "-b", tree.name)
    assert real(workspaces.folders_of(trees[0])) == set(map(str, trees))


def test_a_worktree_may_be_linked_by_a_relative_path(repository, git, tmp_path):
    tree = tmp_path / "one"
    git(repository, "worktree", "add", tree)
    link = repository / ".git" / "worktrees" / "one" / "gitdir"
    link.write_text("../../../../one/.git\n")
    (tree / ".git").write_text("gitdir: ../repository/.git/worktrees/one\n")
    for place in (repository, tree):
        assert real(workspaces.folders_of(place)) == {str(repository), str(tree)}


def test_a_submodule_has_folders_of_its_own(repository, git, folder):
    library = folder("library", marked=False)
    git(library, "init")
    git(library, "commit", "--allow-empty", "-m", "x")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", library, "lib")
    assert workspaces.folders_of(repository / "lib") == [repository / "lib"]


@pytest.mark.parametrize("data", [b"", b"\0", b"gitdir: \0\n", b"\xff", b"gitdir: /nowhere\n"])
def test_a_link_to_no_repository_is_survived(folder, data):
    root = folder("w", marked=False)
    (root / ".git").write_bytes(data)
    assert workspaces.folders_of(root) == [root]


def test_a_link_to_no_worktree_is_left_out(repository):
    worktrees = repository / ".git" / "worktrees"
    for name, data in (("empty", b""), ("nul", b"\0"), ("text", b"\xff")):
        (worktrees / name).mkdir(parents=True)
        (worktrees / name / "gitdir").write_bytes(data)
    assert str(repository) in real(workspaces.folders_of(repository))
