"""Killed at any step of writing a report, an index, an export or a folder: old or new, never half.

`python -m tests.crash SCENARIO FOLDER` runs one by itself.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.crash.scenarios import SCENARIOS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_process_killed_at_any_step_leaves_old_or_new(name, request, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", name, str(tmp_path)],
        cwd=request.config.rootpath,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= SCENARIOS[name].least_steps
