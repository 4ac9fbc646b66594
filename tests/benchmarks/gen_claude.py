"""A made-up history of Claude Code: `python -m tests.benchmarks.gen_claude DIR SESSIONS MB`.

Same seed, same files. As in a real history, an answer is written as one to three records of which
the last has the final usage; some sessions begin with a copy of an earlier one's records; there
are both kinds of cache writes, a few requests of over 200,000 tokens, sub-agents' records, and a
few last lines that are cut off. The true totals are returned, and printed as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import uuid
from pathlib import Path

MODELS = {
    "claude-sonnet-4-5-20250929": 50,
    "claude-opus-4-5-20251101": 30,
    "claude-haiku-4-5-20251001": 20,
}
WORDS = [
    "the",
    "file",
    "test",
    "error",
    "value",
    "return",
    "import",
    "session",
    "token",
    "cache",
    "model",
    "parse",
    "write",
    "read",
    "build",
    "fix",
    "class",
    "def",
    "async",
    "await",
    "config",
    "path",
    "client",
    "server",
    "request",
    "response",
    "result",
    "list",
    "dict",
    "index",
]
TOOLS = ("Read", "Edit", "Bash", "Grep", "Glob", "Write", "TodoWrite", "Task")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"
END = dt.datetime(2026, 11, 23, 23, tzinfo=dt.UTC)
DAYS = 240
FORKED = 0.03
"""Share of the sessions that begin with a copy of another."""


class Totals(dict):
    """Requests, and tokens by class."""

    def __init__(self):
        super().__init__(requests=0, input=0, output=0, cache_read=0, write_5m=0, write_1h=0)

    def add(self, **amounts):
        for name, amount in amounts.items():
            self[name] += amount


class History:
    """Writes sessions one after the other."""

    def __init__(self, folder, sessions, megabytes, seed=7):
        self.dice = random.Random(seed)  # noqa: S311
        self.projects = Path(folder, "projects")
        self.sessions = sessions
        self.bytes = megabytes * 1e6 / sessions
        self.recent = []
        self.totals = Totals()
        self.by_model = {model: Totals() for model in MODELS}

    def write(self):
        for number in range(self.sessions):
            Session(self, number).write()
        return {"totals": self.totals, "models": self.by_model}

    def uuid(self):
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def name(self, prefix):
        return prefix + "".join(self.dice.choices(LETTERS, k=24))

    def text(self, length):
        return " ".join(self.dice.choices(WORDS, k=max(1, length // 6)))


class Session:
    """One session's file."""

    def __init__(self, history, number):
        dice = history.dice
        self.history, self.dice = history, dice
        self.cwd = f"/home/dev/work/proj{dice.randrange(40):02}"
        self.id = history.uuid()
        begin = END - dt.timedelta(days=DAYS) * (1 - number / history.sessions)
        self.time = begin + dt.timedelta(seconds=dice.randrange(3600))
        self.size = history.bytes * dice.lognormvariate(0, 0.8) / 1.377
        self.model = dice.choices(list(MODELS), list(MODELS.values()))[0]
        self.context = dice.randrange(12_000, 30_000)
        self.base = {
            "userType": "external",
            "cwd": self.cwd,
            "sessionId": self.id,
            "version": "2.0.28",
            "gitBranch": dice.choice(["main", "dev", "feature/x"]),
        }
        self.parent = None
        self.lines = []
        self.own = []

    def write(self):
        stamp = {"messageId": self.history.uuid(), "timestamp": self.now()}
        self.put({"type": "file-history-snapshot", **stamp, "isSnapshotUpdate": False})
        if self.history.recent and self.dice.random() < FORKED:
            for record in self.dice.choice(self.history.recent):
                self.put({**record, "sessionId": self.id})
        while self.size > 0 or not self.own:
            self.turn()
        self.history.recent = [*self.history.recent, self.own][-50:]
        text = "\n".join(self.lines) + "\n"
        if self.dice.random() < 0.01:
            text += f'{{"parentUuid":"{self.history.uuid()}","isSidechain":false,"type":"assist'
        path = self.history.projects / self.cwd.replace("/", "-") / f"{self.id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self.time.timestamp(), self.time.timestamp()))

    def turn(self):
        dice = self.dice
        self.passes(dice.randrange(2, 90), dice.randrange(1000))
        self.record("user", {"role": "user", "content": self.text(40, 400)})
        for _ in range(dice.randrange(1, 6)):
            self.request()

    def request(self):
        dice = self.dice
        self.passes(dice.randrange(1, 25), dice.randrange(1000))
        if dice.random() < 0.02:
            self.context = dice.randrange(210_000, 400_000)
        elif self.context > 170_000:
            self.context = dice.randrange(12_000, 30_000)
        written = dice.randrange(200, 6000)
        for_an_hour = written if dice.random() < 0.6 else 0
        fresh, output = dice.randrange(1, 40), dice.randrange(20, 1500)
        answer = {"id": self.history.name("msg_01"), "request": self.history.name("req_011")}
        tool, side = self.history.name("toolu_01"), dice.random() < 0.1
        records = []
        for left in reversed(range(dice.choice([1, 2, 2, 3]))):
            usage = {
                "input_tokens": fresh,
                "cache_creation_input_tokens": written,
                "cache_read_input_tokens": self.context,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": written - for_an_hour,
                    "ephemeral_1h_input_tokens": for_an_hour,
                },
                "output_tokens": dice.randrange(1, 10) if left else output,
                "service_tier": "standard",
            }
            records.append(self.answer(answer, usage, tool, side=side, last=not left))
        # A copy of a session never ends in the middle of an answer.
        if len(self.own) < 12:
            self.own += records
        for totals in (self.history.totals, self.history.by_model[self.model]):
            totals.add(
                requests=1,
                input=fresh,
                output=output,
                cache_read=self.context,
                write_5m=written - for_an_hour,
                write_1h=for_an_hour,
            )
        self.passes(0, dice.randrange(20, 4000))
        result = {
            "tool_use_id": tool,
            "type": "tool_result",
            "content": self.text(40, 2500),
            "is_error": dice.random() < 0.06,
        }
        told = {"stdout": "", "durationMs": dice.randrange(5, 4000)}
        message = {"role": "user", "content": [result]}
        self.record("user", message, side=side, toolUseResult=told)
        self.context += written

    def answer(self, answer, usage, tool, *, side, last):
        if last:
            path = f"{self.cwd}/src/{self.dice.choice(WORDS)}.py"
            given = {"file_path": path, "old_string": self.text(20, 300)}
            block = {
                "type": "tool_use",
                "id": tool,
                "name": self.dice.choice(TOOLS),
                "input": given,
            }
        else:
            block = {"type": "text", "text": self.text(30, 500)}
        message = {
            "model": self.model,
            "id": answer["id"],
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": "tool_use" if last else None,
            "stop_sequence": None,
            "usage": usage,
        }
        return self.record("assistant", message, side=side, requestId=answer["request"])

    def record(self, kind, message, *, side=False, **more):
        own = {"uuid": self.history.uuid(), "timestamp": self.now()}
        record = {
            "parentUuid": self.parent,
            "isSidechain": side,
            **self.base,
            "type": kind,
            "message": message,
            **more,
            **own,
        }
        self.parent = own["uuid"]
        self.put(record)
        return record

    def put(self, record):
        line = json.dumps(record, separators=(",", ":"))
        self.lines.append(line)
        self.size -= len(line) + 1

    def passes(self, seconds, milliseconds):
        self.time += dt.timedelta(seconds=seconds, milliseconds=milliseconds)

    def now(self):
        return f"{self.time:%Y-%m-%dT%H:%M:%S}.{self.time.microsecond // 1000:03}Z"

    def text(self, least, most):
        return self.history.text(self.dice.randrange(least, most))


if __name__ == "__main__":
    folder, sessions, megabytes = sys.argv[1:]
    print(json.dumps(History(folder, int(sessions), float(megabytes)).write(), indent=1))
