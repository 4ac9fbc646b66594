"""Sessions tracked in a workspace, and in real repositories, which are watched to be left alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from rad_lsp.core import report
from rad_lsp.core.price import Price, Rates
from rad_lsp.tracking import SessionRecorder
from rad_lsp.tracking.changes import ChangeTracker, Limits

LIMITS = Limits(seconds=20)


class Repo:
    """A repository with three files of three lines in one commit."""

    def __init__(self, root, *options):
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", "--template=", *options)
        for name in ("a.txt", "b.txt", "sub/c.txt"):
            self.write(name, "one\ntwo\nthree\n")
        self.commit()

    def git(self, *arguments, check=True, **options):
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            capture_output=True,
            timeout=30,
            check=False,
            **options,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.decode("utf-8", "surrogateescape")

    def path(self, name):
        return Path(self.root, name)

    def write(self, name, content):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def append(self, name, content="more\n"):
        self.write(name, self.path(name).read_bytes() + content.encode())

    def remove(self, name):
        self.path(name).unlink()

    def commit(self, *options):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "message", *options)

    def hook(self, name, script):
        path = self.path(f".git/hooks/{name}")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)


def photograph(folder):
    """Everything below a folder: kind, mode, time and content of each file and folder."""
    seen = {}
    for path in (folder, *folder.rglob("*")):
        found = path.lstat()
        content = None
        if stat.S_ISREG(found.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(found.st_mode):
            content = path.readlink()
        seen[path] = (found.st_mode, found.st_mtime_ns, content)
    return seen


@contextmanager
def untouched(*folders):
    """Fails when anything in the folders is another than before, to the byte and nanosecond."""
    before = [photograph(folder) for folder in folders]
    yield
    assert [photograph(folder) for folder in folders] == before


class Watched:
    """A tracker each of whose snapshots must leave the folders untouched."""

    def __init__(self, folder, folders, limits):
        self.tracker = ChangeTracker(folder, limits)
        self.folders = folders

    def start(self):
        with untouched(*self.folders):
            self.tracker.start()
        return self.tracker.reason

    def changes(self):
        with untouched(*self.folders):
            first = self.tracker.changes()
        with untouched(*self.folders):
            assert figures(self.tracker.changes()) == figures(first)
        return first


def figures(changes):
    return changes.lines_added, changes.lines_removed, changes.files_changed


@pytest.fixture(autouse=True)
def _own_git(monkeypatch):
    """No test sees the developer's own git settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.com")


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch):
    """The system's temporary folder, which must be empty again in the end."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def repo(tmp_path):
    return Repo(tmp_path / "repo")


@pytest.fixture
def make_repo(tmp_path):
    """Makes further repositories: `make_repo(name, *options_of_git_init)`."""
    return lambda name, *options: Repo(tmp_path / name, *options)


@pytest.fixture
def watch(temporary):  # noqa: ARG001
    """A watched tracker of a folder; more folders may be watched with it."""
    made = []

    def watched(folder, *others, limits=LIMITS):
        made.append(Watched(folder, (folder, *others), limits))
        return made[-1]

    yield watched
    for one in made:
        one.tracker.close()


PATIENCE = 30
"""Seconds after which something that has not come is taken for lost."""


class FlatPrices:
    """A dollar per million tokens of input, two of output; `dear` models have no price."""

    def price(self, model, engine, slot, tier=""):  # noqa: ARG002  (the interface)
        if model == "unpriced":
            return None
        return Price(model, engine, "test", (Rates(1, 0.1, 1.25, 2, 2),))


@pytest.fixture
def recorder(tmp_path):
    """Makes a recorder without code changes, and with round prices."""

    def made(**options):
        options = {"prices": FlatPrices(), "changes": False, **options}
        return SessionRecorder(tmp_path, **options)

    return made


@pytest.fixture
def metrics():
    """The metrics in a session's report, as a reader of the file finds them."""

    def read(session):
        data = session.path.read_bytes()
        assert isinstance(report.read(data), report.Report)
        return json.loads(data)["metrics"]

    return read


@pytest.fixture
def appears():
    """Waits until `found()` gives something, such as what another thread writes."""

    def wait(found):
        deadline = time.monotonic() + PATIENCE
        while not (value := found()):
            assert time.monotonic() < deadline, "it did not come"
            time.sleep(0.005)
        return value

    return wait
