"""Sessions that the user had forgotten: what of them stays, and what brings them back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rad_lsp.core.period import ALWAYS
from rad_lsp.service import index as indexes
from rad_lsp.sources import NAMES
from rad_lsp.store.machine import Machine
from rad_lsp.store.store import Store


class User:
    """Whose processes each have a machine of their own, and share one index."""

    def __init__(self, home, data, root):
        self.home, self.data, self.root = home, data, root

    def ask(self, answer, root=None, patience=None):
        machine = Machine({}, self.home.root, self.data, patience=patience)
        # Some builds of SQLite overwrite what is deleted by themselves, others don't.
        machine.index.connection.execute("PRAGMA secure_delete=OFF")
        try:
            return answer(Store(machine, root or self.root, everywhere=True))
        finally:
            machine.close()

    def forget(self, *ids, sources=NAMES, folders=None):
        """Forget sessions; returns how many of each source in each folder."""

        def work(store):
            machine = store.machine
            if ids:
                chosen = indexes.found_by_id(machine, self.root, ids)
            else:
                within = folders and [Path(folder) for folder in folders]
                chosen = indexes.found_within(machine, self.root, sources, within)
            assert indexes.forget(machine, chosen) == ""
            assert machine.health() == "ok"
            return [(one.source, one.folder, one.sessions) for one in indexes.by_folder(chosen)]

        return self.ask(work)

    def requests(self, root=None):
        """The number of requests by session, by the sessions and by the index's sums."""

        def work(store):
            snapshot = store.refresh()
            assert store.machine.health() == "ok"
            listed = {
                one.id: sum(use.requests for use in one.models) for one in snapshot.sessions()
            }
            rows = store.usage_totals(["session"], ALWAYS, None)
            summed = {row.key[0]: row.requests for row in rows}
            assert {name: count for name, count in listed.items() if count} == summed
            return listed

        return self.ask(work, root)

    def bytes(self):
        """All that is on disk of the index."""
        return b"".join(path.read_bytes() for path in self.data.iterdir())


@pytest.fixture
def user(home, tmp_path):
    """A user without a workspace."""
    return User(home, tmp_path / "data", tmp_path)


def test_what_is_forgotten_counts_nowhere_and_its_file_is_left_alone(user, home, claude):
    file = home.claude("a", *claude.called(1, "a"))
    home.claude("b", *claude.called(2, "b"))
    before = file.read_bytes(), file.stat().st_mtime_ns
    assert user.requests() == {"a": 1, "b": 1}
    assert user.forget("a") == [("claude-code", "/w/proj", 1)]
    assert user.requests() == {"b": 1}
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before

    def told(store):
        store.update()
        calls = store.tool_totals(["session"], ALWAYS, None)
        snapshot = store.refresh()
        unreadable = indexes.unreadable(store.machine)
        kept = indexes.forgotten(store.machine)
        return [row.key for row in calls], snapshot.skipped, unreadable, kept

    assert user.ask(told) == ([("b",)], (), [], 1)


def test_a_file_that_grows_is_not_read_again(user, home, claude):
    file = home.claude("a", *claude.answers(1))
    user.forget("a")
    home.append(file, *claude.answers(2))
    assert user.requests() == {}
    home.write(file, *claude.answers(1, 2, 3, 4))
    assert user.requests() == {}


def test_lines_that_can_not_be_read_are_told_of_no_longer(user, home, claude):
    file = home.claude("a", b"nothing\n", *claude.answers(1))
    user.forget("a")
    home.append(file, b"nothing\n")

    def told(store):
        return store.refresh().skipped, indexes.unreadable(store.machine)

    assert user.ask(told) == ((), [])


def test_it_stays_forgotten_in_files_that_come_later(user, home, claude):
    file = home.claude("a", *claude.answers(1))
    user.forget("a")
    home.claude("a/subagents/agent-1", *claude.answers(2, isSidechain=True))
    assert user.requests() == {}
    (home.projects / "moved").mkdir()
    file.rename(home.projects / "moved" / "a.jsonl")
    assert user.requests() == {}
    assert user.requests() == {}
    assert b"/w/proj" not in user.bytes()


def test_of_a_file_that_tells_of_several_sessions_only_the_forgotten_one_goes(user, home, claude):
    home.claude("a", *claude.answers(1))
    file = home.claude("b", *claude.answers(1), *claude.answers(2, session="b"))
    user.forget("a")
    assert user.requests() == {"b": 1}
    home.append(file, *claude.answers(3), *claude.called(4, "b"))
    assert user.requests() == {"b": 2}
    home.write(file, *claude.answers(1), *claude.answers(2, 3, 4, 5, session="b"))
    assert user.requests() == {"b": 4}


def test_a_request_that_another_session_has_copied_counts_there(user, home, claude):
    home.claude("a", *claude.answers(1, 2, session="a"))
    home.claude("b", *claude.answers(1, 2, 3, session="b"))
    assert user.requests() == {"a": 2, "b": 1}
    user.forget("a")
    assert user.requests() == {"b": 3}


def test_nothing_of_it_stays_on_disk_but_its_id_and_its_path(user, home, claude):
    secret = claude.answers(1, 2, session="a", cwd="/w/secret", gitBranch="hidden", model="acme")
    home.claude("a", *secret, *claude.called(3, "a", cwd="/w/secret"))
    home.claude("b", *claude.answers(5, session="b"))
    for number in range(5):  # what was written over must be gone, too
        user.requests()
        home.append(home.projects / "a.jsonl", *claude.answers(10 + number, cwd="/w/secret"))
    user.requests()
    assert all(word in user.bytes() for word in (b"secret", b"hidden", b"acme"))
    user.forget(folders=["/w/secret"])
    left = user.bytes().replace(os.fsencode(home.projects), b"")
    assert not [word for word in (b"secret", b"hidden", b"acme", b"Bash") if word in left]
    assert b"/w/proj" in left
    assert user.requests() == {"b": 1}


def test_nothing_of_it_stays_in_free_space(user, home, claude):
    for number in range(40):
        home.claude(f"a{number}", *claude.answers(number, session="a", cwd="/w/secret"))
    home.claude("b", *claude.answers(50, session="b"))
    user.requests()
    for number in range(40):  # the session is there no more, but for one file
        home.claude(f"a{number}", *(claude.answers(1) if number == 1 else ()))
    user.requests()
    assert b"secret" in user.bytes()
    user.forget("a")
    assert b"secret" not in user.bytes()


def test_what_another_process_still_reads_is_said_to_stay_and_goes_later(user, home, claude):
    home.claude("a", *claude.answers(1, cwd="/w/secret"))
    home.claude("b", *claude.answers(2, session="b"))
    user.requests()
    with closing(sqlite3.connect(user.data / "index.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM session").fetchone()

        def work(store):
            chosen = indexes.found_by_id(store.machine, user.root, ["a"])
            return indexes.forget(store.machine, chosen)

        assert user.ask(work, patience=0.1) == "another process is reading it"
    assert user.requests() == {"b": 1}
    assert b"secret" not in user.bytes()


def test_an_index_that_was_put_aside_does_not_keep_it_either(user, home, claude):
    home.claude("a", *claude.answers(1, cwd="/w/secret"))
    user.requests()
    user.ask(lambda store: indexes.rebuild(store.machine))
    user.forget("a")
    assert b"secret" not in user.bytes()


def test_a_folder_has_the_sessions_below_it_and_a_source_only_its_own(user, home, claude, codex):
    home.claude("a", *claude.answers(1, session="a", cwd="/w/x"))
    home.claude("b", *claude.answers(2, session="b", cwd="/w/x/y"))
    home.claude("c", *claude.answers(3, session="c", cwd="/w/x-y"))
    home.codex("d", codex.meta("d", cwd="/w/x"), codex.turn(), codex.tokens(1, 100, 10))
    assert user.forget(sources=["claude-code"], folders=["/w/x"]) == [
        ("claude-code", "/w/x", 1),
        ("claude-code", "/w/x/y", 1),
    ]
    assert user.requests() == {"c": 1, "d": 1}
    assert user.forget(sources=["codex"]) == [("codex", "/w/x", 1)]
    assert user.requests() == {"c": 1}


def test_a_file_that_is_gone_is_known_no_longer(user, home, claude):
    gone = home.claude("gone", *claude.answers(1, session="gone"))
    later = home.claude("later", *claude.answers(2, session="later"))
    user.requests()
    gone.unlink()
    user.forget("gone", "later")
    assert b"gone.jsonl" not in user.bytes()
    later.unlink()
    assert user.requests() == {}
    assert user.ask(lambda store: indexes.forgotten(store.machine)) == 0


def test_a_report_is_forgotten_with_its_duplicates_and_when_it_is_written_again(user, workspace):
    user.root = workspace.root
    path = workspace.add("r")
    workspace.raw("copy.json", path.read_bytes())
    workspace.add("s")
    assert user.requests().keys() == {"r", "s"}
    assert user.forget("r") == [("radium", str(workspace.root), 1)]
    assert user.requests().keys() == {"s"}
    workspace.add("r", lines_added=7)
    assert user.requests().keys() == {"s"}
    path.unlink()
    user.requests()
    workspace.add("r")
    assert user.requests().keys() == {"r", "s"}


def test_a_child_of_a_tracked_session_is_no_part_of_it_any_more(user, home, claude, workspace):
    user.root = workspace.root
    home.claude("c", *claude.answers(1, session="c"))
    times = {"start_time": "2026-03-02T12:00:00Z", "end_time": "2026-03-02T13:00:00Z"}
    children = [{"source": "claude-code", "session_id": "c"}]
    empty = {"model_usage": {}, "engine_usage": {}}
    workspace.add("t", **times, child_sessions=children, **empty)
    shown = user.ask(lambda store: [one.models for one in store.refresh().sessions()])
    assert [usage.name for usage in shown[0]] == ["m"]
    user.forget("c")
    shown = user.ask(lambda store: [one.models for one in store.refresh().sessions()])
    assert shown == [()]


def test_a_rebuilt_index_has_it_again(user, home, claude):
    home.claude("a", *claude.answers(1))
    user.forget("a")
    user.ask(lambda store: indexes.rebuild(store.machine))
    assert user.requests() == {"a": 1}


def test_a_damaged_index_does_not_bring_it_back(user, home, claude, workspace):
    user.root = workspace.root
    home.claude("a", *claude.answers(1, session="a"))
    home.claude("b", *claude.answers(2, session="b"))
    workspace.add("r")
    other = workspace.root.with_name("elsewhere")
    workspace.root.rename(other)
    user.root = other
    user.requests()
    user.forget("a", "r")
    with closing(sqlite3.connect(user.data / "index.db")) as db, db:
        db.execute("UPDATE session SET packed = x'00' WHERE session_id = 'b'")
    user.root = workspace.root.parent
    assert user.requests() == {"b": 1}
    assert user.requests() == {"b": 1}
    assert user.requests(other) == {"b": 1}


def test_a_process_that_read_before_shows_it_no_longer(user, home, claude):
    home.claude("a", *claude.answers(1))

    def work(store):
        assert len(store.refresh().entries) == 1
        user.forget("a")
        return store.refresh().entries

    assert user.ask(work) == ()


def test_sessions_of_folders_that_are_no_longer_named_can_be_forgotten(
    user, home, claude, tmp_path
):
    other = tmp_path / "other"
    home.write(other / "projects" / "far.jsonl", *claude.answers(1, session="far"))
    machine = Machine({"CLAUDE_CONFIG_DIR": str(other)}, home.root, user.data)
    Store(machine, tmp_path, everywhere=True).refresh()
    machine.close()
    assert user.forget("far") == [("claude-code", "/w/proj", 1)]
