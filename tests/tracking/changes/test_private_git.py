"""Hostile repositories, submodules and environments: no program of theirs runs, nothing hangs.

Each program leaves a marker when it runs. That the markers can be seen at all is shown with plain
git on the same repositories.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple

import pytest

from rad_lsp.tracking.changes import ChangeTracker, Limits
from tests.tracking.conftest import LIMITS, figures, untouched

THREE = "one\ntwo\nthree\n"


class Marker:
    """A program that leaves a file behind when it runs."""

    def __init__(self, folder):
        folder.mkdir()
        self.left = folder / "marker"
        self.program = folder / "program"
        self.program.write_text(f"#!/bin/sh\n: >'{self.left}'\nexit 1\n", encoding="utf-8")
        self.program.chmod(0o755)

    def __str__(self):
        return str(self.program)

    @property
    def was_run(self):
        return self.left.exists()

    def reset(self):
        self.left.unlink(missing_ok=True)


@pytest.fixture
def marker(tmp_path):
    return Marker(tmp_path / "marker")


class Attack(NamedTuple):
    """Settings that name the program as `{}`, further arrangements, and what sets plain git off."""

    settings: dict
    provoke: tuple
    attributes: str = ""
    arrange: object = None
    given: bytes = b""
    terminal: bool = False


def with_hook(name):
    def arrange(repo, marker):
        repo.hook(name, str(marker))

    return arrange


def with_include(text):
    def arrange(repo, marker):
        repo.write("../included", f"[core]\n\tfsmonitor = {marker}\n")
        included = repo.path("../included").resolve().as_posix()
        repo.git("config", text, included)

    return arrange


def with_worktree_settings(repo, marker):
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--worktree", "core.fsmonitor", str(marker))


def with_attributes_of_its_own(repo, marker):
    repo.write(".git/info/attributes", "*.evil filter=evil\n")
    repo.git("config", "filter.evil.clean", str(marker))


def with_attributes_elsewhere(repo, marker):
    repo.write("../attributes", "*.evil filter=evil\n")
    repo.git("config", "core.attributesFile", str(repo.path("../attributes").resolve()))
    repo.git("config", "filter.evil.clean", str(marker))


def with_missing_object(repo, marker):
    """A partial clone whose current commit is missing, so that git would fetch it."""
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://host/path",
        "core.sshCommand": str(marker),
    }.items():
        repo.git("config", key, value)
    repo.write(".git/refs/heads/main", "1" * 40 + "\n")


def with_branch(repo, _marker):
    repo.git("switch", "-q", "-c", "other")
    repo.append("x.evil", "theirs\n")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.append("x.evil", "ours\n")
    repo.commit()


def with_alternates(repo, _marker):
    repo.git("clone", "-q", "--bare", ".", "../other")
    objects = repo.path("../other/objects").resolve()
    repo.write(".git/objects/info/alternates", f"{objects}\n")


def with_hostile_submodule(repo, marker):
    repo.git("clone", "-q", ".", "../library")
    source = str(repo.path("../library").resolve())
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", source, "library")
    repo.commit()
    repo.write(".git/modules/library/info/attributes", "*.txt filter=evil\n")
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "diff.external"):
        repo.git("-C", "library", "config", key, str(marker))
    repo.write("library/later.txt", THREE)


def with_submodule_update(repo, marker):
    with_hostile_submodule(repo, marker)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "diff.external"):
        repo.git("-C", "library", "config", "--unset", key)
    repo.git("config", "submodule.library.update", f"!{marker}")
    repo.git("-C", "library", "checkout", "-q", "--orphan", "empty")
    repo.git("-C", "library", "commit", "-q", "-m", "another")
    repo.git("-C", "library", "config", "core.fsmonitor", str(marker))


EVIL = "*.evil {}=evil\n"
STATUS = ("status",)
ADD = ("add", "x.evil")
DIFF = ("diff",)
COMMIT = ("commit", "--allow-empty", "-m", "x")
FETCH = {"remote.evil.fetch": "+refs/*:refs/evil/*"}
ASK = b"protocol=https\nhost=localhost\n\n"

ATTACKS = {
    "monitor": Attack({"core.fsmonitor": "{}"}, STATUS),
    "monitor in an included file": Attack({}, STATUS, arrange=with_include("include.path")),
    "monitor included by folder": Attack(
        {}, STATUS, arrange=with_include("includeIf.gitdir:/.path")
    ),
    "monitor of a worktree": Attack({}, STATUS, arrange=with_worktree_settings),
    "filter": Attack({"filter.evil.clean": "{}"}, ADD, EVIL.format("filter")),
    "required filter": Attack(
        {"filter.evil.clean": "{}", "filter.evil.required": "true"}, DIFF, EVIL.format("filter")
    ),
    "filter process": Attack({"filter.evil.process": "{}"}, ADD, EVIL.format("filter")),
    "filter on the way out": Attack(
        {"filter.evil.smudge": "{}"}, ("checkout", "x.evil"), EVIL.format("filter")
    ),
    "filter by the repository's attributes": Attack({}, ADD, arrange=with_attributes_of_its_own),
    "filter by attributes elsewhere": Attack({}, ADD, arrange=with_attributes_elsewhere),
    "hook on the index": Attack({}, ADD, arrange=with_hook("post-index-change")),
    "hook before a commit": Attack({}, COMMIT, arrange=with_hook("pre-commit")),
    "hook on references": Attack(
        {}, ("update-ref", "refs/x", "HEAD"), arrange=with_hook("reference-transaction")
    ),
    "hook on switching": Attack({}, ("checkout", "-b", "x"), arrange=with_hook("post-checkout")),
    "hook before a rebase": Attack(
        {}, ("rebase", "--autostash", "--force-rebase", "main"), arrange=with_hook("pre-rebase")
    ),
    "external difference": Attack({"diff.external": "{}"}, DIFF),
    "text of a file": Attack({"diff.evil.textconv": "{}"}, DIFF, EVIL.format("diff")),
    "difference of a file": Attack({"diff.evil.command": "{}"}, DIFF, EVIL.format("diff")),
    "merge of a file": Attack(
        {"merge.evil.driver": "{}"}, ("merge", "other"), EVIL.format("merge"), with_branch
    ),
    "alias": Attack({"alias.evil": "!{}"}, ("evil",)),
    "pager": Attack({"core.pager": "{}"}, DIFF, terminal=True),
    "pager of a command": Attack({"pager.diff": "{}"}, DIFF, terminal=True),
    "colours of patches": Attack(
        {"interactive.diffFilter": "{}"}, ("add", "-p"), given=b"q\n", terminal=True
    ),
    "editor": Attack({"core.editor": "{}"}, ("commit", "--allow-empty")),
    "editor of steps": Attack({"sequence.editor": "{}"}, ("rebase", "-i", "--autostash", "--root")),
    "question": Attack({"core.askPass": "{}"}, ("credential", "fill"), given=ASK),
    "credentials": Attack({"credential.helper": "!{}"}, ("credential", "fill"), given=ASK),
    "signature": Attack({"gpg.program": "{}"}, (*COMMIT, "-S")),
    "transport by ssh": Attack(
        {"core.sshCommand": "{}", "remote.evil.url": "ssh://host/x", **FETCH}, ("fetch", "evil")
    ),
    "transport by a proxy": Attack(
        {"core.gitProxy": "{}", "remote.evil.url": "git://host/x", **FETCH}, ("fetch", "evil")
    ),
    "transport by a program": Attack(
        {"protocol.ext.allow": "always", "remote.evil.url": "ext::{}", **FETCH}, ("fetch", "evil")
    ),
    "server's program": Attack(
        {"remote.evil.url": ".", "remote.evil.uploadpack": "{}", **FETCH}, ("fetch", "evil")
    ),
    "missing commit": Attack({}, ("log",), arrange=with_missing_object),
    "references of alternates": Attack(
        {"core.alternateRefsCommand": "{}"},
        ("rev-list", "--alternate-refs"),
        arrange=with_alternates,
    ),
    "trailer": Attack(
        {"trailer.evil.key": "Evil", "trailer.evil.command": "{}"}, ("interpret-trailers",)
    ),
    "archive": Attack({"tar.evil.command": "{}"}, ("archive", "--format=evil", "HEAD")),
    "difference tool": Attack(
        {"difftool.evil.cmd": "{}", "diff.tool": "evil"}, ("difftool", "--no-prompt", "HEAD")
    ),
    "submodule": Attack({}, STATUS, arrange=with_hostile_submodule),
    "submodule's update": Attack(
        {}, ("submodule", "update", "library"), arrange=with_submodule_update
    ),
}


@pytest.fixture
def attacked(repo, marker):
    """A repository under an attack, and with a change that a session made."""

    def arrange(attack):
        repo.write("x.evil", THREE)
        if attack.attributes:
            repo.write(".gitattributes", attack.attributes)
        repo.commit()
        if attack.arrange:
            attack.arrange(repo, marker)
        for key, value in attack.settings.items():
            repo.git("config", key, value.format(marker))
        marker.reset()
        return repo

    return arrange


def session(repo):
    repo.append("a.txt")
    repo.write("new.txt", THREE)
    repo.append("x.evil")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_program_of_a_repository_runs(attacked, marker, watch, attack):
    repo = attacked(attack)
    watched = watch(repo.root)
    assert watched.start() is None
    session(repo)
    changes = watched.changes()
    assert not marker.was_run
    # A file with a filter counts, but git can't tell its lines.
    is_filtered = any("with a filter (evil)" in note for note in changes.notes)
    assert figures(changes) == (4 if is_filtered else 5, 0, 3)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_plain_git_does_run_it(attacked, marker, attack):
    repo = attacked(attack)
    session(repo)
    output = subprocess.DEVNULL
    if attack.terminal:
        primary, output = os.openpty()
    subprocess.run(
        ["git", *attack.provoke],
        cwd=repo.root,
        input=attack.given,
        stdout=output,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
        timeout=30,
        check=False,
    )
    if attack.terminal:
        os.close(output)
        os.close(primary)
    assert marker.was_run


def test_no_program_runs_where_all_are_named(attacked, marker, watch):
    together = [attack for attack in ATTACKS.values() if attack.arrange is None]
    settings = {key: value for attack in together for key, value in attack.settings.items()}
    names = ("filter", "diff", "merge")
    everything = Attack(settings, (), "".join(EVIL.format(name) for name in names))
    repo = attacked(everything)
    watched = watch(repo.root)
    assert watched.start() is None
    session(repo)
    assert figures(watched.changes()) == (4, 0, 3)
    assert not marker.was_run


def test_settings_that_lead_elsewhere_are_not_followed(repo, make_repo, watch):
    other = make_repo("other")
    repo.git("config", "core.worktree", str(other.root))
    watched = watch(repo.root, other.root)
    assert watched.start() is None
    repo.append("a.txt")
    other.append("b.txt", "more\nand more\n")
    assert figures(watched.changes()) == (1, 0, 1)


def test_a_link_to_another_repository_shows_that_one(repo, make_repo, watch):
    """As a worktree does; nothing is written there either."""
    other = make_repo("other")
    repo.write("sub/.git", f"gitdir: {other.root}/.git\n")
    watched = watch(repo.path("sub"), repo.root, other.root)
    assert watched.start() is None
    repo.append("sub/c.txt")
    assert figures(watched.changes()) == (1, 0, 1)


@pytest.mark.parametrize("name", [".git/HEAD", ".git/refs/heads/main"])
def test_a_commit_named_like_an_option_is_none(repo, watch, tmp_path, name):
    repo.write(name, f"--output={tmp_path}/written\n")
    watched = watch(repo.root)
    assert watched.start() is None
    repo.append("a.txt")
    assert figures(watched.changes()) == (1, 0, 1)
    assert not (tmp_path / "written").exists()


def test_references_without_end_are_not_read(repo):
    """4 GB that take no room on the disk."""
    repo.remove(".git/refs/heads/main")
    with repo.path(".git/packed-refs").open("wb") as file:
        file.truncate(4_000_000_000)
    with ChangeTracker(repo.root, LIMITS) as tracker:
        assert tracker.reason is None
        repo.append("a.txt")
        assert figures(tracker.changes()) == (1, 0, 1)


@pytest.mark.parametrize("name", [".git/config", ".git/info/exclude", ".git/index"])
def test_a_file_that_would_fill_the_disk_is_a_reason(repo, name):
    repo.path(".git/info").mkdir(exist_ok=True)
    with repo.path(name).open("wb") as file:
        file.truncate(4_000_000_000)
    with ChangeTracker(repo.root, LIMITS) as tracker:
        assert tracker.reason
        assert tracker.reason.endswith(f"{name} is larger than 1,000,000,000 bytes")


if hasattr(os, "mkfifo"):

    def fifo(repo, name):
        path = repo.path(name)
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path)
        return path.resolve().as_posix()

    def at(name):
        return lambda repo: fifo(repo, name)

    def named_by(key):
        return lambda repo: repo.git("config", key, fifo(repo, "../fifo"))

    def worktree_settings(repo):
        repo.git("config", "extensions.worktreeConfig", "true")
        fifo(repo, ".git/config.worktree")

    HARMLESS = {
        "included file": named_by("include.path"),
        "file included by folder": named_by("includeIf.gitdir:/.path"),
        "file of ignored names": named_by("core.excludesFile"),
        "file of attributes": named_by("core.attributesFile"),
        "settings": at(".git/config"),
        "settings of a worktree": worktree_settings,
        "ignored names": at(".git/info/exclude"),
        "attributes": at(".git/info/attributes"),
        "sparse checkout": at(".git/info/sparse-checkout"),
        "current commit": lambda repo: fifo(repo, ".git/refs/heads/main"),
        "packed references": at(".git/packed-refs"),
        "common folder": at(".git/commondir"),
        "shared index": at(".git/sharedindex.0123"),
        "graph of commits": at(".git/objects/info/commit-graph"),
        "hook": at(".git/hooks/post-index-change"),
        "shallow": at(".git/shallow"),
        "monitor": at(".git/fsmonitor--daemon.ipc"),
        "description of submodules": at(".gitmodules"),
        "file in the work tree": at("pipe.txt"),
    }

    @pytest.mark.parametrize("arrange", HARMLESS.values(), ids=HARMLESS)
    def test_a_fifo_does_not_stop_the_count(repo, watch, arrange):
        if arrange is HARMLESS["current commit"]:
            repo.git("config", "--local", "user.name", "x")
        arrange(repo)
        watched = watch(repo.root, limits=Limits(seconds=10))
        begun = time.monotonic()
        assert watched.start() is None
        repo.append("a.txt")
        assert figures(watched.changes()) == (1, 0, 1)
        assert time.monotonic() - begun < 10

    def test_plain_git_hangs_at_such_a_fifo(repo):
        HARMLESS["included file"](repo)
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["git", "status"], cwd=repo.root, check=False, timeout=1)

    STOPPING = {
        "ignored names": at(".gitignore"),
        "ignored names below": at("sub/.gitignore"),
        "attributes": at("sub/.gitattributes"),
        "objects": at(".git/objects/pack/multi-pack-index"),
    }

    @pytest.mark.parametrize("arrange", STOPPING.values(), ids=STOPPING)
    def test_a_fifo_that_git_waits_for_is_a_reason(repo, watch, arrange):
        """It is named, long before git's time is over."""
        arrange(repo)
        watched = watch(repo.root, limits=Limits(seconds=600))
        reason = watched.start()
        assert reason.startswith("'git ")
        assert reason.endswith(", which is no regular file")
        assert watched.changes().files_changed == 0

    @pytest.mark.parametrize("named", ["here", "in another repository"])
    @pytest.mark.parametrize("kind", ["fifo", "endless", "large"])
    def test_a_list_of_alternates_that_git_cant_read_to_its_end_is_a_reason(
        repo, make_repo, watch, kind, named
    ):
        holder = repo
        if named != "here":
            holder = make_repo("other")
            objects = f"{holder.path('.git/objects')}\n"
            repo.path(".git/objects/info/alternates").write_text(objects, encoding="utf-8")
        place = holder.path(".git/objects/info/alternates")
        if kind == "fifo":
            os.mkfifo(place)
        elif kind == "endless":
            place.symlink_to("/dev/zero")
        else:
            with place.open("wb") as file:
                file.truncate(2_000_000_000)
        reason = watch(repo.root, limits=Limits(seconds=600)).start()
        assert reason.startswith(f"git can't read the list of objects: {place} ")

    def test_another_repositorys_objects_are_used(repo, make_repo, watch):
        other = make_repo("other")
        listed = f"# a comment\n{other.path('.git/objects')}\n/no/such/folder\n"
        repo.path(".git/objects/info/alternates").write_text(listed, encoding="utf-8")
        watched = watch(repo.root)
        assert watched.start() is None
        repo.append("a.txt")
        assert figures(watched.changes()) == (1, 0, 1)

    def test_a_fifo_that_comes_in_the_session_keeps_what_was_counted(repo, watch):
        watched = watch(repo.root)
        watched.start()
        repo.append("a.txt")
        assert figures(watched.changes()) == (1, 0, 1)
        fifo(repo, ".gitignore")
        changes = watched.changes()
        assert figures(changes) == (1, 0, 1)
        assert changes.notes[0].startswith("partial: counted up to an earlier time: 'git ls-files'")
        repo.remove(".gitignore")
        repo.append("a.txt")
        assert figures(watched.changes()) == (2, 0, 1)

    def test_a_fifo_instead_of_the_index_makes_all_files_new(repo, watch):
        """As if it were gone, which is what git would say of it, too, if it did not wait."""
        fifo(repo, ".git/index")
        watched = watch(repo.root)
        assert watched.start() is None
        repo.append("a.txt")
        assert figures(watched.changes()) == (1, 0, 1)


@pytest.fixture
def foreign(make_repo, marker):
    """Another repository, with settings that run the program."""
    other = make_repo("foreign")
    other.write("foreign.txt", THREE)
    other.commit()
    other.write(".git/info/attributes", "* filter=evil diff=evil\n")
    for key in ("core.fsmonitor", "filter.evil.clean", "diff.external", "diff.evil.textconv"):
        other.git("config", key, str(marker))
    return other


HOSTILE = "[core]\n\tfsmonitor = {0}\n\tpager = {0}\n[diff]\n\texternal = {0}\n"

ENVIRONMENTS = {
    "another repository": {"GIT_DIR": "{foreign}/.git"},
    "another work tree": {"GIT_DIR": "{foreign}/.git", "GIT_WORK_TREE": "{foreign}"},
    "another common folder": {"GIT_COMMON_DIR": "{foreign}/.git"},
    "another index": {"GIT_INDEX_FILE": "{foreign}/.git/index"},
    "other objects": {"GIT_OBJECT_DIRECTORY": "{foreign}/.git/objects"},
    "further objects": {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "{foreign}/.git/objects"},
    "all of another": {
        "GIT_DIR": "{foreign}/.git",
        "GIT_COMMON_DIR": "{foreign}/.git",
        "GIT_WORK_TREE": "{foreign}",
        "GIT_INDEX_FILE": "{foreign}/.git/index",
        "GIT_OBJECT_DIRECTORY": "{foreign}/.git/objects",
        "GIT_NAMESPACE": "foreign",
        "GIT_PREFIX": "sub/",
    },
    "bad paths": {
        "GIT_DIR": "/nowhere",
        "GIT_COMMON_DIR": "/nowhere",
        "GIT_WORK_TREE": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere/index",
        "GIT_OBJECT_DIRECTORY": "/nowhere",
    },
    "settings": {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "{marker}",
        "GIT_CONFIG_KEY_1": "diff.external",
        "GIT_CONFIG_VALUE_1": "{marker}",
    },
    "settings that are none": {"GIT_CONFIG_COUNT": "many"},
    "settings of a command": {"GIT_CONFIG_PARAMETERS": "'core.fsmonitor'='{marker}'"},
    "settings of the user": {"GIT_CONFIG_GLOBAL": "{hostile}"},
    "settings of the system": {"GIT_CONFIG_SYSTEM": "{hostile}", "GIT_CONFIG_NOSYSTEM": "0"},
    "external difference": {"GIT_EXTERNAL_DIFF": "{marker}"},
    "pagers and editors": {
        "GIT_PAGER": "{marker}",
        "PAGER": "{marker}",
        "GIT_EDITOR": "{marker}",
        "GIT_SEQUENCE_EDITOR": "{marker}",
        "GIT_PAGER_IN_USE": "1",
    },
    "transports": {
        "GIT_SSH": "{marker}",
        "GIT_SSH_COMMAND": "{marker}",
        "GIT_PROXY_COMMAND": "{marker}",
        "GIT_ASKPASS": "{marker}",
        "SSH_ASKPASS": "{marker}",
    },
    "traces": {
        "GIT_TRACE": "{trace}",
        "GIT_TRACE_SETUP": "{trace}",
        "GIT_TRACE_PERFORMANCE": "{trace}",
        "GIT_TRACE_PACK_ACCESS": "{trace}",
        "GIT_TRACE2": "{trace}",
        "GIT_TRACE2_EVENT": "{trace}",
        "GIT_TRACE2_PERF": "{trace}",
    },
    "meaning of paths": {"GIT_GLOB_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1"},
    "literal paths": {"GIT_LITERAL_PATHSPECS": "1", "GIT_NOGLOB_PATHSPECS": "1"},
    "locks": {"GIT_OPTIONAL_LOCKS": "1"},
    "replaced objects": {"GIT_REPLACE_REF_BASE": "refs/heads", "GIT_NO_REPLACE_OBJECTS": "0"},
    "history": {"GIT_SHALLOW_FILE": "{hostile}", "GIT_GRAFT_FILE": "{hostile}"},
    "search": {"GIT_CEILING_DIRECTORIES": "{repo}", "GIT_DISCOVERY_ACROSS_FILESYSTEM": "0"},
    "names of objects": {"GIT_DEFAULT_HASH": "sha256", "GIT_INDEX_VERSION": "4"},
    "quarantine": {"GIT_QUARANTINE_PATH": "{foreign}/.git/objects"},
    "language": {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"},
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_environment_of_a_hook_does_no_harm(
    repo, foreign, marker, watch, tmp_path, monkeypatch, environment
):
    trace, hostile = tmp_path / "trace", tmp_path / "hostile"
    hostile.write_text(HOSTILE.format(marker), encoding="utf-8")
    places = {"foreign": foreign.root, "repo": repo.root, "marker": marker}
    repo.append("b.txt", "before\n")
    marker.reset()
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value.format(trace=trace, hostile=hostile, **places))
        watched = watch(repo.root, foreign.root)
        assert watched.start() is None
        repo.append("a.txt")
        repo.write("new.txt", THREE)
        assert figures(watched.changes()) == (4, 0, 2)
    assert not marker.was_run
    assert not trace.exists()


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ("another repository", "status"),
        ("settings", "status"),
        ("settings of a command", "status"),
        ("settings of the user", "status"),
        ("settings of the system", "status"),
        ("external difference", "diff"),
    ],
)
def test_in_such_an_environment_plain_git_runs_the_program(
    repo, foreign, marker, tmp_path, environment, command
):
    hostile = tmp_path / "hostile"
    hostile.write_text(HOSTILE.format(marker), encoding="utf-8")
    repo.append("a.txt")
    marker.reset()
    environment = {
        name: value.format(foreign=foreign.root, marker=marker, hostile=hostile)
        for name, value in ENVIRONMENTS[environment].items()
    }
    subprocess.run(
        ["git", command],
        cwd=repo.root,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    assert marker.was_run


IN_A_HOOK = """
import sys
from pathlib import Path
from rad_lsp.tracking.changes import ChangeTracker
with ChangeTracker(Path()) as tracker:
    Path("a.txt").write_text("one\\n", encoding="utf-8")
    changes = tracker.changes()
print(tracker.reason, changes.lines_added, changes.lines_removed, file=sys.stderr)
"""


@pytest.mark.parametrize("hook", ["pre-commit", "post-commit", "reference-transaction"])
def test_inside_a_real_hook(repo, tmp_path, hook):
    script = tmp_path / "script.py"
    script.write_text(IN_A_HOOK, encoding="utf-8")
    repo.hook(hook, f"[ -f .git/done ] && exit 0; : >.git/done; '{sys.executable}' '{script}'")
    done = subprocess.run(
        ["git", "commit", "-q", "-a", "--allow-empty", "-m", "x"],
        cwd=repo.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("None 0 2\n", 0)
    repo.git("fsck", "--strict")


def test_the_tracker_leaves_no_process_behind(repo):
    with untouched(repo.root):
        tracker = ChangeTracker(repo.root, LIMITS)
        tracker.start()
        tracker.changes()
        tracker.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
