"""The data of a report page: JSON of columns, in which each name stands once.

Times are those on the user's clock, so that the page reads the same for everyone. Money is in
millionths of a USD, so that sums do not depend on their order. What is not known is null.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp import service
from rad_lsp.core import advice, period, wording
from rad_lsp.core.figures import FIGURES
from rad_lsp.core.report import NANOS_PER_SECOND
from rad_lsp.core.wording import counted
from rad_lsp.render import answers, label, notes
from rad_lsp.render.history import short_names

if TYPE_CHECKING:
    from datetime import tzinfo

    from rad_lsp.core.period import Period
    from rad_lsp.render.label import TitleOf
    from rad_lsp.service.report import Report

VERSION: Final = 1
"""Of the form of the data."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = _EPOCH.date().toordinal()
_FORMULAS: Final = {
    "wall_time": ("wall",),
    "agent_active_time": ("active",),
    "api_time": ("api",),
    "tool_time": ("tool",),
    "tool_calls": ("calls",),
    "success_rate": ("ok", "known"),
    "lines_added": ("lines_added",),
    "lines_removed": ("lines_removed",),
    "total_tokens": ("tokens",),
    "input_tokens": ("input",),
    "output_tokens": ("output",),
    "cached_tokens": ("cache_read",),
    "cache_hit_rate": ("cache_read", "input"),
    "cost": ("cost",),
}
"""The columns that a figure is: one, or a part and its whole. Others are not on the page."""


class _Names:
    """Names by number, in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def listed(self) -> list[str]:
        return list(self._numbers)


def text(
    report: Report,
    now: datetime,
    zone: tzinfo | None,
    scope: str,
    title_of: TitleOf = label.untitled,
) -> str:
    """The data as JSON in ASCII; `scope` tells whose sessions they are."""
    data = _of(report, now, zone, scope, title_of)
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _of(
    report: Report, now: datetime, zone: tzinfo | None, scope: str, title_of: TitleOf
) -> dict[str, Any]:
    """The data. What a session spent is only in its rows of usage: who reads them adds it up."""
    names = {name: _Names() for name in ("sources", "projects", "branches", "models", "tools")}
    columns = {
        "sessions": _sessions(report, zone, names, title_of),
        "usage": _usage(report, names),
        "calls": _calls(report, names),
    }
    listed = {name: numbers.listed() for name, numbers in names.items()}
    short = short_names([path for path in listed["projects"] if path])
    listed["paths"] = listed["projects"]
    listed["projects"] = [short.get(path, "") for path in listed["paths"]]
    return {
        "version": VERSION,
        "generated": wording.moment(period.local(now, zone)),
        "zone": _zone(now, zone),
        "scope": scope,
        "period": _period(report.within, zone),
        "prices": _prices(),
        "skipped": report.skipped,
        "notes": _notes(report),
        "names": listed,
        **columns,
        "budgets": msgspec.to_builtins(list(map(answers.budget_row, report.budgets))),
        "limits": msgspec.to_builtins(
            [answers.plan_limit(one, now, zone) for one in report.limits]
        ),
        "figures": [
            {
                "name": figure.name,
                "label": figure.label,
                "unit": "seconds" if figure.unit == "nanoseconds" else figure.unit,
                "better": figure.better,
                "of": _FORMULAS[figure.name],
            }
            for figure in FIGURES
            if figure.name in _FORMULAS
        ],
    }


def _sessions(
    report: Report, zone: tzinfo | None, names: dict[str, _Names], title_of: TitleOf
) -> dict[str, Any]:
    sessions = report.sessions
    sources, projects, branches = names["sources"], names["projects"], names["branches"]
    starts = [_minutes(began, zone) for began, _ in report.times]
    ends = [_minutes(last, zone) for _, last in report.times]
    return {
        "id": report.ids,
        "title": [label.shown(title_of(one)) or None for one in sessions],
        "source": [sources[label.agent(one)] for one in sessions],
        "project": [projects[one.project] for one in sessions],
        "branch": [branches[one.branch] for one in sessions],
        "start": _steps(starts),
        "end": [end - start for start, end in zip(starts, ends, strict=True)],
        "wall": [_seconds(one.wall_time) for one in sessions],
        "active": [_seconds(one.agent_active_time) for one in sessions],
        "api": [_seconds(one.api_time) for one in sessions],
        "tool": [_seconds(one.tool_time) for one in sessions],
        "calls": [one.tool_calls for one in sessions],
        "ok": [one.successful_tool_calls - one.unknown_tool_calls for one in sessions],
        "failed": [one.failed_tool_calls for one in sessions],
        "denied": [one.approvals_denied for one in sessions],
        "unknown": [one.unknown_tool_calls for one in sessions],
        "lines_added": [one.lines_added for one in sessions],
        "lines_removed": [one.lines_removed for one in sessions],
    }


def _usage(report: Report, names: dict[str, _Names]) -> dict[str, Any]:
    usage, models = report.usage, names["models"]
    return {
        "session": _steps([one.session for one in usage]),
        "hour": _steps([one.hour for one in usage]),
        "model": [models[one.model] for one in usage],
        "cost": [micros(one.money.usd) for one in usage],
        "lower": [int(one.money.is_lower_bound) for one in usage],
        "unpriced": [one.money.unpriced for one in usage],
        "requests": [one.requests for one in usage],
        "input": [one.tokens.input for one in usage],
        "output": [one.tokens.output for one in usage],
        "cache_read": [one.tokens.cache_read for one in usage],
        "cache_write": [one.tokens.cache_write for one in usage],
        "savings": [micros(one.savings) for one in usage],
    }


def _calls(report: Report, names: dict[str, _Names]) -> dict[str, Any]:
    calls, tools = report.calls, names["tools"]
    return {
        "session": _steps([one.session for one in calls]),
        "day": _steps([one.day.toordinal() - _FIRST_DAY for one in calls]),
        "tool": [tools[one.tool] for one in calls],
        "ok": [one.calls.ok for one in calls],
        "failed": [one.calls.failed for one in calls],
        "denied": [one.calls.denied for one in calls],
        "unknown": [one.calls.unknown for one in calls],
        "seconds": [_seconds(one.time) for one in calls],
    }


def _steps(values: list[int]) -> list[int]:
    """The first value, then what each is more than the one before: small numbers."""
    return [value - before for before, value in pairwise([0, *values])]


def micros(usd: float | None) -> int | None:
    """Millionths of a USD; an amount that is too large to be one is not known."""
    amount = None if usd is None else usd * 1_000_000
    return None if amount is None or not math.isfinite(amount) else round(amount)


def _seconds(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else round(nanoseconds / NANOS_PER_SECOND)


def _minutes(moment: datetime, zone: tzinfo | None) -> int:
    """Minutes on the user's clock since 1970."""
    clock = period.local(moment, zone).replace(tzinfo=UTC)
    return int((clock - _EPOCH).total_seconds() // 60)


def _zone(now: datetime, zone: tzinfo | None) -> str:
    return str(zone) if zone is not None else now.astimezone().tzname() or ""


def _period(within: Period, zone: tzinfo | None) -> str:
    """The time that was asked about; empty where that is all."""
    said = {"since": within.since, "until": within.until}
    return " ".join(
        f"{word} {wording.moment(period.local(moment, zone))}"
        for word, moment in said.items()
        if moment is not None
    )


def _prices() -> str:
    """By which rule costs are told, and of what day the prices are."""
    age = service.price_list_age()
    released = "" if age.released is None else f" of {age.released}"
    return (
        "Cost is what a provider or a report states, else tokens of each request at the price of "
        f"its time, by genai-prices {age.version}{released}, with corrections of {age.corrected}."
    )


def _notes(report: Report) -> list[str]:
    """Why figures are minima or not known, and what is missing."""
    said = [notes.of_sessions(report.sessions)]
    if report.skipped:
        said.append(f"{counted(report.skipped, 'file')} skipped: {advice.SEE_SKIPPED}")
    return [f"{sentence}." for sentence in said if sentence]
