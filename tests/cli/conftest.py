"""The real `rad` as a process that goes on running, and on a terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def start(tmp_path):
    """Starts the real `rad` and gives the process; one that still runs at the end is killed."""
    started = []

    def run(*arguments, cwd=tmp_path, env=None, **options):
        process = subprocess.Popen(
            [sys.executable, "-m", "rad_lsp.cli", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            # What `read` gives early must not be kept back from `communicate`.
            bufsize=0,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def terminal(start):
    """What the real `rad` shows on a terminal."""

    def run(*arguments, **options):
        import pty

        ours, theirs = pty.openpty()
        try:
            process = start(*arguments, stdout=theirs, stderr=theirs, **options)
        finally:
            os.close(theirs)
        shown = b""
        with open(ours, "rb", buffering=0) as screen:  # noqa: PTH123  (a descriptor has no path)
            while chunk := _read(screen):
                shown += chunk
        process.wait()
        return shown.decode("utf-8").replace("\r\n", "\n")

    return run


@pytest.fixture
def without_privileges(tmp_path):
    """Runs the real `rad` so that permissions count, to root as well."""
    prefix = []
    if os.geteuid() == 0:
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        if not shutil.which("setpriv") or subprocess.run([*prefix, "true"], check=False).returncode:
            pytest.skip("root can't give up its privileges here")

    def run(*arguments, cwd=tmp_path):
        return subprocess.run(
            [*prefix, sys.executable, "-m", "rad_lsp.cli", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def read_only(tmp_path):
    """A folder that may not be written to, but by root."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def _read(screen):
    try:
        return screen.read(65536)
    except OSError:  # how Linux says that the other side has closed it
        return b""
