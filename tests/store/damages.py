"""Random damage to an index, and whether every figure is right afterwards.

`attack` makes a history, damages its index by chance, and looks at it as a program would: at once
or after files have changed, and after a rebuild.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rad_lsp.core.period import ALWAYS
from rad_lsp.core.price import Price, Rates
from rad_lsp.service import index as indexes
from rad_lsp.store.index import FILE
from rad_lsp.store.machine import Machine
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from rad_lsp.store.totals import Dimension

PAGE = 4096
GONE = "gone"
DAMAGED = "The index was damaged: all transcripts are read anew"
SHARED: tuple[Dimension, ...] = ("session", "day", "source", "project", "branch")
BY: tuple[Dimension, ...] = (*SHARED, "model", "engine", "tier")
BY_TOOL: tuple[Dimension, ...] = (*SHARED, "tool")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class PriceList:
    """Every model has one price."""

    key = "1"

    def price(self, model, engine, slot, tier=""):  # noqa: ARG002  (as the protocol has them)
        return Price(model, "", "list", (Rates(1.0, 0.1, 1.25, 2.0, 5.0),))

    def span(self, model, engine, tier=""):  # noqa: ARG002
        return 1 << 30


class World:
    """The files of a user, and a workspace."""

    def __init__(self, root):
        self.home = root / "user"
        self.workspace = root / "workspace"
        for number in range(4):
            self.transcript(f"s{number}", range(10 * number, 10 * number + 8))
        self.transcript("fork", [*range(6), 90, 91])
        self.transcript(GONE, range(70, 76))
        for number in range(3):
            self.report(f"report-{number}", number, [])
        self.report("tracked", 1, ["s1"])

    def path(self, name):
        return self.home / ".claude" / "projects" / "p" / f"{name}.jsonl"

    def transcript(self, name, numbers):
        """Add answers, each with a tool call, to a transcript."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        with self.path(name).open("a", encoding="utf-8") as file:
            for number in numbers:
                for record in self._answer(name, number):
                    file.write(json.dumps(record) + "\n")

    def _answer(self, name, number):
        at = (NOON + timedelta(minutes=number)).isoformat()
        record = {"sessionId": name, "cwd": str(self.workspace), "timestamp": at}
        tool = f"tool_{number}"
        usage = {"input_tokens": 100 + number, "output_tokens": 10, "cache_read_input_tokens": 5}
        message = {
            "id": f"msg_{number}",
            "model": f"m{number % 2}",
            "stop_reason": "tool_use",
            "usage": usage,
            "content": [{"type": "tool_use", "id": tool, "name": "Bash"}],
        }
        result = {"type": "tool_result", "tool_use_id": tool, "content": "done"}
        # Some relays give no ids: their answers have no copies.
        ids = {"requestId": f"req_{number}"} if number % 3 else {}
        yield record | ids | {"type": "assistant", "message": message}
        yield record | {"type": "user", "message": {"content": [result]}}

    def report(self, name, number, children):
        start = NOON + timedelta(minutes=10 * number)
        end = start + timedelta(minutes=9)
        usage = {"requests": 2, "input_tokens": 100 + number, "output_tokens": 7}
        usage |= {"cached_tokens": 0, "estimated_cost": 0.5}
        parts = [{"source": "claude-code", "session_id": child} for child in children]
        metrics = {
            "session_id": name,
            "start_time": start.isoformat(),
            "end_time": end.isoformat(),
            "wall_time": {"secs": 540, "nanos": 0},
            "agent_active_time": {"secs": 100, "nanos": 0},
            "api_time": {"secs": 60, "nanos": 0},
            "tool_time": {"secs": 40, "nanos": 0},
            "tool_calls": 3,
            "successful_tool_calls": 2,
            "failed_tool_calls": 1,
            "lines_added": 5,
            "lines_removed": 1,
            "model_usage": {} if children else {"m": usage},
            "total_cached_tokens": 0,
            "total_cache_creation_tokens": 0,
            "total_cache_read_tokens": 0,
            "total_cost": 0.0 if children else 0.5,
            "child_sessions": parts,
        }
        report = {"metrics": metrics, "generated_at": end.isoformat()}
        folder = self.workspace / ".radium" / "_internals" / "sessions"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
        (folder / "broken.json").write_text("{", encoding="utf-8")
        (folder / "copy.json").write_bytes((folder / "report-0.json").read_bytes())

    def change(self, turn):
        """What agents and reports go on to write."""
        self.transcript("s0", [100 + turn])
        self.transcript(f"fork-{turn}", [*range(10, 14), 110 + turn])
        self.report("report-0", 5 + turn, [])
        self.report(f"later-{turn}", 6 + turn, [])
        self.transcript("s3", [120 + turn, 0, 1])

    def machine(self, data):
        return Machine({}, self.home, data, price_list=PriceList())

    def figures(self, data):
        """What is shown of the sessions, by id: each as a whole, its requests and tool calls."""
        machine = self.machine(data)
        try:
            store = Store(machine, self.workspace)
            sessions = {session.id: [session] for session in store.refresh().sessions()}
            assert store.snapshot.total == len(sessions)
            usage, tools = {}, {}
            for total in store.usage_totals(BY, ALWAYS, UTC):
                usage.setdefault(total.key[0], []).append(_comparable(total))
            for call in store.tool_totals(BY_TOOL, ALWAYS, UTC):
                tools.setdefault(call.key[0], []).append(_comparable(call))
            skipped = store.snapshot.skipped, indexes.unreadable(machine)
            return (sessions, usage, tools), skipped, machine.index
        finally:
            machine.close()


def _comparable(total):
    """A sum with the number of its sessions: another index knows these by other numbers."""
    return replace(total, numbers=frozenset()), total.sessions


def attack(root, seed):
    """Raises AssertionError, or what else goes wrong; returns what was done."""
    dice = random.Random(seed)  # noqa: S311  (damage, no secrets)
    world = World(root)
    data, true = root / "data", root / "true"
    world.figures(data)
    world.path(GONE).unlink()
    world.figures(data)
    shutil.copytree(data, true)
    done = dice.choice(KINDS)
    with contextlib.suppress(FileNotFoundError):
        (data / f"{FILE}-wal").unlink()
    what = f"{done.__name__}: {done(data / FILE, dice)}"
    for turn in range(3):
        if turn or dice.random() < 0.5:
            what += f", change {turn}"
            world.change(turn)
        if turn == 2:
            machine = world.machine(data)
            indexes.rebuild(machine)
            assert machine.health() == "ok", (what, machine.health())
            machine.close()
        found = world.figures(data)
        compare(found, world.figures(true), what)
    assert found[2].trouble == "", what
    return what


def compare(found, true, what):
    """All is as it is without damage; only what no file tells any more may be lost, and whole."""
    (figures, skipped, index), (expected, true_skipped, _) = found, true
    for shown, by_session in zip(figures, expected, strict=True):
        assert set(by_session) - {GONE} <= shown.keys() <= set(by_session), what
        for session, value in shown.items():
            assert value == by_session[session], what
    was_noticed = index.notice or index.trouble  # perhaps after the first of them was made
    assert was_noticed or len({GONE in one for one in figures}) == 1, what
    assert skipped == true_skipped, what


def _flips(path, dice, least, most):
    data = bytearray(path.read_bytes())
    for _ in range(dice.randint(least, most)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def a_bit(path, dice):
    _flips(path, dice, 1, 1)


def bits(path, dice):
    _flips(path, dice, 2, 200)


def used_bits(path, dice):
    """Where something is stored: pages are empty in the middle."""
    data = bytearray(path.read_bytes())
    used = [place for place, byte in enumerate(data) if byte]
    for _ in range(dice.randint(1, 5)):
        data[dice.choice(used)] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def header(path, dice):
    data = bytearray(path.read_bytes())
    place = dice.randrange(108)
    data[place] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    return place


def pages(path, dice):
    """Zeroed, or exchanged for each other."""
    data = path.read_bytes()
    listed = [data[begin : begin + PAGE] for begin in range(0, len(data), PAGE)]
    one, other = dice.randrange(len(listed)), dice.randrange(len(listed))
    if dice.random() < 0.5:
        listed[one] = bytes(PAGE)
    else:
        listed[one], listed[other] = listed[other], listed[one]
    path.write_bytes(b"".join(listed))
    return one, other


def cut(path, dice):
    data = path.read_bytes()
    path.write_bytes(data[: dice.randrange(len(data))])


def schema(path, dice):
    """A letter of the statements that made the tables."""
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data)) if data.startswith(b"CREATE ", place)]
    place = dice.choice(starts) + dice.randrange(150)
    data[place] = dice.choice(b"abcdexyz (),")
    path.write_bytes(data)
    return place


def rows(path, dice):
    """Lost, by SQL."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        table, columns = _table(db, dice)
        row = ", ".join(columns)
        (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  (ours)
        limit = f"{dice.choice([1, 1, 5, 100])} OFFSET {dice.randrange(count or 1)}"
        db.execute(
            f"DELETE FROM {table} "  # noqa: S608
            f"WHERE ({row}) IN (SELECT {row} FROM {table} LIMIT {limit})"
        )
        db.commit()
    return table, limit


def value(path, dice):
    """Another one, by SQL, of all rows of a table or of one."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        table, columns = _table(db, dice)
        column = dice.choice(columns)
        odd = ("NULL", "x''", "'a'", "-1", "0", "1", "2", "1.5", "9223372036854775807")
        new = dice.choice([f"{column} + 1", f"{column} || 'x'", f"{column} + 1", *odd])
        (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        row = ", ".join(columns)
        limit = dice.choice([f"1 OFFSET {dice.randrange(count or 1)}", "-1"])
        with contextlib.suppress(sqlite3.IntegrityError):
            db.execute(
                f"UPDATE {table} SET {column} = {new} "  # noqa: S608
                f"WHERE ({row}) IN (SELECT {row} FROM {table} LIMIT {limit})"
            )
        db.commit()
    return table, column, new, limit


def _table(db, dice):
    """A table of the index and its columns."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    table = dice.choice(db.execute(query).fetchall())[0]
    # One column has the name of a word of SQL.
    return table, [f'"{row[1]}"' for row in db.execute(f"PRAGMA table_info({table})")]


KINDS = (a_bit, bits, used_bits, header, pages, cut, schema, rows, value, value, used_bits)
