"""Code changes in real repositories: the figures, and that nothing of the user's is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from rad_lsp.tracking.changes import ChangeTracker, CodeChanges, Limits, reason_not_counted
from tests.tracking.conftest import LIMITS, Repo, figures

THREE = "one\ntwo\nthree\n"
STORIES = []


def story(added, removed, files):
    """Register a generator: up to its yield is before the session, what follows happens in it."""

    def register(function):
        STORIES.append(pytest.param(function, (added, removed, files), id=function.__name__))
        return function

    return register


def told(repo, watch, tale, folder=None):
    """What is counted in a repository whose story is told by a generator."""
    steps = tale(repo)
    next(steps)
    watched = watch(folder or repo.root, repo.root)
    assert watched.start() is None
    next(steps, None)
    return watched.changes()


@story(0, 0, 0)
def nothing(_repo):
    yield


@story(1, 0, 1)
def edited(repo):
    yield
    repo.append("a.txt")


@story(3, 0, 1)
def untracked(repo):
    yield
    repo.write("new/deep/file.txt", THREE)


@story(0, 0, 0)
def ignored(repo):
    repo.write(".gitignore", "*.log\nbuild/\n")
    yield
    repo.write("x.log", THREE)
    repo.write("build/y.txt", THREE)


@story(0, 0, 0)
def ignored_by_the_repositorys_own_file(repo):
    repo.write(".git/info/exclude", "*.log\n")
    yield
    repo.write("x.log", THREE)


@story(0, 0, 0)
def ignored_by_a_file_of_the_users(repo):
    repo.write("../home-ignore", "*.log\n")
    repo.git("config", "core.excludesFile", str(repo.path("../home-ignore").resolve()))
    yield
    repo.write("x.log", THREE)


@story(1, 0, 1)
def dirty_before(repo):
    repo.append("a.txt", "before\n")
    repo.append("b.txt", "before\n")
    repo.write("untracked.txt", THREE)
    repo.remove("sub/c.txt")
    yield
    repo.append("a.txt")


@story(0, 0, 0)
def dirty_before_and_committed(repo):
    repo.append("a.txt")
    repo.write("untracked.txt", THREE)
    repo.remove("b.txt")
    yield
    repo.commit()


@story(0, 1, 1)
def dirty_before_and_reset(repo):
    repo.append("a.txt")
    yield
    repo.git("reset", "-q", "--hard")


@story(0, 3, 1)
def untracked_before_and_deleted(repo):
    repo.write("untracked.txt", THREE)
    yield
    repo.remove("untracked.txt")


@story(2, 3, 3)
def committed_and_amended(repo):
    yield
    repo.append("a.txt")
    repo.commit()
    repo.append("sub/c.txt")
    repo.remove("b.txt")
    repo.commit("--amend")


@story(3, 1, 2)
def branch_switched(repo):
    repo.git("switch", "-q", "-c", "other")
    repo.write("new.txt", THREE)
    repo.write("a.txt", "one\ntwo\n")
    repo.commit()
    repo.git("switch", "-q", "main")
    yield
    repo.git("switch", "-q", "other")


@story(0, 0, 0)
def branch_switched_and_back(repo):
    repo.git("branch", "other", "main")
    yield
    repo.git("switch", "-q", "other")
    repo.append("a.txt")
    repo.commit()
    repo.git("switch", "-q", "main")


@story(2, 0, 2)
def rebased(repo):
    repo.git("switch", "-q", "-c", "other")
    yield
    repo.append("a.txt")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.append("b.txt")
    repo.commit()
    repo.git("switch", "-q", "other")
    repo.git("rebase", "-q", "main")


@story(0, 1, 1)
def stashed(repo):
    repo.append("a.txt")
    yield
    repo.git("stash", "-q")


@story(0, 0, 0)
def stashed_and_popped(repo):
    repo.append("a.txt")
    yield
    repo.git("stash", "-q")
    repo.git("stash", "pop", "-q")


@story(1, 0, 1)
def detached(repo):
    repo.git("checkout", "-q", "--detach")
    yield
    repo.append("a.txt")
    repo.commit()


@story(3, 3, 2)
def renamed(repo):
    yield
    repo.git("mv", "a.txt", "z.txt")


@story(0, 3, 1)
def really_deleted(repo):
    yield
    repo.git("rm", "-q", "b.txt")


@story(1, 0, 1)
def untracked_then_ignored(repo):
    repo.write("notes.log", THREE)
    yield
    repo.write(".gitignore", "*.log\n")


@story(1, 0, 1)
def untracked_then_ignored_and_the_index_written(repo):
    repo.write("notes.log", THREE)
    yield
    repo.write(".gitignore", "*.log\n")
    repo.git("add", ".gitignore")


@story(1, 0, 1)
def removed_from_the_index_and_ignored(repo):
    yield
    repo.git("rm", "-q", "--cached", "b.txt")
    repo.write(".gitignore", "b.txt\n")


@story(3, 1, 2)
def ignored_before_and_no_longer(repo):
    repo.write(".gitignore", "*.log\n")
    repo.write("notes.log", THREE)
    yield
    repo.remove(".gitignore")


@story(0, 0, 0)
def assumed_to_be_unchanged(repo):
    repo.git("update-index", "--assume-unchanged", "a.txt")
    yield
    repo.append("a.txt")


@story(0, 0, 2)
def binary(repo):
    repo.write("old.bin", b"\0\1\2")
    repo.commit()
    yield
    repo.write("old.bin", b"\0\1\3")
    repo.write("new.bin", b"\0" * 5000)


@story(3, 2, 3)
def symbolic_links(repo):
    repo.path("to-a").symlink_to("a.txt")
    repo.path("gone").symlink_to("nowhere")
    repo.commit()
    yield
    repo.remove("to-a")
    repo.path("to-a").symlink_to("b.txt")
    repo.remove("gone")
    repo.path("gone").symlink_to("nowhere-else")
    repo.path("new").symlink_to("nowhere")


@story(1, 3, 2)
def folder_replaced_by_a_link_to_one_like_it(repo):
    repo.write("../elsewhere/c.txt", THREE)
    yield
    shutil.rmtree(repo.path("sub"))
    repo.path("sub").symlink_to("../elsewhere")


@story(0, 0, 1)
def mode_only(repo):
    yield
    repo.path("a.txt").chmod(0o755)


@story(0, 0, 0)
def mode_only_where_modes_do_not_count(repo):
    repo.git("config", "core.fileMode", "false")
    yield
    repo.path("a.txt").chmod(0o755)


@story(3, 3, 2)
def file_replaced_by_a_folder(repo):
    yield
    repo.remove("a.txt")
    repo.write("a.txt/inner.txt", THREE)


@story(1, 3, 2)
def folder_replaced_by_a_file(repo):
    yield
    shutil.rmtree(repo.path("sub"))
    repo.write("sub", "one\n")


@story(0, 0, 0)
def line_ends_that_git_converts(repo):
    repo.git("config", "core.autocrlf", "true")
    yield
    repo.write("a.txt", THREE.replace("\n", "\r\n"))


@story(3, 3, 1)
def line_ends_that_git_does_not_convert(repo):
    yield
    repo.write("a.txt", THREE.replace("\n", "\r\n"))


@story(0, 0, 0)
def line_ends_by_attribute(repo):
    repo.write(".gitattributes", "*.txt eol=crlf\n")
    repo.commit()
    yield
    repo.write("a.txt", THREE.replace("\n", "\r\n"))


@story(1, 0, 1)
def line_ends_stored_as_they_are_with_autocrlf(repo):
    repo.write("a.txt", THREE.replace("\n", "\r\n"))
    repo.commit()
    repo.git("config", "core.autocrlf", "true")
    yield
    repo.append("a.txt", "more\r\n")


@story(0, 0, 0)
def line_ends_converted_by_a_setting_of_the_users(repo):
    repo.git("config", "--global", "core.autocrlf", "input")
    yield
    repo.write("a.txt", THREE.replace("\n", "\r\n"))


@story(4, 0, 2)
def sparse_by_patterns(repo):
    repo.git("sparse-checkout", "set", "--no-cone", "/a.txt", "/new/")
    assert not repo.path("b.txt").exists()
    yield
    repo.append("a.txt")
    repo.write("new/x.txt", THREE)


@story(1, 0, 1)
def sparse_by_folders(repo):
    repo.git("sparse-checkout", "set", "--cone", "sub")
    yield
    repo.append("sub/c.txt")


@story(0, 0, 0)
def sparse_since(repo):
    yield
    repo.git("sparse-checkout", "set", "--no-cone", "/a.txt")
    assert not repo.path("b.txt").exists()


@story(0, 0, 0)
def sparse_no_longer(repo):
    repo.git("sparse-checkout", "set", "--no-cone", "/a.txt")
    yield
    repo.git("sparse-checkout", "disable")


@story(1, 0, 1)
def split_index(repo):
    repo.git("update-index", "--split-index")
    repo.append("b.txt")
    repo.git("add", "b.txt")
    yield
    repo.append("a.txt")


@story(1, 0, 1)
def index_locked(repo):
    repo.write(".git/index.lock", "")
    yield
    repo.append("a.txt")


@story(1, 0, 1)
def index_of_version_four(repo):
    repo.git("update-index", "--index-version", "4")
    yield
    repo.append("a.txt")


def conflict(repo):
    repo.git("switch", "-q", "-c", "other")
    repo.write("a.txt", "theirs\n")
    repo.remove("b.txt")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write("a.txt", "ours\n")
    repo.append("b.txt")
    repo.commit()
    return lambda: repo.git("merge", "other", check=False)


@story(1, 5, 1)
def starting_in_a_conflict(repo):
    conflict(repo)()
    assert "<<<<<<<" in repo.path("a.txt").read_text(encoding="utf-8")
    yield
    repo.write("a.txt", "mended\n")


@story(4, 0, 1)
def ending_in_a_conflict(repo):
    merge = conflict(repo)
    yield
    merge()


@story(4, 0, 2)
def conflict_resolved_and_committed(repo):
    merge = conflict(repo)
    merge()
    repo.write("a.txt", "ours\n")
    yield
    repo.append("a.txt")
    repo.write("new.txt", THREE)
    repo.commit()


@story(3, 0, 1)
def intended_to_be_added(repo):
    yield
    repo.write("new.txt", THREE)
    repo.git("add", "-N", "new.txt")


@story(1, 0, 1)
def intended_to_be_added_before(repo):
    repo.write("new.txt", THREE)
    repo.git("add", "-N", "new.txt")
    yield
    repo.append("new.txt")


STRANGE = ["new\nline", 'quo"te', ":(top)a", "-dash", "--", "tab\there", ":1 2 3", "back\\slash"]
STRANGE += ["ünï", "~", "*", "#", " ", "sub/ :(glob)**"]


@story(len(STRANGE), 0, len(STRANGE))
def strange_names(repo):
    for name in STRANGE:
        repo.write(name, THREE)
    yield
    for name in STRANGE:
        repo.append(name)


@story(0, 3 * len(STRANGE), len(STRANGE))
def strange_names_committed_and_deleted(repo):
    for name in STRANGE:
        repo.write(name, THREE)
    repo.commit()
    yield
    for name in STRANGE:
        repo.remove(name)


if sys.platform == "linux":

    @story(4, 0, 2)
    def names_that_are_not_utf_8(repo):
        old, new = (os.fsdecode(name) for name in (b"ol\xff\xfe", b"ne\xff\xfe"))
        repo.write(old, THREE)
        yield
        repo.append(old)
        repo.write(new, THREE)


@story(0, 3, 1)
def fifo_and_socket(repo):
    os.mkfifo(repo.path("pipe"))
    yield
    os.mkfifo(repo.path("another"))
    repo.remove("b.txt")
    os.mkfifo(repo.path("b.txt"))


@story(2, 0, 2)
def garbage_collected(repo):
    repo.append("a.txt", "staged\n")
    repo.git("add", "a.txt")
    yield
    repo.git("reset", "-q")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    repo.append("a.txt")
    repo.append("b.txt")


@story(0, 1, 1)
def garbage_collected_after_what_was_staged_is_gone(repo):
    repo.append("a.txt", "staged\n")
    repo.git("add", "a.txt")
    yield
    repo.git("reset", "-q", "--hard")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")


@story(1, 0, 1)
def packed_references(repo):
    repo.git("pack-refs", "--all")
    repo.append("b.txt")
    repo.git("add", "b.txt")
    yield
    repo.append("a.txt")


@story(0, 0, 0)
def only_touched(repo):
    yield
    os.utime(repo.path("a.txt"), (1, 1))


@story(0, 0, 0)
def reports_never_count(repo):
    repo.write(".radium/committed.json", THREE)
    repo.write("sub/.radium/_internals/x.json", THREE)
    repo.commit()
    yield
    repo.append(".radium/committed.json")
    repo.write(".radium/_internals/sessions/x.json", THREE)
    repo.remove("sub/.radium/_internals/x.json")


@story(0, 0, 0)
def untracked_repositories_inside(repo):
    Repo(repo.path("inner"))
    yield
    Repo(repo.path("later/inner"))
    repo.git("init", "-q", "empty")
    repo.write("inner/a.txt", "changed\n")


@story(0, 0, 0)
def untracked_folder_made_a_repository(repo):
    repo.write("inner/a.txt", THREE)
    yield
    repo.git("init", "-q", "inner")
    repo.git("update-index", "--refresh")


@pytest.mark.parametrize(("tale", "expected"), STORIES)
def test_a_session_counts(repo, watch, tale, expected):
    assert figures(told(repo, watch, tale)) == expected


@pytest.mark.parametrize(
    "tale", [edited, dirty_before_and_committed, strange_names, garbage_collected, binary]
)
def test_a_repository_with_longer_names_of_objects(make_repo, watch, tale):
    repo = make_repo("long", "--object-format=sha256")
    expected = next(
        parameters.values[1] for parameters in STORIES if parameters.id == tale.__name__
    )
    assert figures(told(repo, watch, tale)) == expected


def test_a_same_size_edit_right_after_git_add_is_always_seen(repo, watch):
    watched = watch(repo.root)
    for number in range(5):
        repo.write("a.txt", f"{number}\n")
        repo.git("add", "a.txt")
        watched.start()
        repo.write("a.txt", f"{9 - number}\n")
        assert figures(watched.changes()) == (1, 1, 1)


def test_each_refresh_counts_from_the_start(repo, watch):
    watched = watch(repo.root)
    watched.start()
    for number in range(1, 4):
        repo.append("a.txt")
        repo.write(f"new-{number}.txt", THREE)
        assert figures(watched.changes()) == (4 * number, 0, number + 1)
    repo.commit()
    assert figures(watched.changes()) == (12, 0, 4)
    repo.git("reset", "-q", "--hard", "HEAD~")
    assert figures(watched.changes()) == (0, 0, 0)


def test_a_second_start_begins_anew(repo, watch):
    watched = watch(repo.root)
    watched.start()
    repo.append("a.txt")
    assert figures(watched.changes()) == (1, 0, 1)
    watched.start()
    assert figures(watched.changes()) == (0, 0, 0)


def test_a_tracker_can_be_used_by_several_threads(repo):
    found = []
    with ChangeTracker(repo.root, LIMITS) as tracker:
        repo.append("a.txt")
        threads = [
            threading.Thread(target=lambda: found.append(tracker.changes())) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [figures(changes) for changes in found] == [(1, 0, 1)] * 4


def test_the_whole_work_tree_counts_for_a_folder_in_it(repo, watch):
    assert figures(told(repo, watch, edited, folder=repo.path("sub"))) == (1, 0, 1)


def test_a_folder_reached_by_a_link(repo, watch, tmp_path):
    (tmp_path / "link").symlink_to(repo.path("sub"))
    assert figures(told(repo, watch, edited, folder=tmp_path / "link")) == (1, 0, 1)


@pytest.mark.parametrize("name", ["co:lon", "quo'te\"s", "new\nline", "space s", "back\\slash"])
def test_a_repository_in_a_folder_of_any_name(make_repo, watch, name):
    repo = make_repo(name)
    assert figures(told(repo, watch, dirty_before_and_reset)) == (0, 1, 1)


def test_the_temporary_folder_inside_the_work_tree_does_not_count(repo, monkeypatch):
    repo.path("tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(repo.path("tmp")))
    with ChangeTracker(repo.root, LIMITS) as tracker:
        assert figures(tracker.changes()) == (0, 0, 0)
        repo.write("tmp/mine.txt", THREE)
        assert tracker.changes() == CodeChanges(3, 0, 1)


def test_a_linked_worktree_counts_alone(repo, watch, tmp_path):
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = watch(tmp_path / "linked", repo.root)
    assert linked.start() is None
    (tmp_path / "linked" / "a.txt").write_text("one\n", encoding="utf-8")
    repo.append("b.txt")
    assert figures(linked.changes()) == (0, 2, 1)


def test_a_linked_worktree_of_a_bare_repository(repo, watch, tmp_path):
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    repo.git("-C", str(tmp_path / "bare"), "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = watch(tmp_path / "linked", tmp_path / "bare")
    assert linked.start() is None
    (tmp_path / "linked" / "a.txt").write_text("one\n", encoding="utf-8")
    assert figures(linked.changes()) == (0, 2, 1)


@pytest.fixture
def super_repo(make_repo):
    """A repository with a submodule that has a submodule."""
    innermost, inner, outer = (make_repo(name) for name in ("innermost", "inner", "outer"))
    allowed = ("-c", "protocol.file.allow=always", "submodule")
    inner.git(*allowed, "add", "-q", str(innermost.root), "deep")
    inner.commit()
    outer.git(*allowed, "add", "-q", str(inner.root), "lib/inner")
    outer.git(*allowed, "update", "-q", "--init", "--recursive")
    outer.commit()
    return outer


def test_submodules_count_each_on_its_own(super_repo, watch):
    watched = watch(super_repo.root)
    super_repo.write("lib/inner/deep/untracked-before.txt", THREE)
    super_repo.append("lib/inner/b.txt")
    watched.start()
    super_repo.append("a.txt")
    super_repo.append("lib/inner/a.txt")
    super_repo.write("lib/inner/deep/new.txt", THREE)
    assert watched.changes() == CodeChanges(5, 0, 3)
    super_repo.git("-C", "lib/inner", "commit", "-q", "-a", "-m", "inside")
    super_repo.commit()
    assert watched.changes() == CodeChanges(5, 0, 3)


def test_inside_a_submodule_only_that_counts(super_repo, watch):
    watched = watch(super_repo.path("lib/inner"), super_repo.root)
    watched.start()
    super_repo.append("a.txt")
    super_repo.append("lib/inner/a.txt")
    assert figures(watched.changes()) == (1, 0, 1)


def test_a_submodule_that_goes_is_said(super_repo, watch):
    watched = watch(super_repo.root)
    watched.start()
    super_repo.append("lib/inner/a.txt")
    watched.changes()
    shutil.rmtree(super_repo.path("lib/inner"))
    changes = watched.changes()
    assert figures(changes) == (1, 0, 1)
    assert [note.split(":")[:2] for note in changes.notes] == [
        ["lib/inner", " partial"],
        ["lib/inner/deep", " partial"],
    ]


def test_a_submodule_that_is_not_checked_out_does_no_harm(super_repo, watch):
    super_repo.git("submodule", "deinit", "-q", "-f", "--all")
    assert told(super_repo, watch, edited) == CodeChanges(1, 0, 1)


def test_a_link_in_place_of_a_submodule_is_not_followed(super_repo, make_repo, watch):
    other = make_repo("other")
    shutil.rmtree(super_repo.path("lib/inner"))
    super_repo.path("lib/inner").symlink_to(other.root)
    watched = watch(super_repo.root, other.root)
    assert watched.start() is None
    other.append("a.txt", "more\nand more\n")
    assert watched.changes() == CodeChanges()


def test_a_broken_submodule_is_said(super_repo, watch):
    super_repo.write("lib/inner/.git", "gitdir: nowhere\n")
    changes = told(super_repo, watch, edited)
    assert figures(changes) == (1, 0, 1)
    assert "lib/inner: not counted" in changes.notes[0]


def test_submodules_are_bounded(super_repo, watch):
    watched = watch(super_repo.root, limits=Limits(submodules=1))
    watched.start()
    super_repo.append("lib/inner/a.txt")
    super_repo.append("lib/inner/deep/a.txt")
    changes = watched.changes()
    assert figures(changes) == (1, 0, 1)
    assert changes.notes == ("partial: only 1 submodules count",)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_before_the_first_commit(tmp_path, watch, algorithm):
    root = tmp_path / "fresh"
    root.mkdir()
    subprocess.run(["git", "init", "-q", f"--object-format={algorithm}"], cwd=root, check=True)
    (root / "before.txt").write_text(THREE, encoding="utf-8")
    watched = watch(root)
    assert watched.start() is None
    (root / "a.txt").write_text(THREE, encoding="utf-8")
    assert figures(watched.changes()) == (3, 0, 1)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    assert figures(watched.changes()) == (3, 0, 1)
    subprocess.run(["git", "commit", "-q", "-m", "first"], cwd=root, check=True)
    assert figures(watched.changes()) == (3, 0, 1)


def test_a_sparse_index(repo):
    for number in range(5):
        repo.write(f"folder-{number}/inner/x.txt", THREE)
    repo.commit()
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "folder-1")
    assert "040000" in repo.git("ls-files", "-s", "--sparse")
    before = {path: path.read_bytes() for path in repo.root.rglob("*") if path.is_file()}
    tracker = ChangeTracker(repo.root, LIMITS)
    tracker.start()
    assert tracker.reason is None
    assert tracker.changes() == CodeChanges()
    # Not the times: to fill in the folders git needs the user's objects in sight.
    assert before == {path: path.read_bytes() for path in repo.root.rglob("*") if path.is_file()}
    repo.append("folder-1/inner/x.txt")
    repo.write("folder-2/new.txt", THREE)
    assert figures(tracker.changes()) == (4, 0, 2)
    tracker.close()


CLONES = {
    "shared": ("-s",),
    "shallow": ("--depth=1",),
    "without contents": ("--filter=blob:none",),
    "without folders": ("--filter=tree:0",),
}


@pytest.mark.parametrize("options", CLONES.values(), ids=CLONES)
def test_a_clone_that_lacks_objects(repo, watch, tmp_path, options):
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.append("a.txt")
    repo.commit()
    source = str(repo.root) if options == ("-s",) else repo.root.as_uri()
    repo.git("clone", "-q", *options, source, str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    watched = watch(clone, repo.root)
    assert watched.start() is None
    (clone / "a.txt").write_text("one\n", encoding="utf-8")
    (clone / "b.txt").unlink()
    assert figures(watched.changes()) == (0, 6, 2)


def test_a_content_that_is_gone_costs_only_its_lines(repo, watch):
    watched = watch(repo.root)
    watched.start()
    name = repo.git("rev-parse", "HEAD:a.txt").strip()
    repo.append("a.txt")
    repo.path(f".git/objects/{name[:2]}/{name[2:]}").unlink()
    fresh = watched.changes()
    assert fresh.files_changed == 1
    assert fresh.notes == (
        "partial: lines are not known of 1 file whose former content git has no more",
    )


def test_a_repository_of_another_owner(repo, watch, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    refused = subprocess.run(
        ["git", "status"], cwd=repo.root, capture_output=True, check=False, text=True
    )
    assert "dubious ownership" in refused.stderr
    assert figures(told(repo, watch, edited)) == (1, 0, 1)


if hasattr(os, "geteuid"):

    @pytest.fixture
    def nobody():
        """A folder that we see as a user who may not do everything."""
        folder = Path(tempfile.mkdtemp())
        is_root = os.geteuid() == 0
        if is_root:
            shutil.chown(folder, 65534)
            os.seteuid(65534)
        yield folder
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)

    def test_a_file_that_may_not_be_read(nobody, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(nobody))
        repo = Repo(nobody / "repo")
        repo.write("secret.txt", THREE)
        repo.path("secret.txt").chmod(0)
        with ChangeTracker(repo.root, LIMITS) as tracker:
            assert tracker.reason is None
            assert tracker.changes() == CodeChanges()
            repo.append("a.txt")
            repo.path("secret.txt").chmod(0o600)
            repo.append("secret.txt")
            repo.path("secret.txt").chmod(0)
            repo.path("b.txt").chmod(0)
            repo.write("new.txt", THREE)
            repo.path("new.txt").chmod(0)
            changes = tracker.changes()
        assert figures(changes) == (1, 0, 4)
        assert changes.notes == ("lines are not known of 3 files that can't be read",)

    def test_a_folder_that_may_not_be_read_is_said(nobody, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(nobody))
        repo = Repo(nobody / "repo")
        repo.write("secret/x.txt", THREE)
        repo.path("secret").chmod(0)
        with ChangeTracker(repo.root, LIMITS) as tracker:
            repo.append("a.txt")
            changes = tracker.changes()
        repo.path("secret").chmod(0o700)
        assert figures(changes) == (1, 0, 1)
        assert "could not open directory" in changes.notes[0]

    def test_an_index_that_may_not_be_read_is_a_reason(nobody, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(nobody))
        repo = Repo(nobody / "repo")
        repo.path(".git/index").chmod(0)
        with ChangeTracker(repo.root, LIMITS) as tracker:
            assert tracker.reason
            assert "Permission denied" in tracker.reason


def lfs(repo):
    repo.write(".gitattributes", "*.big filter=lfs diff=lfs merge=lfs -text\n")
    repo.git("config", "filter.lfs.clean", CLEAN)
    repo.git("config", "filter.lfs.required", "true")


CLEAN = (
    "cat >.git/content && printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\n"
    "size %s\\n' $(sha256sum <.git/content | cut -c-64) $(wc -c <.git/content)"
)


def test_large_file_storage(repo, watch):
    lfs(repo)
    for name in ("touched", "changed", "committed", "same", "dirty", "gone"):
        repo.write(f"{name}.big", f"content of {name}\n" * 10)
    repo.commit()
    assert repo.git("show", "HEAD:same.big").startswith("version https://git-lfs")
    repo.write("dirty.big", "dirty before\n")
    repo.write("untracked.big", "untracked before\n")
    watched = watch(repo.root)
    assert watched.start() is None
    assert watched.changes() == CodeChanges()
    os.utime(repo.path("touched.big"), (1, 1))
    os.utime(repo.path("dirty.big"), (1, 1))
    assert watched.changes() == CodeChanges()
    content = repo.path("changed.big").read_bytes()
    repo.write("changed.big", content.replace(b"c", b"k"))
    repo.append("committed.big")
    repo.git("add", "committed.big")
    repo.git("commit", "-q", "-m", "one")
    repo.write("new.big", "new\n")
    repo.remove("gone.big")
    repo.append("a.txt")
    changes = watched.changes()
    assert figures(changes) == (1, 0, 5)
    assert changes.notes == ("lines are not known of 4 files with a filter (lfs)",)
    repo.append("dirty.big")
    repo.remove("untracked.big")
    assert figures(watched.changes()) == (1, 0, 7)
    repo.write("dirty.big", "dirty before\n")
    repo.write("untracked.big", "untracked before\n")
    repo.commit()
    assert figures(watched.changes()) == (1, 0, 5)


def test_another_filter_tells_a_change_by_its_size(repo, watch):
    repo.write(".gitattributes", "*.up filter=up\n")
    repo.git("config", "filter.up.clean", "tr a-z A-Z")
    for name in ("touched", "changed", "same"):
        repo.write(f"{name}.up", THREE)
        os.utime(repo.path(f"{name}.up"), (1000, 1000))
    repo.commit()
    watched = watch(repo.root)
    watched.start()
    os.utime(repo.path("touched.up"), (1, 1))
    repo.append("changed.up")
    changes = watched.changes()
    assert figures(changes) == (0, 0, 1)
    assert changes.notes == (
        "lines are not known of 1 file with a filter (up)",
        "it is not known whether 1 file with a filter changed, or only got a new time",
    )


def test_a_conflict_in_a_file_with_a_filter(repo, watch):
    repo.write(".gitattributes", "*.big filter=lfs -merge\n")
    repo.write("x.big", "base\n")
    repo.commit()
    repo.git("switch", "-q", "-c", "other")
    repo.write("x.big", "theirs\n")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write("x.big", "ours\n")
    repo.commit()
    watched = watch(repo.root)
    watched.start()
    repo.git("merge", "other", check=False)
    assert repo.git("ls-files", "-u")
    repo.append("a.txt")
    repo.append("x.big")
    changes = watched.changes()
    assert figures(changes) == (1, 0, 2)


def test_large_files_are_told_by_size_and_time(repo, watch):
    line = "x" * 99 + "\n"
    repo.write("tracked.txt", line * 100)
    repo.write("committed.txt", line * 100)
    repo.commit()
    repo.write("before.txt", line * 100)
    repo.write("gone.txt", line * 100)
    repo.append("committed.txt")
    watched = watch(repo.root, limits=Limits(file_bytes=5000))
    watched.start()
    assert watched.changes() == CodeChanges()
    repo.git("add", "committed.txt")
    repo.git("commit", "-q", "-m", "more")
    assert watched.changes() == CodeChanges()
    repo.write("new.txt", line * 100 + "end")
    repo.write("new.bin", b"\0" * 6000)
    assert watched.changes() == CodeChanges(101, 0, 2)
    repo.append("tracked.txt")
    repo.append("before.txt")
    repo.remove("gone.txt")
    changes = watched.changes()
    assert figures(changes) == (101, 0, 5)
    assert changes.notes == ("lines are not known of 3 files larger than 0.005 MB",)
    repo.commit()
    assert figures(watched.changes()) == (102, 0, 5)


def test_a_file_that_grows_large_in_the_session(repo, watch):
    repo.write("untracked.txt", THREE)
    watched = watch(repo.root, limits=Limits(file_bytes=5000))
    watched.start()
    repo.write("untracked.txt", THREE * 1000)
    repo.write("new.txt", THREE)
    assert figures(watched.changes()) == (3, 0, 2)
    repo.write("new.txt", THREE * 1000)
    changes = watched.changes()
    assert figures(changes) == (3000, 0, 2)
    assert changes.notes == ("lines are not known of 1 file larger than 0.005 MB",)


def test_new_large_files_are_read_up_to_a_bound(repo, watch):
    watched = watch(repo.root, limits=Limits(file_bytes=50, read_bytes=250))
    watched.start()
    for name in "abc":
        repo.write(f"{name}.log", "123456789\n" * 10)
    changes = watched.tracker.changes()
    assert figures(changes) == (20, 0, 3)
    assert "1 file larger" in changes.notes[0]
    # What was counted is remembered, so the next refresh gets further.
    assert watched.tracker.changes() == CodeChanges(30, 0, 3)


def test_many_new_files_are_bounded(repo, watch):
    for number in range(10):
        repo.write(f"before-{number}.txt", THREE)
    watched = watch(repo.root, limits=Limits(stored_files=5))
    watched.start()
    assert watched.changes() == CodeChanges()
    repo.append("before-1.txt")
    repo.append("before-8.txt")
    repo.write("a-new.txt", THREE)
    changes = watched.changes()
    assert figures(changes) == (4, 0, 3)
    assert changes.notes[0].startswith("partial: lines are not known of 1 file beyond the first 5")
    for number in range(10):
        repo.remove(f"before-{number}.txt")
    assert watched.changes().files_changed == 11


def test_many_bytes_of_new_files_are_bounded(repo, watch):
    watched = watch(repo.root, limits=Limits(stored_bytes=20))
    watched.start()
    for name in "xyz":
        repo.write(name, THREE)
    assert watched.changes() == CodeChanges(9, 0, 3)
    repo.append("a.txt")
    assert figures(watched.changes())[2] == 4


def test_an_endless_folder_is_looked_at_up_to_a_bound(repo, watch):
    for number in range(10):
        repo.write(f"before-{number}.txt", THREE)
    watched = watch(repo.root, limits=Limits(listed_files=5))
    watched.start()
    note = "partial: only the first 5 untracked files were looked at"
    assert watched.changes() == CodeChanges(notes=(note,))
    repo.remove("before-1.txt")
    repo.append("before-8.txt")
    repo.append("a.txt")
    assert watched.changes() == CodeChanges(1, 3, 2, (note,))


def test_a_folder_that_becomes_endless_is_bounded(repo, watch):
    for number in range(3):
        repo.write(f"before-{number}.txt", THREE)
    watched = watch(repo.root, limits=Limits(listed_files=5))
    watched.start()
    for number in range(10):
        repo.write(f"a-new-{number}.txt", THREE)
    changes = watched.changes()
    assert figures(changes) == (15, 0, 5)
    assert changes.notes == ("partial: only the first 5 untracked files were looked at",)


def test_a_copy_whose_times_are_all_new_has_no_changes(repo, watch, tmp_path):
    shutil.copytree(repo.root, tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*.txt"):
        os.utime(path, (1, 1))
    watched = watch(tmp_path / "copy", limits=Limits(stored_files=2))
    watched.start()
    assert watched.changes() == CodeChanges()
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        (tmp_path / "copy" / name).write_text("one\n", encoding="utf-8")
    changes = watched.tracker.changes()
    assert changes.files_changed == 3
    assert changes.notes[0].startswith("partial: lines are not known of 1 file beyond the first 2")


def bare(repo):
    repo.git("clone", "-q", "--bare", ".", "../bare")
    return repo.path("../bare")


def bare_by_setting(repo):
    repo.git("config", "core.bare", "true")
    return repo.root


def git_folder(repo):
    return repo.path(".git/refs")


def no_repository(repo):
    shutil.rmtree(repo.path(".git"))
    return repo.root


def broken_link(repo):
    repo.write("sub/.git", "gitdir: nowhere\n")
    return repo.path("sub")


def emptied(repo):
    repo.path(".git/HEAD").unlink()
    return repo.root


def bad_setting(repo):
    repo.git("config", "core.autocrlf", "perhaps")
    return repo.root


def damaged_index(repo):
    repo.write(".git/index", b"DIRC" + b"\1" * 200)
    return repo.root


def damaged_settings(repo):
    repo.write(".git/config", "[core\n")
    return repo.root


def link_to_itself(repo):
    repo.path("loop").symlink_to("loop")
    return repo.path("loop")


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (bare, "is a bare repository or a git folder"),
        (bare_by_setting, "has a bare repository"),
        (git_folder, "is a bare repository or a git folder"),
        (no_repository, "is in no git repository"),
        (broken_link, "names nowhere, which is no git repository"),
        (emptied, "is in no git repository"),
        (bad_setting, "bad boolean config value"),
        (damaged_index, "failed: fatal: "),
        (damaged_settings, "bad config line"),
        (link_to_itself, ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_why_nothing_is_counted(repo, watch, arrange, words):
    folder = arrange(repo)
    watched = watch(folder, repo.root)
    reason = watched.start()
    assert words in reason
    assert "\n" not in reason
    assert watched.changes() == CodeChanges(notes=(reason,))
    asked_beforehand = reason_not_counted(folder)
    assert asked_beforehand
    assert asked_beforehand.split(" failed: ")[-1] == reason.split(" failed: ")[-1]


def test_no_reason_where_changes_are_counted(repo):
    assert reason_not_counted(repo.path("sub")) is None


NO_GIT = """
import os, sys
from pathlib import Path
from rad_lsp.tracking.changes import ChangeTracker, reason_not_counted
folder = Path(sys.argv[1])
if len(sys.argv) > 2:
    import git
    os.environ["PATH"] = "/nowhere"
tracker = ChangeTracker(folder)
tracker.start()
assert tracker.reason == reason_not_counted(folder)
print(tracker.reason)
"""


@pytest.mark.parametrize("late", [False, True])
def test_without_git(repo, tmp_path, late):
    path = os.environ["PATH"] if late else str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", NO_GIT, str(repo.root), *["late"] * late],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "the program git is not installed, or not on the PATH"


def test_git_is_imported_only_when_it_is_needed():
    code = "import sys, rad_lsp.tracking.changes; print('git' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_repository_that_goes_is_said(repo):
    tracker = ChangeTracker(repo.root, LIMITS)
    tracker.start()
    repo.append("a.txt")
    assert tracker.changes() == CodeChanges(1, 0, 1)
    shutil.rmtree(repo.root)
    changes = tracker.changes()
    assert figures(changes) == (1, 0, 1)
    assert changes.notes[0].startswith("partial: counted up to an earlier time: ")
    tracker.close()
    tracker.close()


def test_no_room_in_the_temporary_folder(repo, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    tracker = ChangeTracker(repo.root, LIMITS)
    tracker.start()
    assert tracker.reason
    assert "No such file or directory" in tracker.reason
    assert tracker.changes().files_changed == 0


def test_our_folder_removed_in_the_middle(repo, temporary):
    tracker = ChangeTracker(repo.root, LIMITS)
    tracker.start()
    shutil.rmtree(next(temporary.iterdir()))
    repo.append("a.txt")
    changes = tracker.changes()
    assert figures(changes) == (0, 0, 0)
    assert changes.notes[0].startswith("partial: ")
    tracker.close()
