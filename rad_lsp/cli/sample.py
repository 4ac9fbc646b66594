"""Sample session reports for `rad demo`: always the same, except for their dates."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec.structs import astuple

from rad_lsp import atomic
from rad_lsp.core import report
from rad_lsp.core.report import Duration, Metrics, Report, Usage
from rad_lsp.service import REPORTS_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

CORRUPT: Final = "c0ffee00-torn-in-the-middle.json"

AGENT: Final = "agent.py"

_GREETING: Final = 'def greet(name):\n    return "Helo" + ", " + name\n'

# Model, engine, USD per million tokens in and out.
_MODELS: Final = (
    ("gemini-3-pro-preview", "gemini", 2.0, 12.0),
    ("gemini-2.5-flash-lite", "gemini", 0.1, 0.4),
    ("claude-sonnet-4-5", "claude", 3.0, 15.0),
    ("gpt-5-codex", "openai", 1.25, 10.0),
)
_HOURS_AGO: Final = (1, 20, 27, 50, 75, 170)


def write(workspace: Path) -> int:
    """Write the sample reports into a workspace; returns their number."""
    folder = workspace / REPORTS_FOLDER
    folder.mkdir(parents=True)
    dice = random.Random(7)  # noqa: S311  (samples, no secrets)
    now = datetime.now(UTC).replace(microsecond=0)
    for hours in _HOURS_AGO:
        made = make(dice, now - timedelta(hours=hours))
        (folder / f"{made.metrics.session_id}.json").write_bytes(report.encode(made))
    torn = report.encode(make(dice, now))
    (folder / CORRUPT).write_bytes(torn[: len(torn) // 2])
    return len(_HOURS_AGO) + 1


def add(workspace: Path) -> str:
    """Write the report of a session that has just ended, as Radium does; returns its file name."""
    made = make(random.Random(9), datetime.now(UTC).replace(microsecond=0))  # noqa: S311
    name = f"{made.metrics.session_id}.json"
    path = workspace / REPORTS_FOLDER / name
    atomic.write(path, (report.encode(made),), overwrite=True, sync=False)
    return name


def repository(folder: Path) -> bool:
    """Make a git repository for the sample agent to work in; False without git."""
    import os
    import shutil
    import subprocess

    from rad_lsp.cli import sample_agent

    folder.mkdir()
    (folder / "greeting.py").write_text(_GREETING, encoding="utf-8")
    shutil.copyfile(sample_agent.__file__, folder / AGENT)
    git = shutil.which("git")
    if git is None:
        return False
    # The user's hooks, signatures or another repository would change what is shown.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    author = ("-c", "user.name=Sample", "-c", "user.email=sample@example.org")
    for arguments in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "Begin")):
        subprocess.run([git, *arguments], cwd=folder, env=environment, check=False)  # noqa: S603
    return True


def make(dice: random.Random, end: datetime) -> Report:
    """A made-up session that ended at `end`."""
    wall = dice.randrange(600, 9000)
    active = int(wall * dice.uniform(0.5, 0.9))
    api = int(active * dice.uniform(0.3, 0.6))
    calls = dice.randrange(40, 240)
    failed = int(calls * dice.uniform(0.02, 0.12))
    models: dict[str, Usage] = {}
    engines: dict[str, Usage] = {}
    created = 0
    for name, engine, price_in, price_out in dice.sample(_MODELS, dice.randrange(1, 4)):
        requests = dice.randrange(10, 120)
        tokens_in = requests * dice.randrange(8_000, 40_000)
        tokens_out = requests * dice.randrange(150, 900)
        cached = int(tokens_in * dice.uniform(0.4, 0.9))
        created += cached // 9
        # Cached tokens at a tenth of the price.
        cost = ((tokens_in - 0.9 * cached) * price_in + tokens_out * price_out) / 1e6
        usage = Usage(requests, tokens_in, tokens_out, cached, round(cost, 6))
        models[name] = usage
        engines[engine] = _added(engines[engine], usage) if engine in engines else usage
    cached = sum(usage.cached_tokens for usage in models.values())
    return Report(
        Metrics(
            session_id=str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            start_time=end - timedelta(seconds=wall),
            end_time=end,
            wall_time=Duration(wall, 0),
            agent_active_time=Duration(active, 0),
            api_time=Duration(api, 0),
            tool_time=Duration(active - api, 0),
            tool_calls=calls,
            successful_tool_calls=calls - failed,
            failed_tool_calls=failed,
            tool_approvals_allowed=calls // 4,
            tool_approvals_denied=failed // 3,
            tool_approvals_asked=calls // 4 + failed // 3,
            lines_added=dice.randrange(20, 900),
            lines_removed=dice.randrange(5, 400),
            model_usage=models,
            engine_usage=engines,
            total_cached_tokens=cached,
            total_cache_creation_tokens=created,
            total_cache_read_tokens=cached,
            total_cost=sum(usage.estimated_cost for usage in models.values()),
        ),
        generated_at=end + timedelta(seconds=1),
    )


def _added(one: Usage, other: Usage) -> Usage:
    return Usage(*map(sum, zip(astuple(one), astuple(other), strict=True)))
