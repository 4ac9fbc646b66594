"""What all tests share: golden workspaces, reports to order, and the real command."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# How fast a machine is says nothing about what is right.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

DATA = Path(__file__).parent / "data"
SESSIONS = Path(".radium", "_internals", "sessions")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path_factory):
    """No test sees the developer's own workspace, settings or terminal."""
    for name in ("RADIUM_WORKSPACE", "NO_COLOR", "PYTHONIOENCODING", "RAD_LSP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.mktemp("home")
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(scope="session")
def golden():
    """The folder of a golden workspace, by name; read only."""
    return DATA.joinpath


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
def rad(tmp_path):
    """Runs the real `rad` in a folder; the result has returncode, and stdout and stderr as text."""

    def run(*arguments, cwd=tmp_path, env=None, **options):
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
