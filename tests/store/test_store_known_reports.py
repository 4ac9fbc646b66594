"""Reports as they were last read: they save reading, and nothing depends on them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys

import pytest

from rad_lsp.store.index import FILE
from rad_lsp.store.store import Store


@pytest.fixture
def path(tmp_path):
    """Where the index is."""
    return tmp_path / "data" / FILE


@pytest.fixture
def looked(machine, workspace):
    """What a new process finds: the snapshot, and how many reports it had to read."""

    def look(root=workspace.root, **options):
        found = machine(**options)
        count = []
        snapshot = Store(found, root, ["radium"]).refresh(progress=count.append)
        found.index.close()
        return snapshot, len(count)

    return look


@pytest.fixture
def change(path):
    """Changes the index's file by SQL."""

    def run(statement, values=()):
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute(statement, values)

    return run


def test_a_report_is_read_once_by_all_processes(looked, workspace):
    for number in range(600):
        workspace.add(f"s{number}")
    first, count = looked()
    assert (len(first.entries), count) == (600, 600)
    assert looked() == (first, 0)


def test_only_what_changed_is_read(looked, workspace):
    for name in "abc":
        workspace.add(name)
    looked()
    workspace.add("b", total_cost=7.0)
    (workspace.sessions / "c.json").unlink()
    workspace.add("d")
    snapshot, count = looked()
    assert [entry.id for entry in snapshot.entries] == ["a", "b", "d"]
    assert (snapshot.by_id["b"].session.cost, count) == (7.0, 2)
    assert looked() == (snapshot, 0)


def test_what_keeps_a_report_from_being_read_is_known_as_well(looked, workspace):
    workspace.raw("torn.json", b"{")
    first, count = looked()
    assert ([skipped.problem.code for skipped in first.skipped], count) == (["truncated"], 1)
    assert looked() == (first, 0)


def test_a_report_that_was_mended_is_read(looked, workspace):
    workspace.raw("a.json", b"{")
    looked()
    workspace.add("a")
    snapshot, count = looked()
    assert (len(snapshot.entries), len(snapshot.skipped), count) == (1, 0, 1)


def test_a_session_is_the_same_as_when_it_was_read(looked, workspace):
    children = [{"source": "codex", "session_id": "c"}]
    workspace.add("a", wall_time={"secs": 2**64 - 1, "nanos": 999_999_999}, child_sessions=children)
    before = looked()[0].latest()
    after, count = looked()
    assert (after.latest(), count) == (before, 0)
    assert after.latest().wall_time == (2**64 - 1) * 10**9 + 999_999_999
    assert after.latest().children[0].session_id == "c"
    assert after.latest().path == str(workspace.sessions / "a.json")


@pytest.mark.parametrize("blob", [b"", b"\xc0", b"\x92\x90", b"\x92\x91\x91\xa1x\x90"])
def test_a_session_that_is_not_as_it_was_stored_is_read_anew(looked, workspace, change, blob):
    workspace.add("a")
    first, _ = looked()
    change("UPDATE session SET packed = ?", (blob,))
    assert looked()[0] == first
    assert looked() == (first, 0)


def test_a_damaged_index_is_done_without(looked, workspace, path):
    for number in range(300):
        workspace.add(f"s{number}")
    first, _ = looked()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    snapshot, count = looked()
    assert (snapshot, count) == (first, 300)
    assert looked() == (first, 0)


def test_another_process_that_writes_for_long_is_not_waited_for(looked, workspace, path):
    workspace.add("a")
    first, _ = looked()
    workspace.add("b")
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert looked(patience=0) == (first, 0)
    snapshot, count = looked()
    assert (len(snapshot.entries), count) == (2, 1)
    assert looked() == (snapshot, 0)


def test_a_failed_write_does_not_keep_the_index_locked(machine, workspace, path):
    found = machine(patience=0)
    store = Store(found, workspace.root, ["radium"])
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        workspace.add("a")
        store.refresh()
    workspace.add("b")
    assert len(store.refresh().entries) == 2
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are always Unicode here")
def test_names_that_are_no_unicode_are_known_again(looked, workspace, report_bytes):
    workspace.raw(os.fsdecode(b"\xff.json"), report_bytes(session_id="a"))
    workspace.add("b")
    first, count = looked()
    assert (len(first.entries), count) == (2, 2)
    assert first.by_id["a"].session.path == str(workspace.sessions / os.fsdecode(b"\xff.json"))
    assert looked() == (first, 0)


def test_two_workspaces_are_kept_apart(workspace, looked, golden):
    workspace.add("a")
    looked()
    found, count = looked(golden("history"))
    assert (len(found.entries), count) == (2, 2)
    snapshot, count = looked()
    assert (len(snapshot.entries), count) == (1, 0)
