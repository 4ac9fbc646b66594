"""Sessions made from reports, transcripts of agents, and indexes of them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rad_lsp.core.price import Price, Rates
from rad_lsp.core.session import Child
from rad_lsp.sources import radium
from rad_lsp.sources.claude_code import ClaudeCode, ClaudeCodeParser
from rad_lsp.sources.codex import Codex
from rad_lsp.store import query
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Scope

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def session(report_bytes):
    """The session of a report with that id and some metrics replaced."""
    return lambda session_id, **changes: radium.parse(
        f"/w/{session_id}.json", report_bytes(session_id=session_id, **changes)
    )


def _encoded(records):
    return b"".join(
        record if isinstance(record, bytes) else json.dumps(record).encode() + b"\n"
        for record in records
    )


def _moment(seconds):
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


class Claude:
    """Records of Claude Code, `at` seconds after noon."""

    @staticmethod
    def record(kind, session="a", at=0, cwd="/w/proj", **more):
        return {
            "type": kind,
            "sessionId": session,
            "cwd": cwd,
            "timestamp": _moment(at),
            **more,
        }

    def answer(self, number, session="a", at=None, output=10, request="", content=(), **more):
        """A request of 100 input tokens; its message and request are known by the number."""
        message = {
            "id": f"msg_{number}",
            "model": more.pop("model", "m"),
            "content": list(content),
            "stop_reason": more.pop("stop", "end_turn"),
            "usage": {"input_tokens": 100, "output_tokens": output},
        }
        ids = {} if request is None else {"requestId": request or f"req_{number}"}
        at = number if at is None else at
        return self.record("assistant", session, at, message=message, **ids, **more)

    def answers(self, *numbers, session="a", **more):
        return [self.answer(number, session, **more) for number in numbers]

    def prompt(self, session="a", at=0):
        return self.record("user", session, at, message={"content": "please"})

    def called(self, number, session="a", **result):
        """A tool call and its result."""
        use = {"type": "tool_use", "id": f"tool_{number}", "name": "Bash"}
        result |= {"type": "tool_result", "tool_use_id": f"tool_{number}", "content": "done"}
        return [
            self.answer(number, session, content=[use]),
            self.record("user", session, number + 1, message={"content": [result]}),
        ]


@pytest.fixture(scope="session")
def claude():
    """Records of Claude Code."""
    return Claude()


class CodexLines:
    """Lines of Codex, `at` seconds after noon; totals are those so far."""

    @staticmethod
    def meta(thread, at=0, cwd="/w/proj", **more):
        payload = {"id": thread, "timestamp": _moment(at), "cwd": cwd, **more}
        return {"timestamp": _moment(at), "type": "session_meta", "payload": payload}

    @staticmethod
    def turn(at=0, model="m"):
        return {"timestamp": _moment(at), "type": "turn_context", "payload": {"model": model}}

    @staticmethod
    def tokens(at, total_input, total_output):
        total = {"input_tokens": total_input, "output_tokens": total_output}
        info = {"total_token_usage": total, "last_token_usage": total}
        payload = {"type": "token_count", "info": info}
        return {"timestamp": _moment(at), "type": "event_msg", "payload": payload}


@pytest.fixture(scope="session")
def codex():
    """Lines of Codex."""
    return CodexLines()


class Home:
    """A user's home folder with transcripts in it."""

    def __init__(self, root):
        self.root = root
        self.projects = root / ".claude" / "projects"
        self.rollouts = root / ".codex" / "sessions"

    @staticmethod
    def write(path, *records):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_encoded(records))
        return path

    @staticmethod
    def append(path, *records):
        with path.open("ab") as file:
            file.write(_encoded(records))

    def claude(self, name, *records):
        """A transcript of Claude Code by its name, which may have folders in it."""
        return self.write(self.projects / f"{name}.jsonl", *records)

    def codex(self, thread, *records):
        name = f"rollout-2026-03-02T12-00-00-{thread}.jsonl"
        return self.write(self.rollouts / "2026" / "03" / "02" / name, *records)


@pytest.fixture
def home(tmp_path):
    """A home folder to put transcripts into."""
    return Home(tmp_path / "user")


class Fed(ClaudeCode):
    """Claude Code's transcripts, and the bytes of them that were read."""

    def __init__(self, home):
        super().__init__({}, home)
        self.bytes = 0
        self.while_reading = lambda: None

    def parser(self, path, state=None):
        return FedParser(self, path, state)

    def taken(self):
        """The bytes read since the last call."""
        taken, self.bytes = self.bytes, 0
        return taken


class FedParser(ClaudeCodeParser):
    """Tells its source what it is fed."""

    def __init__(self, source, path, state):
        super().__init__(path, state)
        self.source = source

    def feed(self, lines):
        self.source.bytes += len(lines)
        self.source.while_reading()
        super().feed(lines)


@pytest.fixture
def fed(home):
    """A source that counts what is read of it."""
    return Fed(home.root)


class PriceList:
    """Model `m` costs 1 USD per million tokens of any kind, or what `rates` say."""

    def __init__(self, key, **rates):
        self.key = key
        self.rates = {"m": 1.0} | rates

    def price(self, model, engine, slot, tier):  # noqa: ARG002  (as the protocol has them)
        if model not in self.rates:
            return None
        rate = self.rates[model]
        return Price(model, "", "list", (Rates(rate, rate, rate, rate, rate),))

    def span(self, model, engine, tier):  # noqa: ARG002  (as the price list has them)
        return 1 << 30


@pytest.fixture(scope="session")
def price_list():
    """Makes price lists."""
    return PriceList


class Indexed:
    """An index of what is in a home folder, and what it comes to."""

    def __init__(self, home, machine, source):
        self.machine = machine
        self.sources = [source, Codex({}, home.root)]

    @property
    def index(self):
        return self.machine.index

    def update(self, paths=None, *, sources=None, count=None):
        """Read what is new; returns the sessions by id."""
        return self.machine.guarded(lambda: self._update(paths, sources or self.sources, count))

    def _update(self, paths, sources, count):
        self.machine.update(sources, paths, count)
        return self.sessions()

    def entries(self, *agents, folders=None):
        scope = Scope(frozenset(agents or {"claude-code", "codex"}), folders)
        return query.entries(self.index.connection, scope, None)

    def entry(self, source, session_id):
        return query.entry(self.index.connection, Child(source, session_id))

    def problems(self):
        return query.problems(self.index.connection, "claude-code")

    def skipped_lines(self):
        return query.skipped_lines(self.index.connection)

    def sessions(self):
        """By id."""
        return {entry.id: entry.session for entry in self.entries()}

    def requests(self):
        """Their number, by the session that they count with."""
        return {
            session_id: sum(usage.requests for usage in session.models)
            for session_id, session in self.sessions().items()
        }

    def tokens(self):
        """Input and output tokens of all sessions."""
        usages = [usage for session in self.sessions().values() for usage in session.models]
        return sum(use.input_tokens for use in usages), sum(use.output_tokens for use in usages)


@pytest.fixture
def machine(home, tmp_path):
    """Makes machines whose user has the home folder; their index is in `data`."""
    with contextlib.ExitStack() as stack:

        def made(data=tmp_path / "data", **options):
            made = Machine({}, home.root, data, **options)
            stack.callback(made.index.close)
            return made

        yield made


@pytest.fixture
def indexed(home, fed, machine, tmp_path):
    """Makes indexes of the home folder; one in `memory` is not kept."""

    def made(key="1", *, memory=False, patience=60, source=fed, **rates):
        data = None if memory else tmp_path / "data"
        found = machine(data, price_list=PriceList(key, **rates), patience=patience)
        return Indexed(home, found, source)

    return made


_UPDATE = """
import sys
from pathlib import Path
from rad_lsp.store.machine import Machine
machine = Machine({}, Path(sys.argv[1]), Path(sys.argv[2]))
sys.stdin.read()
sources = machine.agents(["claude-code"])
machine.guarded(lambda: machine.update(sources, count=lambda: print(flush=True)))
machine.index.close()
sys.exit(bool(machine.index.trouble))
"""


@pytest.fixture
def process(home, tmp_path):
    """Starts processes that update the index once their input is closed."""
    started = []

    def start():
        command = [sys.executable, "-c", _UPDATE, str(home.root), str(tmp_path / "data")]
        pipe = subprocess.PIPE
        one = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        started.append(one)
        return one

    yield start
    for one in started:
        with one:  # closes its pipes and waits for it
            one.kill()


@pytest.fixture
def git():
    """Runs git in a folder."""

    def run(folder, *arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", *identity, *map(str, arguments)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)

    return run
