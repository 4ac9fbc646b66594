"""`python -m tests.editors.neovim.bench`: from a report renamed into place to the status line."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.editors.neovim.conftest import figures
from tests.editors.neovim.editor import HOW, ROOT, Neovim, find

ROUNDS = 60
BAR_MS = 400

SESSIONS = Path(".radium", "_internals", "sessions")
REPORT = ROOT / "tests/data/session" / SESSIONS / "3c6ddcd3-85b6-48f1-88e1-f428ca458337.json"


def measure(nvim, folder):
    """Milliseconds of one round after the other, each seen on the screen before the next."""
    report = json.loads(REPORT.read_bytes())
    target = folder / "session.json"
    for number in range(1, ROUNDS + 1):
        cost = number / 100
        report["metrics"] |= {"session_id": "session", **figures(cost=cost, day=1)}
        temporary = folder / f"session.tmp.{number}"
        temporary.write_text(json.dumps(report, indent=2))
        begun = time.perf_counter()
        temporary.replace(target)
        nvim.status(f"${cost:.4f} ·")
        yield 1000 * (time.perf_counter() - begun)


def main():
    program = find()
    if program is None:
        sys.exit(f"Neovim 0.11 is not installed: {HOW}")
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "workspace", SESSIONS)
        folder.mkdir(parents=True)
        nvim = Neovim(program, Path(root, "workspace"), Path(root, "nvim"))
        try:
            nvim.status("no sessions")
            times = list(measure(nvim, folder))
        finally:
            nvim.close()
    p95 = statistics.quantiles(times, n=20)[-1]
    middle = f"median {statistics.median(times):.0f} ms, {ROUNDS} rounds"
    verdict = "ok" if p95 <= BAR_MS else "TOO SLOW"
    print(  # noqa: T201
        f"report renamed into place -> Neovim's status line, p95: {p95:.0f} ms "
        f"(bar {BAR_MS} ms; {middle}): {verdict}"
    )
    return p95 > BAR_MS


if __name__ == "__main__":
    sys.exit(main())
