"""What this program writes: each is killed at every step of it.

A scenario has `prepare`, `work` and `check`, as `steps.kill_at_each` says, and the least number of
steps by which it is told from one that changes nothing. Afterwards there is
the old or the new, never a half, and what is done next works as if nothing had happened.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rad_lsp import service
from rad_lsp.core import report
from rad_lsp.core.session import RADIUM
from rad_lsp.render import export
from rad_lsp.service import index, workspace
from rad_lsp.sources.radium import FOLDER
from rad_lsp.store import query
from rad_lsp.store.index import FILE
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Scope
from rad_lsp.store.store import Store
from rad_lsp.tracking import SessionRecorder

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def record(root, session_id, tools=1):
    """Track a session with so many tool calls."""
    with SessionRecorder(root, session_id=session_id, changes=False) as session:
        for _ in range(tools):
            with session.tool("t"):
                pass


def recorded(root, data=None):
    """Tool calls by session, as the store has them; no report may be unreadable."""
    machine = Machine({}, root / "nobody", data)
    snapshot = Store(machine, root, [RADIUM]).refresh()
    assert snapshot.skipped == ()
    return {session.id: session.tool_calls for session in snapshot.sessions()}


class Report:
    """A session is recorded, from the folder for its report to the report's last version."""

    least_steps = 15

    @staticmethod
    def prepare(folder):
        pass

    @staticmethod
    def work(folder):
        record(folder, "first")

    @staticmethod
    def check(folder, killed):
        for path in (folder / FOLDER).glob("*.json"):
            assert isinstance(report.read(path.read_bytes()), report.Report)
        before = recorded(folder)
        if killed:
            assert before in ({}, {"first": 0}, {"first": 1})
        else:
            assert before == {"first": 1}
        record(folder, "next", tools=2)
        assert recorded(folder) == {**before, "next": 2}


class Export:
    """Sessions are exported over an older export."""

    least_steps = 6

    old = b"the old export\n"
    overwrite = True

    @classmethod
    def prepare(cls, folder):
        for number in range(3):
            record(folder, f"s{number}")
        if cls.overwrite:
            (folder / "out.csv").write_bytes(cls.old)

    @classmethod
    def work(cls, folder):
        cls._export(folder, folder / "out.csv", overwrite=cls.overwrite)

    @classmethod
    def check(cls, folder, killed):
        out = folder / "out.csv"
        if killed and (not out.exists() if not cls.overwrite else out.read_bytes() == cls.old):
            cls._export(folder, out, overwrite=cls.overwrite)
        rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
        assert sorted(row["session_id"] for row in rows) == ["s0", "s1", "s2"]
        assert None not in rows[-1].values()

    @staticmethod
    def _export(folder, out, *, overwrite):
        sessions = list(Store(Machine({}, folder, None), folder, [RADIUM]).refresh().sessions())
        now = datetime.now(UTC)
        chunks = export.chunks(sessions, "csv", now, single=False, left_out=lambda _error: None)
        service.write(out, chunks, overwrite=overwrite)


class NewExport(Export):
    """Sessions are exported to a place where nothing is."""

    overwrite = False


class Init:
    """A folder becomes a workspace."""

    least_steps = 3

    @staticmethod
    def prepare(folder):
        pass

    @staticmethod
    def work(folder):
        workspace.init(folder)

    @staticmethod
    def check(folder, killed):  # noqa: ARG004
        workspace.init(folder)
        assert not workspace.init(folder)
        record(folder, "next")
        assert recorded(folder) == {"next": 1}


def answer(number, session):
    """A request as Claude Code logs it."""
    message = {
        "id": f"msg_{number}",
        "model": "claude-sonnet-4-5",
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 10},
    }
    made = {
        "type": "assistant",
        "sessionId": session,
        "cwd": "/w",
        "timestamp": (NOON + timedelta(seconds=number)).isoformat(),
        "requestId": f"req_{number}",
        "message": message,
    }
    return json.dumps(made).encode() + b"\n"


class Index:
    """Transcripts are read for the first time; there are reports beside them."""

    least_steps = 20

    expected = {"a": 2, "b": 1, "report": 0}  # noqa: RUF012

    @classmethod
    def prepare(cls, folder):
        projects = cls.projects(folder)
        projects.mkdir(parents=True)
        (projects / "a.jsonl").write_bytes(answer(1, "a") + answer(2, "a"))
        (projects / "b.jsonl").write_bytes(answer(3, "b"))
        record(folder, "report")

    @classmethod
    def work(cls, folder):
        cls.update(folder)

    @classmethod
    def check(cls, folder, killed):  # noqa: ARG003
        left = cls.update(folder)
        assert left == cls.expected, left
        (cls.projects(folder) / "c.jsonl").write_bytes(answer(9, "c"))
        assert cls.update(folder) == {**cls.expected, "c": 1}

    @staticmethod
    def projects(folder):
        return folder / ".claude" / "projects"

    @staticmethod
    def machine(folder):
        return Machine({}, folder, folder / "data")

    @classmethod
    def update(cls, folder):
        """Requests by session, once what is new has been read."""
        machine = cls.machine(folder)
        store = Store(machine, folder, everywhere=True)
        sessions = list(store.refresh().sessions())
        assert machine.index.trouble == ""
        assert machine.health() == "ok"
        scope = Scope(frozenset({"claude-code"}))
        assert query.counts(machine.index.connection, scope).total() == len(sessions) - 1
        return {one.id: sum(usage.requests for usage in one.models) for one in sessions}


class GrownIndex(Index):
    """A transcript has grown, one was replaced, one is gone, and one is new."""

    least_steps = 12
    expected = {"a": 3, "b": 2, "gone": 1, "new": 1, "report": 0}  # noqa: RUF012

    @classmethod
    def prepare(cls, folder):
        super().prepare(folder)
        projects = cls.projects(folder)
        (projects / "gone.jsonl").write_bytes(answer(20, "gone"))
        # The process ends without closing the index: its newest changes are in a file of their own.
        cls.update(folder)
        (projects / "gone.jsonl").unlink()
        with (projects / "a.jsonl").open("ab") as file:
            file.write(answer(4, "a"))
        (projects / "b.jsonl").write_bytes(answer(5, "b") + answer(6, "b"))
        (projects / "new.jsonl").write_bytes(answer(7, "new"))


class RebuiltIndex(GrownIndex):
    """The index is rebuilt, and keeps the session whose transcript is gone."""

    @classmethod
    def work(cls, folder):
        index.rebuild(cls.machine(folder))


class OldIndex(GrownIndex):
    """The index is of a version before the first release, so that another takes its place."""

    @classmethod
    def prepare(cls, folder):
        super().prepare(folder)
        cls.update(folder)
        with sqlite3.connect(folder / "data" / FILE) as db:
            db.execute("PRAGMA user_version=1234567890")


class DamagedIndex(GrownIndex):
    """A table of the index can't be read, so that another index takes over what is whole."""

    @classmethod
    def prepare(cls, folder):
        super().prepare(folder)
        cls.update(folder)
        path = Path(folder, "data", FILE)
        with sqlite3.connect(path) as db:
            select = "SELECT rootpage FROM sqlite_master WHERE name = 'session_cwd'"
            ((page,),) = db.execute(select).fetchall()
            ((size,),) = db.execute("PRAGMA page_size").fetchall()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        Report,
        Export,
        NewExport,
        Init,
        Index,
        GrownIndex,
        RebuiltIndex,
        OldIndex,
        DamagedIndex,
    )
}
