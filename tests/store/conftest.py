"""Sessions made from reports, transcripts of agents, and indexes of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rad_lsp.core.price import Price, Rates
from rad_lsp.sources import radium
from rad_lsp.sources.claude_code import ClaudeCode
from rad_lsp.sources.codex import Codex
from rad_lsp.store.agents import Machine
from rad_lsp.store.database import Database
from rad_lsp.store.index import Index

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

    def called(self, number, session="a"):
        """A tool call and its result."""
        use = {"type": "tool_use", "id": f"tool_{number}", "name": "Bash"}
        result = {"type": "tool_result", "tool_use_id": f"tool_{number}", "content": "done"}
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
        parser = super().parser(path, state)
        feed = parser.feed

        def counted(lines):
            self.bytes += len(lines)
            self.while_reading()
            feed(lines)

        parser.feed = counted
        return parser

    def taken(self):
        """The bytes read since the last call."""
        taken, self.bytes = self.bytes, 0
        return taken


@pytest.fixture
def fed(home):
    """A source that counts what is read of it."""
    return Fed(home.root)


class PriceList:
    """Model `m` costs 1 USD per million tokens of any kind, or what `rates` say."""

    def __init__(self, **rates):
        self.rates = {"m": 1.0} | rates

    def price(self, model, engine, quarter, tier):  # noqa: ARG002  (as the protocol has them)
        if model not in self.rates:
            return None
        rate = self.rates[model]
        return Price(model, "", "list", (Rates(rate, rate, rate, rate, rate),))

    def span(self, model, engine, tier):  # noqa: ARG002  (as the price list has them)
        return 1 << 30


class Indexed:
    """An index of what is in a home folder, and what it comes to."""

    def __init__(self, home, database, source, price_list, key):
        self.database = database
        self.index = Index(database, price_list, key)
        self.sources = [source, Codex({}, home.root)]

    def update(self, paths=None):
        self.index.update(self.sources, paths)
        return self.sessions()

    def sessions(self):
        """By id."""
        found = self.index.entries({"claude-code", "codex"}, None)
        return {entry.id: entry.session for entry in found}

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
def indexed(home, fed, tmp_path):
    """Makes indexes of the home folder; `name` is their file's."""
    with contextlib.ExitStack() as stack:

        def made(name="index.db", key="1", patience=60, source=fed, **rates):
            database = Database(name and tmp_path / "data" / name, patience)
            stack.callback(database.close)
            return Indexed(home, database, source, PriceList(**rates), key)

        yield made


@pytest.fixture
def machine(home, tmp_path):
    """Makes machines whose user has the home folder."""
    with contextlib.ExitStack() as stack:

        def made(data=tmp_path / "data"):
            made = Machine({}, home.root, data)
            stack.callback(made.database.close)
            return made

        yield made


_UPDATE = """
import sys
from pathlib import Path
from rad_lsp.store.agents import Machine
machine = Machine({}, Path(sys.argv[1]), Path(sys.argv[2]))
sys.stdin.read()
machine.index.update(machine.agents(["claude-code"]), progress=lambda read: print(read, flush=True))
machine.database.close()
sys.exit(bool(machine.database.trouble))
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
        one.kill()
        one.wait()
        for stream in (one.stdin, one.stdout, one.stderr):
            stream.close()


@pytest.fixture
def open_folder():
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextlib.contextmanager
def _as_no_one():
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        yield
    finally:
        os.seteuid(user)


@pytest.fixture(scope="session")
def as_no_one():
    """For the time of a block the process may only do what everyone may."""
    return _as_no_one
