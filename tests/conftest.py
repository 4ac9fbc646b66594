"""What all tests share: golden workspaces, reports to order, and the real command."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

from rad_lsp import settings
from rad_lsp.core.session import RADIUM
from rad_lsp.store.machine import Machine
from rad_lsp.store.store import Store

# A busy machine is no failure, and no test leaves anything in the checkout.
hypothesis.settings.register_profile(
    "unhurried",
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# For hours: `pytest --hypothesis-profile long`.
hypothesis.settings.register_profile(
    "long", hypothesis.settings.get_profile("unhurried"), max_examples=5_000
)
hypothesis.settings.load_profile("unhurried")

DATA = Path(__file__).parent / "data"
SESSIONS = Path(".radium", "_internals", "sessions")
PROMPTS = 20
"""After so many a status is complete."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than there are cores, as tests wait for processes half of their time."""
    return (os.cpu_count() or 1) + 1


DEVELOPERS_OWN = (
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "COLUMNS",
    "COPILOT_HOME",
    "GEMINI_CLI_HOME",
    "NO_COLOR",
    "PYTHONIOENCODING",
    "RADIUM_COMPACT_SESSION_JSON",
    "RADIUM_WORKSPACE",
    "RAD_LSP_DEBUG",
    "RAD_SESSION_EVENTS",
    "RAD_SESSION_ID",
    "XDG_DATA_HOME",
)
HOMES = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA")


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory):
    """No test sees the developer's own workspace, settings, git or terminal.

    Nor does a process that several tests share, which starts before the first of them. Where the
    tests were started in the background of a shell, their processes would ignore Ctrl-C.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        for name in DEVELOPERS_OWN:
            patch.delenv(name, raising=False)
        home = tmp_path_factory.mktemp("home")
        for name in HOMES:
            patch.setenv(name, str(home))
        yield


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path_factory):
    """What a test puts into its home, no other test finds."""
    home = tmp_path_factory.mktemp("home")
    for name in HOMES:
        monkeypatch.setenv(name, str(home))


@pytest.fixture
def midday():
    """A time zone in which it is about noon, so that no day ends within a test."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+}"


@pytest.fixture(scope="session")
def golden():
    """The folder of a golden workspace, by name; read only."""
    return DATA.joinpath


@pytest.fixture(scope="session")
def reports_of():
    """The snapshot of a workspace's reports, with an index in memory."""

    def snapshot(root):
        machine = Machine({}, Path(os.devnull), None)
        try:
            return Store(machine, root, [RADIUM]).refresh()
        finally:
            machine.index.close()

    return snapshot


@pytest.fixture
def golden_copy(tmp_path):
    """A copy of a golden workspace, to change."""

    def copied(name):
        target = tmp_path / name
        shutil.copytree(DATA / name, target)
        return target

    return copied


@pytest.fixture(scope="session")
def expected():
    """The manual's output of `rad stats NAME`."""
    return lambda name: (DATA / "expected" / f"stats-{name}.txt").read_text(encoding="utf-8")


_REPORT = json.loads(
    (DATA / "session" / SESSIONS / "3c6ddcd3-85b6-48f1-88e1-f428ca458337.json").read_bytes()
)


@pytest.fixture(scope="session")
def report_dict():
    """A report as a dict, with some metrics replaced; `drop` leaves keys out."""

    def made(*, drop=(), generated_at=None, **metrics):
        report = copy.deepcopy(_REPORT)
        report["metrics"].update(metrics)
        for key in drop:
            del report["metrics"][key]
        if generated_at:
            report["generated_at"] = generated_at
        return report

    return made


@pytest.fixture(scope="session")
def stored_row():
    """A row of `spending` as our own reports have it, with some fields replaced."""
    return lambda **fields: {
        "start": "2025-12-07T09:00:00Z",
        "model": "m",
        "requests": 1,
        "input_tokens": 1000,
        "output_tokens": 10,
        **fields,
    }


@pytest.fixture(scope="session")
def report_bytes(report_dict):
    """The same as stored bytes."""
    return lambda **changes: json.dumps(report_dict(**changes), indent=2).encode()


@pytest.fixture
def workspace(tmp_path, report_bytes):
    """A workspace of its own: `add(session_id, **metrics)`, `raw(file_name, data)`."""

    class Workspace:
        root = tmp_path / "workspace"
        sessions = root / SESSIONS

        def add(self, session_id, **changes):
            path = self.sessions / f"{session_id}.json"
            path.write_bytes(report_bytes(session_id=session_id, **changes))
            return path

        def raw(self, name, data):
            path = self.sessions / name
            path.write_bytes(data)
            return path

    made = Workspace()
    made.sessions.mkdir(parents=True)
    return made


@pytest.fixture
def user_settings():
    """Writes the user's settings file; gives the file."""

    return lambda text: _written(settings.user_file(), text)


@pytest.fixture
def workspace_settings(workspace):
    """Writes the workspace's settings file; gives the file."""

    return lambda text: _written(workspace.root / settings.WORKSPACE_FILE, text)


def _written(file, text):
    """A file with a text, put in its place at once, so that a server reads no half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8")
    return beside.replace(file)


@pytest.fixture
def rad(tmp_path):
    """Runs the real `rad` in a folder; the result has returncode, and stdout and stderr as text.

    A status shows what there was time to read: on a busy machine the next one completes it, unless
    it is not `awaited`.
    """

    def run(*arguments, awaited=True, env=None, **options):
        done = once(*arguments, env=env, **options)
        if "status" in arguments and awaited and env is None:
            for _ in range(PROMPTS):
                if not re.search(r'…|"reading": ?true', done.stdout):
                    break
                done = once(*arguments, **options)
        return done

    def once(*arguments, cwd=tmp_path, env=None, **options):
        done = subprocess.run(
            [sys.executable, "-m", "rad_lsp.cli", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            timeout=120,
            check=False,
            **options,
        )
        done.stdout = done.stdout.decode("utf-8")
        done.stderr = done.stderr.decode("utf-8")
        return done

    return run


class Transcript:
    """A transcript of another agent; what is written to it is a second apart."""

    def __init__(self, path, session_id, cwd, start):
        self.path = path
        self.id = session_id
        self.cwd = str(cwd)
        self.time = datetime.fromisoformat(start)
        path.parent.mkdir(parents=True, exist_ok=True)

    def tick(self):
        self.time += timedelta(seconds=1)
        return self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def raw(self, data):
        with self.path.open("ab") as file:
            file.write(data)
        return self

    def write(self, record):
        return self.raw(json.dumps(record, separators=(",", ":")).encode() + b"\n")

    @property
    def uri(self):
        return self.path.as_uri()


class ClaudeCode(Transcript):
    """A transcript as Claude Code writes it."""

    def record(self, kind, **more):
        known = {"cwd": self.cwd, "sessionId": self.id, "version": "2.1.0", "gitBranch": "main"}
        return self.write({"isSidechain": False, **known, "type": kind, **more})

    def prompt(self, text="Do it"):
        return self.record("user", message={"role": "user", "content": text}, timestamp=self.tick())

    def answer(self, input=1000, output=100, *, read=0, written=0, tools=(), **more):  # noqa: A002
        """An answer: by default of 1,000 and 100 tokens of Sonnet 4.5, which is $0.0045."""
        time = self.tick()
        number = f"{self.id}-{time}"
        message = {
            "model": "claude-sonnet-4-5-20250929",
            "id": f"msg-{number}",
            "content": [{"type": "tool_use", "id": tool, "name": "Bash"} for tool in tools],
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": input,
                "cache_creation_input_tokens": written,
                "cache_read_input_tokens": read,
                "output_tokens": output,
            },
        }
        return self.record(
            "assistant", message={**message, **more}, requestId=f"req-{number}", timestamp=time
        )

    def result(self, tool, *, failed=False, content="done"):
        block = {
            "tool_use_id": tool,
            "type": "tool_result",
            "content": content,
            "is_error": failed,
        }
        message = {"role": "user", "content": [block]}
        return self.record("user", message=message, timestamp=self.tick())


class Codex(Transcript):
    """A transcript as Codex writes it."""

    def line(self, kind, **payload):
        return self.write({"timestamp": self.tick(), "type": kind, "payload": payload})

    def begin(self, model="gpt-5"):
        self.total = [0, 0, 0]
        self.line("session_meta", id=self.id, cwd=self.cwd, cli_version="0.104.0")
        return self.line("turn_context", model=model, cwd=self.cwd)

    def answer(self, input=8000, output=100, *, read=0):  # noqa: A002
        """An answer: by default of 8,000 and 100 tokens of GPT-5, which is $0.0110."""
        last = [input, read, output]
        self.total = [known + new for known, new in zip(self.total, last, strict=True)]
        info = {"total_token_usage": _usage(*self.total), "last_token_usage": _usage(*last)}
        return self.line("event_msg", type="token_count", info=info)


def _usage(input, read, output):  # noqa: A002
    return {
        "input_tokens": input,
        "cached_input_tokens": read,
        "output_tokens": output,
        "reasoning_output_tokens": 0,
        "total_tokens": input + output,
    }


@pytest.fixture
def claude_code(workspace):
    """Begins a transcript of Claude Code, of a session in the workspace by default."""

    def begun(session_id, cwd=None, *, start="2026-03-02T12:00:00+00:00", folder=None):
        home = Path(os.environ["HOME"], ".claude") if folder is None else folder
        cwd = workspace.root if cwd is None else cwd
        slug = str(cwd).replace(os.sep, "-")
        return ClaudeCode(home / "projects" / slug / f"{session_id}.jsonl", session_id, cwd, start)

    return begun


@pytest.fixture
def codex(workspace):
    """Begins a transcript of Codex, of a session in the workspace by default."""

    def begun(session_id, cwd=None, *, start="2026-03-03T12:00:00+00:00"):
        folder = Path(os.environ["HOME"], ".codex", "sessions", "2026", "03", "03")
        path = folder / f"rollout-2026-03-03T12-00-00-{session_id}.jsonl"
        return Codex(path, session_id, workspace.root if cwd is None else cwd, start).begin()

    return begun


@pytest.fixture
def open_folder():
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for inner in folder.iterdir():
            inner.chmod(0o700)


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


_AGENT = """
import json, os, pathlib, sys, uuid
from datetime import datetime, timezone
folder = pathlib.Path(os.environ["HOME"], ".claude", "projects", "folder")
folder.mkdir(parents=True, exist_ok=True)

def write(kind, **message):
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    record = {"type": kind, "sessionId": "resumed", "cwd": os.getcwd(), "timestamp": now}
    record |= {"message": {"role": kind, **message}, "requestId": uuid.uuid4().hex}
    with open(folder / "resumed.jsonl", "a", encoding="utf-8") as transcript:
        transcript.write(json.dumps(record) + chr(10))

write("user", content="Do it")
for number in range(int(sys.argv[1])):
    call = uuid.uuid4().hex
    write("assistant", id=uuid.uuid4().hex, model="claude-sonnet-4-5-20250929",
          content=[{"type": "tool_use", "id": call, "name": "Bash"}], stop_reason="tool_use",
          usage={"input_tokens": 1000, "output_tokens": 100})
    write("user", content=[{"type": "tool_result", "tool_use_id": call, "content": "done"}])
"""


@pytest.fixture
def resume():
    """The command of an agent that resumes its session, and makes so many requests of $0.0045.

    It writes a transcript as Claude Code does, with a tool call for each request.
    """
    return lambda requests: (sys.executable, "-c", _AGENT, str(requests))
