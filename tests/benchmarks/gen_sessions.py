"""Format-true session reports in any number: `python -m tests.benchmarks.gen_sessions DIR N`.

Same seed, same files. One report in ten is of an older generation. A hundred thousand reports are
of some three years.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sys
import uuid
from pathlib import Path

MODELS = [
    ("gemini-3-pro-preview", "gemini"),
    ("gemini-2.5-flash-lite", "gemini"),
    ("claude-sonnet-4-5", "claude"),
    ("claude-opus-4-5", "claude"),
    ("gpt-5-codex", "openai"),
    ("qwen3-coder:30b", "ollama"),
]


def duration(dice, longest):
    seconds = dice.random() ** 3 * longest
    return {"secs": int(seconds), "nanos": int((seconds % 1) * 1e9)}


def timestamp(moment):
    nanos = moment.microsecond * 1000 + 123
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{nanos:09d}Z"


def session(dice, number, generation):
    session_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    begun = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    start = begun + dt.timedelta(seconds=number * 977 + dice.random() * 900)
    wall = duration(dice, 5 * 3600)
    active = int(wall["secs"] * dice.uniform(0.3, 0.95))
    api = int(active * dice.uniform(0.2, 0.6))
    calls = int(dice.random() ** 2 * 400)
    failed = int(calls * dice.random() * 0.2)
    models, engines, cached, cost = usage(dice)
    end = start + dt.timedelta(seconds=wall["secs"])
    metrics = {
        "session_id": session_id,
        "start_time": timestamp(start),
        "end_time": timestamp(end) if dice.random() > 0.02 else None,
        "wall_time": wall,
        "agent_active_time": {"secs": active, "nanos": 0},
        "api_time": {"secs": api, "nanos": 0},
        "tool_time": {"secs": active - api, "nanos": 0},
        "tool_calls": calls,
        "successful_tool_calls": calls - failed,
        "failed_tool_calls": failed,
    }
    if generation >= 2:
        metrics["tool_approvals_allowed"] = calls // 3
        metrics["tool_approvals_denied"] = failed // 4
        metrics["tool_approvals_asked"] = calls // 9
    metrics["lines_added"] = dice.randint(0, 900)
    metrics["lines_removed"] = dice.randint(0, 400)
    metrics["model_usage"] = models
    if generation >= 3:
        metrics["engine_usage"] = engines
    created = cached // 5
    metrics["total_cached_tokens"] = cached
    metrics["total_cache_creation_tokens"] = created
    metrics["total_cache_read_tokens"] = cached - created
    metrics["total_cost"] = cost
    generated = timestamp(end + dt.timedelta(seconds=1))
    return session_id, {"metrics": metrics, "generated_at": generated}


def usage(dice):
    models, engines, cached, cost = {}, {}, 0, 0.0
    for model, engine in dice.sample(MODELS, dice.randint(1, 3)):
        requests = dice.randint(1, 200)
        tokens_in = dice.randint(1000, 300000) * requests // 10
        tokens_out = dice.randint(50, 2000) * requests // 4
        read = int(tokens_in * dice.random() * 0.8)
        free = engine == "ollama"
        paid = 0.0 if free else round(tokens_in * 1.25e-6 + tokens_out * 1e-5, 6)
        models[model] = {
            "requests": requests,
            "input_tokens": tokens_in,
            "output_tokens": tokens_out,
            "cached_tokens": read,
            "estimated_cost": paid,
        }
        total = engines.setdefault(engine, dict.fromkeys(models[model], 0))
        for key, value in models[model].items():
            total[key] += value
        cached += read
        cost += paid
    return models, engines, cached, cost


def write(workspace, count, seed=7, *, newest_only=False):
    """Write `count` reports below a workspace folder."""
    folder = Path(workspace, ".radium", "_internals", "sessions")
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(seed)  # noqa: S311  (reports, no secrets)
    for number in range(count):
        newest = newest_only or number % 10
        generation = 3 if newest else 1 + (number // 10) % 2
        session_id, report = session(dice, number, generation)
        (folder / f"{session_id}.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), *map(int, sys.argv[3:4]))
