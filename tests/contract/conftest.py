"""A client of plain bytes: it sends what no editor would, and keeps all that comes back."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30
"""Seconds after which a message that has not come is taken for lost."""

SERVER = [sys.executable, "-m", "rad_lsp"]


def frame(body):
    """A message's bytes behind its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Raw:
    """A server process, and everything that it writes to stdout."""

    def __init__(self, *arguments, **options):
        # Its streams are optional to a type checker, but all three are pipes here.
        self._process: Any = subprocess.Popen(
            [*SERVER, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        self._ids = 0
        self.reads = threading.Event()  # cleared while the client is not to read
        self.reads.set()
        self._inbox = queue.Queue()
        self._waiting = []
        self.errors = b""
        self._said = threading.Condition()
        self._readers = [
            threading.Thread(target=read, daemon=True)
            for read in (self._read_stdout, self._read_stderr)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def process_id(self):
        return self._process.pid

    def send_bytes(self, data):
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def send(self, message):
        """Send a message as it is; `jsonrpc` is added."""
        self.send_bytes(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def new_id(self):
        self._ids += 1
        return f"own-{self._ids}"

    def ask(self, method, *params):
        """The one reply to a request."""
        msg_id = self.new_id()
        request = {"id": msg_id, "method": method}
        if params:
            request["params"] = params[0]
        self.send(request)
        return self.reply(msg_id)

    def notify(self, method, *params):
        self.send({"method": method} | ({"params": params[0]} if params else {}))

    def reply(self, msg_id):
        """The next message with that id which is a reply."""
        return self.next(lambda message: "method" not in message and message.get("id") == msg_id)

    def answers(self):
        """Whether the server is there and answers; what it has sent so far is dropped."""
        try:
            self.rest()
        except (OSError, AssertionError, queue.Empty):
            return False
        return True

    def notification(self, method):
        return self.next(lambda message: message.get("method") == method)

    def next(self, wanted):
        """The next message that is as wanted; others are kept for later."""
        for message in self._waiting:
            if wanted(message):
                self._waiting.remove(message)
                return message
        while True:
            message = self._inbox.get(timeout=PATIENCE)
            assert message is not None, f"stdout has ended; stderr: {self.errors.decode()}"
            if wanted(message):
                return message
            self._waiting.append(message)

    def rest(self):
        """Every message that nobody has taken, up to the answer of a request that is sent now."""
        self.ask("stats/status-of-nothing")
        taken, self._waiting = self._waiting, []
        return taken

    def come(self):
        """Every message that has come and nobody has taken; waits for none."""
        come, self._waiting = self._waiting, []
        with contextlib.suppress(queue.Empty):
            while message := self._inbox.get_nowait():
                come.append(message)
        return come

    def initialize(self, *folders, **params):
        """Shake hands; returns the result of `initialize`."""
        reply = self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "capabilities": {},
                "workspaceFolders": [
                    {"uri": folder.as_uri(), "name": folder.name} for folder in folders
                ],
                **params,
            },
        )
        self.notify("initialized", {})
        return reply["result"]

    def close_stdin(self):
        self._process.stdin.close()

    def said(self, pattern):
        """The match of a pattern in what the process has written, or will write, to stderr."""
        with self._said:
            self._said.wait_for(lambda: re.search(pattern, self.errors), PATIENCE)
        match = re.search(pattern, self.errors)
        assert match, self.errors
        return match

    def exit_code(self):
        """The exit code, once the process has ended; nothing need be read."""
        return self._process.wait(PATIENCE)

    def ended(self):
        """The exit code, once the process has ended."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def unread(self):
        """All that the process wrote before it ended and nobody has taken."""
        found = self._waiting
        while (message := self._inbox.get(timeout=PATIENCE)) is not None:
            found.append(message)
        return found

    def kill(self):
        self.reads.set()
        self._process.kill()
        self.ended()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                stream.close()

    def _read_stdout(self):
        """Frames, and nothing but frames: anything else ends the reading, and fails the test."""
        out = self._process.stdout
        while header := out.readline():
            match = re.fullmatch(rb"Content-Length: (\d+)\r\n", header)
            if match is None or out.readline() != b"\r\n":
                self.errors += b"\nNo frame on stdout: " + header
                break
            body = out.read(int(match[1]))
            if len(body) < int(match[1]):
                break  # the process has ended meanwhile
            self._inbox.put(json.loads(body))
            self.reads.wait()
        self._inbox.put(None)

    def _read_stderr(self):
        while data := self._process.stderr.read1():
            with self._said:
                self.errors += data
                self._said.notify_all()


@pytest.fixture
def start():
    """Starts a server; it is killed at the end of the test."""
    started = []

    def start(*arguments, **options):
        raw = Raw(*arguments, **options)
        started.append(raw)
        return raw

    yield start
    for raw in started:
        raw.kill()


@pytest.fixture
def raw(start):
    """A server of the test's own, before `initialize`."""
    return start()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home without settings, for servers that outlive a test."""
    folder = tmp_path_factory.mktemp("home")
    names = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA")
    return {**os.environ, **dict.fromkeys(names, str(folder))}


@pytest.fixture(scope="module")
def root(tmp_path_factory, report_bytes):
    """A workspace of two sessions and a torn report, which tests only read."""
    root = tmp_path_factory.mktemp("workspace")
    sessions = root / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "first.json").write_bytes(report_bytes(session_id="first"))
    (sessions / "second.json").write_bytes(
        report_bytes(session_id="second", end_time="2025-12-08T10:00:00Z")
    )
    (sessions / "torn.json").write_bytes(b'{"metrics": {')
    return root


@pytest.fixture(scope="module")
def _shared():
    """The server that the tests of a module share, in a list of one."""
    servers = []
    yield servers
    for raw in servers:
        raw.kill()


@pytest.fixture
def served(root, home, _shared):
    """A server that many tests ask, with `root` open; a new one when a test has broken it."""
    if not _shared or not _shared[-1].answers():
        raw = Raw(env=home)
        _shared.append(raw)
        raw.initialize(root)
        raw.notification("stats/status")
    return _shared[-1]


@pytest.fixture
def run():
    """Runs `rad-lsp` to its end; the result has returncode, stdout and stderr as text."""

    def run(*arguments, **options):
        return subprocess.run(
            [*SERVER, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def checkout():
    """The folder that this project's files lie in."""
    return Path(__file__).parents[2]
