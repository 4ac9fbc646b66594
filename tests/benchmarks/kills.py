"""The index of a process that is killed at any moment: the next one has what a fresh one has."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rad_lsp.store import query
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Scope
from tests.benchmarks import gen_claude
from tests.benchmarks.measure import ROOT, report, sized

SCOPE = Scope(frozenset({"claude-code"}))
UPDATE = """
import sys
from pathlib import Path
from rad_lsp.store.machine import Machine
machine = Machine({"CLAUDE_CONFIG_DIR": sys.argv[1]}, Path(sys.argv[1]), Path(sys.argv[2]))
machine.update(machine.agents(["claude-code"]))
"""


def sessions(transcripts, data):
    """By id, after an update."""
    machine = Machine({"CLAUDE_CONFIG_DIR": str(transcripts)}, transcripts, data)
    machine.guarded(lambda: machine.update(machine.agents(["claude-code"])))
    found = {one.id: one.session for one in query.entries(machine.index.connection, SCOPE, None)}
    machine.index.close()
    assert machine.index.trouble in {"", "no folder for it was found"}
    return found


def kills():
    """Half of the processes read all transcripts for the first time, half what was appended."""
    dice = random.Random(3)  # noqa: S311  (moments, no secrets)
    wrong = cut_short = 0
    times = sized(200, 10)
    with tempfile.TemporaryDirectory() as folder:
        transcripts, data = Path(folder, "transcripts"), Path(folder, "data")
        gen_claude.History(str(transcripts), 150, 6).write()
        paths = sorted(transcripts.rglob("*.jsonl"))
        command = [sys.executable, "-c", UPDATE, str(transcripts), str(data)]
        begun = time.monotonic()
        subprocess.run(command, cwd=ROOT, check=True)
        whole = time.monotonic() - begun
        for number in range(times):
            if number % 2:
                shutil.rmtree(data, ignore_errors=True)
            else:
                for path in dice.sample(paths, 100):
                    append(path, number)
            process = subprocess.Popen(command, cwd=ROOT)
            try:
                process.wait(dice.uniform(0.1 * whole, whole))
            except subprocess.TimeoutExpired:
                cut_short += 1
                process.kill()
                process.wait()
            wrong += sessions(transcripts, data) != sessions(transcripts, None)
    name = f"index after {times} processes, {cut_short} of them killed, unlike a fresh one"
    report(name, f"{wrong} times", "0 times")


def append(path, number):
    """Another request at the end of a transcript, like its last ones."""
    lines = path.read_bytes().splitlines(keepends=True)
    last = next(line for line in reversed(lines) if b'"msg_' in line)
    with path.open("ab") as file:
        file.write(last.rstrip(b"\n").replace(b'"msg_', b'"msg_%d_' % number) + b"\n")
