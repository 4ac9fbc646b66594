"""Sessions of folders that the environment names, no longer names, and names again."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from rad_lsp.core.period import ALWAYS
from rad_lsp.service import index as indexes
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Selection
from rad_lsp.store.store import Store


@pytest.fixture
def asked(home, tmp_path):
    """Asks for the sessions of all folders as a process with that environment does."""

    def ask(answer=lambda store: store.refresh(), /, workspace=tmp_path / "none", **environ):
        machine = Machine({k: str(v) for k, v in environ.items()}, home.root, tmp_path / "data")
        try:
            return answer(Store(machine, workspace, everywhere=True))
        finally:
            machine.close()

    return ask


@pytest.fixture
def ids(asked):
    """The ids of the sessions that count in that environment."""
    return lambda **environ: sorted(entry.id for entry in asked(**environ).entries)


@pytest.fixture
def other(tmp_path):
    """A configuration folder other than the user's own."""
    return tmp_path / "other"


def requests(store):
    """The number of requests by session, by the sessions and by the index's sums."""
    snapshot = store.refresh()
    listed = {one.id: sum(use.requests for use in one.models) for one in snapshot.sessions()}
    summed = {row.key[0]: row.requests for row in store.usage_totals(["session"], ALWAYS, None)}
    assert {name: count for name, count in listed.items() if count} == summed
    return listed


def test_a_folder_that_is_no_longer_named_counts_once_it_is_named_again(home, ids, claude, other):
    home.claude("own", *claude.answers(1, session="own"))
    home.write(other / "projects" / "p" / "far.jsonl", *claude.answers(2, session="far"))
    assert ids(CLAUDE_CONFIG_DIR=f"{home.root / '.claude'},{other}") == ["far", "own"]
    assert ids() == ["own"]
    assert ids(CLAUDE_CONFIG_DIR=other) == ["far"]
    assert ids(CLAUDE_CONFIG_DIR=f"{home.root / '.claude'},{other}") == ["far", "own"]


@pytest.mark.parametrize(
    ("variable", "path", "records"),
    [
        (
            "CODEX_HOME",
            "sessions/2026/03/02/rollout-2026-03-02T12-00-00-x.jsonl",
            lambda codex: [codex.meta("x"), codex.turn(), codex.tokens(1, 100, 10)],
        ),
        (
            "GEMINI_CLI_HOME",
            ".gemini/tmp/h/chats/session-2026-03-02T12-00-x.jsonl",
            lambda _: [
                {"sessionId": "x", "projectHash": "h", "startTime": "2026-03-02T12:00:00Z"},
                {
                    "id": "1",
                    "timestamp": "2026-03-02T12:00:01Z",
                    "type": "gemini",
                    "model": "m",
                    "tokens": {"input": 100, "output": 10, "total": 110},
                },
            ],
        ),
        (
            "COPILOT_HOME",
            "session-state/x/events.jsonl",
            lambda _: [
                {
                    "type": "session.start",
                    "data": {"sessionId": "x", "context": {"cwd": "/w"}},
                    "timestamp": "2026-03-02T12:00:00Z",
                },
            ],
        ),
    ],
)
def test_so_does_that_of_every_other_agent(home, ids, codex, other, variable, path, records):
    home.write(other / path, *records(codex))
    assert ids(**{variable: other}) == ["x"]
    assert ids() == []
    assert ids(**{variable: other}) == ["x"]


def test_a_session_whose_transcript_is_gone_stays_while_its_folder_is_named(
    home, ids, claude, other
):
    file = home.write(other / "projects" / "p" / "far.jsonl", *claude.answers(1, session="far"))
    assert ids(CLAUDE_CONFIG_DIR=other) == ["far"]
    file.unlink()
    assert ids(CLAUDE_CONFIG_DIR=other) == ["far"]
    assert ids() == []
    assert ids(CLAUDE_CONFIG_DIR=other) == ["far"]


def test_a_session_with_files_in_two_folders_counts_fully_with_either(home, asked, claude, other):
    home.claude("a", *claude.answers(1, 2))
    home.write(other / "projects" / "p" / "a.jsonl", *claude.answers(1, 2, 3))
    both = {"CLAUDE_CONFIG_DIR": f"{home.root / '.claude'},{other}"}
    assert asked(requests, **both) == {"a": 3}
    assert asked(requests) == {"a": 3}
    assert asked(requests, CLAUDE_CONFIG_DIR=other) == {"a": 3}


def test_a_request_that_counts_with_another_session_goes_with_that_one(home, asked, claude, other):
    home.write(other / "projects" / "p" / "first.jsonl", *claude.answers(1, 2, session="first"))
    home.claude("second", *claude.answers(1, 2, 3, session="second"))
    both = {"CLAUDE_CONFIG_DIR": f"{home.root / '.claude'},{other}"}
    assert asked(requests, **both) == {"first": 2, "second": 1}
    assert asked(requests) == {"second": 1}
    assert asked(requests, **both) == {"first": 2, "second": 1}


def test_processes_with_other_environments_change_nothing_for_each_other(
    home, asked, claude, other, tmp_path
):
    home.claude("own", *claude.answers(1, session="own"))
    home.write(other / "projects" / "p" / "far.jsonl", *claude.answers(2, session="far"))
    here = {"CLAUDE_CONFIG_DIR": other}
    asked(requests, **here)
    asked(requests)

    def rows():
        with closing(sqlite3.connect(tmp_path / "data" / "index.db")) as db:
            return list(db.iterdump())

    before = rows()
    for _ in range(2):
        assert asked(requests, **here) == {"far": 1}
        assert asked(requests) == {"own": 1}
    assert rows() == before


def test_sums_of_tool_calls_and_counts_leave_them_out(home, asked, claude, other):
    home.claude("own", *claude.called(1, session="own"))
    home.write(other / "projects" / "p" / "far.jsonl", *claude.called(2, session="far"))
    asked(CLAUDE_CONFIG_DIR=other)

    def answers(store):
        store.update()
        calls = store.tool_totals(["session"], ALWAYS, None)
        newest = Store(
            store.machine, other, everywhere=True, selection=Selection(2**62, newest=1)
        ).refresh()
        return [row.key for row in calls], newest.total

    assert asked(answers) == ([("own",)], 1)


def test_files_that_can_not_be_read_are_told_while_their_folder_is_named(
    home, asked, claude, other
):
    home.write(other / "projects" / "p" / "bad.jsonl", b"no json\n", *claude.answers(1))
    (other / "projects" / "p" / "folder.jsonl").mkdir()

    def told(store):
        return len(store.refresh().skipped), len(indexes.unreadable(store.machine))

    told_there = asked(told, CLAUDE_CONFIG_DIR=other)
    assert told_there[1]
    assert asked(told) == (0, 0)
    assert asked(told, CLAUDE_CONFIG_DIR=other) == told_there


def test_the_same_folder_by_another_name_is_named(home, ids, claude, other, tmp_path):
    file = home.write(other / "projects" / "p" / "far.jsonl", *claude.answers(1, session="far"))
    link = tmp_path / "link"
    link.symlink_to(other, target_is_directory=True)
    assert ids(CLAUDE_CONFIG_DIR=link) == ["far"]
    file.unlink()
    assert ids(CLAUDE_CONFIG_DIR=link) == ["far"]
    assert ids(CLAUDE_CONFIG_DIR=other) == ["far"]
    assert ids(CLAUDE_CONFIG_DIR=f"{other}/../other/") == ["far"]


def test_a_folder_whose_name_begins_like_a_named_one_is_not_named(home, ids, claude, tmp_path):
    for name in ("c", "c-2", "c0", "d"):
        path = tmp_path / name / "projects" / "p" / f"{name}.jsonl"
        home.write(path, *claude.answers(name, session=name, at=1))
    every = ",".join(str(tmp_path / name) for name in ("c", "c-2", "c0", "d"))
    assert ids(CLAUDE_CONFIG_DIR=every) == ["c", "c-2", "c0", "d"]
    assert ids(CLAUDE_CONFIG_DIR=tmp_path / "c") == ["c"]
    assert ids(CLAUDE_CONFIG_DIR=f"{tmp_path / 'c0'},{tmp_path / 'c'}") == ["c", "c0"]


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="paths are Unicode")
def test_a_path_that_is_not_unicode_lies_where_it_lies(home, ids, claude, tmp_path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xe4")
    home.write(tmp_path / odd / "projects" / "far.jsonl", *claude.answers(1, session="far"))
    home.claude("own", *claude.answers(2, session="own"))
    home.write(home.projects / os.fsdecode(b"\xe4") / "odd.jsonl", *claude.answers(3, session="o"))
    assert ids() == ["o", "own"]
    assert ids(CLAUDE_CONFIG_DIR=odd) == ["far"]
    assert ids() == ["o", "own"]


def test_the_desktop_apps_sessions_count_whatever_is_named(home, ids, claude, other):
    app = home.root / ".config" / "Claude" / "local-agent-mode-sessions"
    place = app / "1" / "2" / "local_3" / ".claude" / "projects" / "p" / "app.jsonl"
    home.write(place, *claude.answers(1, session="app"))
    assert ids() == ["app"]
    assert ids(CLAUDE_CONFIG_DIR=other) == ["app"]
    shutil.rmtree(app)
    assert ids(CLAUDE_CONFIG_DIR=other) == ["app"]


def test_nothing_is_known_of_a_part_of_a_tracked_session_while_its_folder_is_not_named(
    home, asked, claude, other, workspace
):
    home.write(other / "projects" / "p" / "c.jsonl", *claude.answers(1, session="c"))
    start, end = "2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z"
    child = {"source": "claude-code", "session_id": "c"}
    empty = {"model_usage": {}, "engine_usage": {}}
    workspace.add("t", start_time=start, end_time=end, child_sessions=[child], **empty)

    def models(store):
        (entry,) = store.refresh().entries
        return entry.id, [usage.name for usage in entry.session.models]

    here = {"workspace": workspace.root, "CLAUDE_CONFIG_DIR": other}
    assert asked(models, **here) == ("t", ["m"])
    assert asked(models, workspace=workspace.root) == ("t", [])
    assert asked(models, **here) == ("t", ["m"])


def test_a_path_that_is_damaged_is_noticed_before_a_session_is_left_out(
    home, asked, claude, tmp_path
):
    file = home.claude("own", *claude.answers(1, session="own"))
    asked()
    file.unlink()
    with closing(sqlite3.connect(tmp_path / "data" / "index.db")) as db, db:
        db.execute("UPDATE file SET path = '/elsewhere.jsonl'")

    def noticed(store):
        store.refresh()
        return store.machine.index.notice

    assert asked(noticed) == "The index was damaged: all transcripts are read anew"
