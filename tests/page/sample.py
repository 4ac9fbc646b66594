"""Data of a report page, made up: each session has figures that follow from its number."""

from __future__ import annotations

import json
import math
import random

HOSTILE = (
    "</script><img src=x onerror=document.title='PWNED'>",
    "javascript:alert(1)",
    "[click](https://example.com) **bold** <!-- {{data}}",
    "safe\u202egpj.ledom\u200b\u0007",
    "__proto__",
    "",
)
"""Names as a hostile transcript may have them."""

MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "gpt-5-codex", "gemini-3-pro", "claude-haiku-4-5")
PROJECTS = ("shop", "api-gateway", "website", "infra", "notebooks", "mobile-app", "docs", "scratch")
TOOLS = ("Bash", "Read", "Edit", "Grep", "Write", "Task", "WebFetch", "TodoWrite")
SOURCES = ("Claude Code", "Codex", "Gemini", "Radium")
TITLES = (
    "Fix the flaky test",
    "Add the export to CSV",
    "Upgrade the database",
    "Review the parser",
)
LAST = 20_788
"""The day of the newest session, counted since 1970."""

FIGURES = (
    ("wall_time", "Wall time", "seconds", "lower", ["wall"]),
    ("agent_active_time", "Agent active", "seconds", "lower", ["active"]),
    ("tool_calls", "Tool calls", "calls", "neither", ["calls"]),
    ("success_rate", "Success rate", "percent", "higher", ["ok", "known"]),
    ("total_tokens", "Total tokens", "tokens", "lower", ["tokens"]),
    ("cache_hit_rate", "Cache hit rate", "percent", "higher", ["cache_read", "input"]),
    ("cost", "Cost", "USD", "lower", ["cost"]),
)


def report(sessions=400, days=60, *, hostile=True, seed=1):
    """The data of so many sessions in so many days, as a dict."""
    draw = random.Random(seed)  # noqa: S311  (figures, no secrets)
    bad = HOSTILE if hostile else ()
    names = {
        "sources": [*SOURCES, *bad[:1]],
        "models": [*MODELS, *bad],
        "projects": [*PROJECTS, *bad],
        "tools": [*TOOLS, *bad],
        "branches": [""],
    }
    names["paths"] = [f"/home/me/{name}" for name in names["projects"]]
    one = _columns(
        "id title source project branch start end wall active api tool "
        "calls ok failed denied unknown lines_added lines_removed"
    )
    usage = _columns(
        "session hour model cost lower unpriced requests "
        "input output cache_read cache_write savings"
    )
    calls = _columns("session day tool ok failed denied unknown seconds")

    def pick(values, known):
        """An index: mostly of an ordinary name, with decreasing weight, at times of a bad one."""
        if len(values) > known and draw.random() < 0.06:
            return draw.randrange(known, len(values))
        return min(int(draw.expovariate(0.7)), known - 1)

    starts = sorted((_start(draw, days) for _ in range(sessions)), reverse=True)
    for number, start in enumerate(starts):
        wall = round(math.exp(draw.gauss(6.6, 1.3))) + 5
        active = round(wall * draw.uniform(0.2, 0.9))
        row = {
            "id": f"{number:06x}-{draw.randrange(16**5):05x}",
            "title": draw.choice((None, *TITLES, *bad)),
            "source": pick(names["sources"], len(SOURCES)),
            "project": pick(names["projects"], len(PROJECTS)),
            "branch": 0,
            "start": start,
            "end": wall // 60,
            "wall": wall,
            "active": active if number % 9 else None,
            "api": round(active * 0.6),
            "tool": round(active * 0.3),
            **dict.fromkeys(("calls", "ok", "failed", "denied", "unknown"), 0),
            "lines_added": draw.randrange(400),
            "lines_removed": draw.randrange(200),
        }
        for tool in {pick(names["tools"], len(TOOLS)) for _ in range(4)}:
            count = 1 + int(draw.expovariate(0.15))
            failed = sum(draw.random() < 0.08 for _ in range(count))
            denied, unknown = int(draw.random() < 0.05), int(draw.random() < 0.03)
            outcomes = {"failed": failed, "denied": denied, "unknown": unknown}
            outcomes["ok"] = count - failed
            _add(calls, session=number, day=start // 1440, tool=tool, seconds=count * 3, **outcomes)
            for name, value in outcomes.items():
                row[name] += value
            row["calls"] += count + unknown
        _add(one, **row)
        for model in {pick(names["models"], len(MODELS)) for _ in range(2)}:
            tokens = round(wall * draw.uniform(300, 1500))
            read = round(tokens * draw.uniform(0.5, 0.95))
            is_priced = model != len(MODELS) + 1
            price = 60 / (1 + model)
            _add(
                usage,
                session=number,
                hour=start // 60,
                model=model,
                cost=round(tokens * price / 40) if is_priced else None,
                lower=int(is_priced and number % 40 == 0),
                unpriced=0 if is_priced else 3,
                requests=1 + tokens // 40_000,
                input=tokens,
                output=tokens // 50,
                cache_read=read,
                cache_write=tokens // 20,
                savings=round(read * price / 50) if is_priced else None,
            )
    for block, name in (
        (one, "start"),
        (usage, "session"),
        (usage, "hour"),
        (calls, "session"),
        (calls, "day"),
    ):
        column = block[name]
        block[name] = [after - before for before, after in zip([0, *column], column, strict=False)]
    return {
        "version": 1,
        "generated": "2026-12-01 02:50",
        "zone": "Europe/Berlin",
        "scope": "All projects",
        "period": "",
        "prices": "Cost is what a provider states, else tokens at the price of the day.",
        "skipped": 1,
        "notes": ["1 file skipped: rad doctor."],
        "names": names,
        "sessions": one,
        "usage": usage,
        "calls": calls,
        "budgets": [
            {"name": "month", "limit": 900.0, "summary": "Month: $712.40 of $900.00 (79%)"}
        ],
        "limits": [
            _limit("Claude Code", "5 h", 37.0, "Claude Code 5 h: 37% used, resets 15:00"),
            _limit("Claude Code", "week", 81.0, "Claude Code week: 81% used"),
            _limit("Codex", "5 h", None, "Codex 5 h: reset since"),
        ],
        "figures": [
            {"name": name, "label": label, "unit": unit, "better": better, "of": of}
            for name, label, unit, better, of in FIGURES
        ],
    }


def text(**options):
    """The same as JSON."""
    return json.dumps(report(**options))


def _columns(names):
    return {name: [] for name in names.split()}


def _add(columns, **row):
    for name, column in columns.items():
        column.append(row[name])


def _start(draw, days):
    """A minute in the day's working hours, mostly of working days."""
    day = LAST - int(draw.random() * days)
    if (day + 3) % 7 > 4 and draw.random() < 0.8:
        day -= 2
    hour = min(23, max(0, round(draw.gauss(14, 3.5))))
    return day * 1440 + hour * 60 + draw.randrange(60)


def _limit(source, window, used, summary):
    state = "reset" if used is None else "current"
    row = {"source": source, "limit": None, "window": window, "usedPercent": used}
    return {**row, "state": state, "summary": summary}
