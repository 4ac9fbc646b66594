"""What tracking costs an agent."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from rad_lsp.tracking import SessionRecorder
from tests.benchmarks.measure import python, report, sized, spawn

FILES = 1_000


def recorder():
    with tempfile.TemporaryDirectory() as folder, SessionRecorder(folder, changes=False) as session:
        calls = sized(20_000, 2_000)
        request(session)
        time.sleep(2)  # until the price list has been loaded, which happens once
        for name, call in (("tool call", tool), ("request with usage", request)):
            times = []
            for _ in range(5):
                begun = time.perf_counter()
                for _ in range(calls):
                    call(session)
                times.append(1e6 * (time.perf_counter() - begun) / calls)
            figure, worst = statistics.median(times), max(times)
            report(f"recorder, one {name}", f"{figure:.1f} us", "20 us", f"max {worst:.1f} us")


def tool(session):
    with session.tool("grep"):
        pass


def request(session):
    with session.request(model="claude-sonnet-4-5", engine="anthropic") as made:
        made.usage(input_tokens=1_000, output_tokens=100, cache_read_tokens=300)


def session_run():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            path = Path(folder, f"folder-{number % 20}", f"file-{number}.txt")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{number}\n" * 50, encoding="utf-8")
        git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
            subprocess.run([*git, *arguments], cwd=folder, check=True)
        command = python("-m", "rad_lsp.cli", "session", "run", "--", "true")
        spawn(command, folder)
        times = [spawn(command, folder)[0] for _ in range(sized(15, 3))]
    name = f"rad session run -- true, repository of {FILES:,} files"
    detail = f"max {max(times):.2f} s"
    report(name, f"{statistics.median(times):.2f} s", "0.5 s", detail)
