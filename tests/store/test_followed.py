"""A snapshot that follows what changed equals one that is put together anew."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.session import Child
from rad_lsp.sources import radium
from rad_lsp.store import query
from rad_lsp.store.machine import Machine
from rad_lsp.store.store import Store

FILES = ("a.json", "b.json", "c.json")
IDS = ("a", "b", "c")
DAYS = ("2026-01-01", "2026-01-02", "2099-01-01", "2099-01-02")
CHANGES = st.one_of(
    st.tuples(
        st.sampled_from(FILES), st.sampled_from(IDS), st.sampled_from(DAYS), st.sampled_from(DAYS)
    ),
    st.tuples(st.sampled_from(FILES), st.sampled_from(["torn", "gone"])),
    st.tuples(st.just("transcript"), st.sampled_from((*IDS, "d")), st.booleans()),
)


class Files:
    """Reports and transcripts of a user, and the store of them."""

    def __init__(self, folder, report_bytes, claude):
        self.sessions = folder / "work" / ".radium" / "_internals" / "sessions"
        self.projects = folder / "user" / ".claude" / "projects"
        self.sessions.mkdir(parents=True)
        self.projects.mkdir(parents=True)
        self.report_bytes = report_bytes
        self._claude = claude
        self.machine = Machine({}, folder / "user", None)
        self.store = self.another()

    def another(self):
        return Store(self.machine, self.sessions.parents[2], everywhere=True)

    def report(self, file, session_id, end="2026-01-01", generated="2026-01-01", **changes):
        times = {"end_time": f"{end}T00:00:00Z", "generated_at": f"{generated}T00:00:00Z"}
        data = self.report_bytes(session_id=session_id, **times, **changes)
        (self.sessions / file).write_bytes(data)

    def transcript(self, session_id, *, is_there=True):
        path = self.projects / f"{session_id}.jsonl"
        if not is_there:
            path.unlink(missing_ok=True)
            return
        with path.open("ab") as file:
            file.write(json.dumps(self._claude.answer(path.stat().st_size, session_id)).encode())
            file.write(b"\n")

    def change(self, what, *how):
        if what == "transcript":
            self.transcript(how[0], is_there=how[1])
        elif how == ("gone",):
            (self.sessions / what).unlink(missing_ok=True)
        elif how == ("torn",):
            (self.sessions / what).write_bytes(b"{")
        else:
            self.report(what, *how)

    def followed(self):
        """The snapshot; it is the same as that of a store that begins now."""
        found = self.store.refresh()
        anew = self.another().recall()
        assert found == anew
        assert list(found.entries) == list(anew.entries)
        return found


@pytest.fixture
def made(report_bytes, claude):
    """Makes files in a folder."""
    return lambda folder: Files(Path(folder), report_bytes, claude)


@pytest.fixture
def files(made, tmp_path):
    """Two reports, which have been read."""
    files = made(tmp_path)
    files.report("a.json", "a")
    files.report("b.json", "b", "2026-01-02")
    files.store.refresh()
    yield files
    files.machine.index.close()


@pytest.fixture
def assembled(monkeypatch):
    """Which snapshots are put together of all sessions."""
    made = []
    entries = query.entries

    def noted(*arguments):
        made.append(arguments)
        return entries(*arguments)

    monkeypatch.setattr(query, "entries", noted)
    return made


def test_whatever_changes_it_is_as_if_it_were_made_anew(report_bytes, claude):
    @given(st.lists(CHANGES, min_size=2, max_size=12))
    def follows(changes):
        with tempfile.TemporaryDirectory() as folder:
            files = Files(Path(folder), report_bytes, claude)
            for change in changes:
                files.change(*change)
                files.followed()
            files.machine.index.close()

    follows()


@pytest.mark.parametrize(
    "change",
    [
        ("a.json", "a", "2026-01-03"),
        ("c.json", "c"),
        ("b.json", "gone"),
        ("b.json", "torn"),
        ("c.json", "a", "2026-01-02"),
        ("transcript", "d", True),
    ],
)
def test_where_a_session_changes_only_that_is_asked_for(files, assembled, change):
    files.change(*change)
    before = files.store.snapshot
    assert files.store.refresh() != before
    assert assembled == []
    files.followed()


def test_one_of_the_future_does_not_change_that(files, assembled):
    files.report("c.json", "c", "2099-01-01")
    files.followed()
    assembled.clear()
    files.report("a.json", "a", "2026-01-03")
    files.store.refresh()
    assert assembled == []
    files.followed()


def test_what_was_the_future_is_the_present_in_time(files, monkeypatch):
    files.report("c.json", "c", "2099-01-01")
    assert files.followed().entries[0].id == "b"

    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime(2099, 6, 1, tzinfo=zone)

    monkeypatch.setattr("rad_lsp.store.store.datetime", Later)
    files.report("a.json", "a", "2026-01-03")
    assert files.followed().entries[0].id == "c"


def test_what_another_process_has_read_is_followed(files, tmp_path):
    first, second = (
        Store(Machine({}, tmp_path / "user", tmp_path / "data"), tmp_path / "work")
        for _ in range(2)
    )
    first.refresh()
    second.refresh()
    files.report("c.json", "c")
    first.refresh()
    files.report("a.json", "a", "2026-01-03")
    assert [entry.id for entry in second.refresh().entries] == ["a", "b", "c"]
    for store in (first, second):
        store.machine.index.close()


def test_open_buffers_count_while_other_reports_change(files):
    path = str(files.sessions / "b.json")
    data = files.report_bytes(session_id="b", end_time="2026-01-09T00:00:00Z")
    files.store.edit(path, radium.parse(path, data))
    files.report("a.json", "a", "2026-01-03")
    assert [entry.id for entry in files.store.refresh().entries] == ["b", "a"]
    files.report("a.json", "a", "2026-01-10")
    assert [entry.id for entry in files.store.refresh().entries] == ["a", "b"]
    files.store.edit(path, None)
    files.report("b.json", "b", "2026-01-11")
    assert [entry.id for entry in files.followed().entries] == ["b", "a"]


def test_a_session_that_becomes_part_of_another_is_followed(files):
    files.transcript("d")
    files.followed()
    files.report(
        "a.json", "a", "2026-03-03", child_sessions=[{"source": "claude-code", "session_id": "d"}]
    )
    found = files.followed()
    assert found.by_id["a"].children == (Child("claude-code", "d"),)
    files.transcript("d")
    assert files.followed() != found


def test_a_new_index_is_followed(files):
    files.machine.rebuild()
    (files.sessions / "b.json").unlink()
    assert [entry.id for entry in files.followed().entries] == ["a"]
