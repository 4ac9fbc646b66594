"""The table that each chart draws, of all that a report has.

The page's script makes the same of what its reader has chosen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from rad_lsp.core import figures, money, period, wording
from rad_lsp.core.report import NANOS_PER_SECOND
from rad_lsp.core.trend import Calls
from rad_lsp.render import label
from rad_lsp.render import limits as plans
from rad_lsp.render.history import short_names
from rad_lsp.render.report import data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from rad_lsp.core.money import Money
    from rad_lsp.render.label import TitleOf
    from rad_lsp.service.report import Report, Used

T = TypeVar("T")
Rows: TypeAlias = list[dict[str, Any]]

SERIES: Final = 7
"""How many models have a colour of their own."""

OTHERS: Final = "Other models"

_TOP: Final = 10
_HOUR: Final = 3600 * NANOS_PER_SECOND
_MINUTE: Final = 60 * NANOS_PER_SECOND
_LOOKED_UP: Final = frozenset(
    {
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    }
)
"""What every object of JavaScript has: Vega, which looks names up in objects, would find these."""

_EPOCH: Final = date(1970, 1, 1)
_DAY_MS: Final = 86_400_000
_MOST_DAYS: Final = 100
_MOST_DAYS_OF_WEEKS: Final = 800
"""The longest times that are drawn by day, and by week; longer ones are by month."""


class Tables:
    """The tables of a report by the names of their charts, and what the charts need to know."""

    def __init__(
        self, report: Report, zone: tzinfo | None, title_of: TitleOf = label.untitled
    ) -> None:
        self._report = report
        self._zone = zone
        self._title_of = title_of
        self._began = [_number(period.local(began, zone).date()) for began, _ in report.times]
        days = {*self._began, *(used.hour // 24 for used in report.usage)}
        days |= {_number(called.day) for called in report.calls}
        self._first, self._last = min(days, default=0), max(days, default=0)
        self._edges = _edges(self._first, self._last)
        spent = _grouped(report.usage, lambda used: used.model)
        cost = {model: _usd(_money(rows)) or 0.0 for model, rows in spent.items()}
        self._ranks = {
            model: rank for rank, model in enumerate(sorted(cost, key=lambda m: -cost[m]))
        }
        self._models = _shown(spent, "No model")

    def of(self, chart: str) -> Rows:
        """The rows of a chart. Raises KeyError."""
        tables = {
            "cost-by-day": self._cost_by_day,
            "budget": self._budget,
            "cost-by-project": self._cost_by_project,
            "cost-by-model": self._cost_by_model,
            "hours": self._hours,
            "cache-hit-rate": self._cache_hit_rate,
            "cache-savings": self._cache_savings,
            "tools": self._tools,
            "success-rate": self._success_rate,
            "time-split": self._time_split,
            "limits": self._limits,
            "duration-cost": self._duration_cost,
            "top-sessions": self._top_sessions,
        }
        return tables[chart]()

    @property
    def parameters(self) -> dict[str, Any]:
        """What charts ask for by name: the whole time, and what has a colour."""
        series = [self._models[model] for model in self._ranks][:SERIES]
        if len(self._ranks) > SERIES:
            series.append(OTHERS)
        ends = [edge * _DAY_MS for edge in (self._edges[0], self._edges[-1])]
        sources = dict.fromkeys(map(label.agent, self._report.sessions))
        return {"span": ends, "series": series, "sources": list(sources), "picked": None}

    def _cost_by_day(self) -> Rows:
        groups = _grouped(
            self._report.usage,
            lambda used: (self._bucket(used.hour // 24), self._ranks[used.model], used.model),
        )
        return [
            {
                **self._times(bucket),
                "model": self._models[model],
                "rank": rank,
                **_cost(rows),
                "requests": _requests(rows),
            }
            for (bucket, rank, model), rows in sorted(groups.items())
        ]

    def _budget(self) -> Rows:
        """What was spent so far in each month, week or day that has a budget; else in all."""
        general = [row for row in self._report.budgets if not (row.project or row.session_id)]
        kinds = sorted(general, key=lambda row: ("month", "week", "day").index(row.name))
        begin = _BEGINS[kinds[0].name] if kinds else lambda _: self._first
        limit = kinds[0].limit if kinds else None
        rows: Rows = []
        start, spent = None, 0.0
        for day, used in sorted(_grouped(self._report.usage, lambda one: one.hour // 24).items()):
            amount = _usd(_money(used))
            if amount is None:
                continue
            part = {"part": _date(begin(day)).isoformat(), "limit": limit}
            if begin(day) != start:
                start, spent = begin(day), 0.0
                at = max(start, self._first) * _DAY_MS
                rows.append({"from": at, "to": at, "cost": 0.0, **part})
            before = rows[-1]  # between two days on which something was spent the sum stays
            if before["to"] < day * _DAY_MS:
                rows.append({**before, "from": before["to"], "to": day * _DAY_MS})
            spent += amount
            rows.append({"from": day * _DAY_MS, "to": (day + 1) * _DAY_MS, "cost": spent, **part})
        return rows

    def _cost_by_project(self) -> Rows:
        sessions = self._report.sessions
        groups = _grouped(self._report.usage, lambda used: sessions[used.session].project)
        shown = _shown(groups, "No project", short_names([path for path in groups if path]))
        return _dearest(
            {
                "project": shown[project],
                **_cost(rows),
                "sessions": len({used.session for used in rows}),
            }
            for project, rows in groups.items()
        )

    def _cost_by_model(self) -> Rows:
        groups = _grouped(self._report.usage, lambda used: used.model)
        return _dearest(
            {
                "model": self._models[model],
                **_cost(rows),
                "requests": _requests(rows),
                "tokens": sum(used.tokens.input + used.tokens.output for used in rows),
            }
            for model, rows in groups.items()
        )

    def _hours(self) -> Rows:
        groups = _grouped(self._report.usage, lambda used: (used.hour + 3 * 24) % (7 * 24))
        return [
            {
                "weekday": label.WEEKDAYS[hour // 24],
                "hour": hour % 24,
                **_cost(rows),
                "requests": _requests(rows),
            }
            for hour, rows in sorted(groups.items())
        ]

    def _cache_hit_rate(self) -> Rows:
        rows = []
        for bucket, used in self._usage_by_time():
            read = sum(one.tokens.cache_read for one in used)
            all_input = sum(one.tokens.input for one in used)
            rate = figures.percent(read, all_input)
            counts = {"rate": rate, "cache_read": read, "input": all_input}
            rows += [{**self._times(bucket), **counts}] * (rate is not None)
        return rows

    def _cache_savings(self) -> Rows:
        return [
            {
                **self._times(bucket),
                "savings": money.total_usd(one.savings for one in used),
                "lower": any(one.savings is None for one in used),
            }
            for bucket, used in self._usage_by_time()
        ]

    def _tools(self) -> Rows:
        groups = _grouped(self._report.calls, lambda called: called.tool)
        calls = {tool: sum((one.calls for one in rows), Calls()) for tool, rows in groups.items()}
        shown = _shown(calls, "No tool")
        ordered = sorted(calls.items(), key=lambda item: -(item[1].total + item[1].denied))
        outcomes = {"Succeeded": "ok", "Failed": "failed", "Denied": "denied", "Unknown": "unknown"}
        return [
            {"tool": shown[tool], "rank": rank, "outcome": outcome, "calls": getattr(sums, name)}
            for rank, (tool, sums) in enumerate(ordered)
            for outcome, name in outcomes.items()
            if getattr(sums, name)
        ]

    def _success_rate(self) -> Rows:
        groups = _grouped(self._report.calls, lambda called: self._bucket(_number(called.day)))
        rows = []
        for bucket, called in sorted(groups.items()):
            calls = sum((one.calls for one in called), Calls())
            counts = {"rate": calls.success_rate, "succeeded": calls.ok, "failed": calls.failed}
            rows += [{**self._times(bucket), **counts}] * (calls.success_rate is not None)
        return rows

    def _time_split(self) -> Rows:
        sums: dict[int, dict[str, float]] = defaultdict(lambda: {"API": 0, "Tools": 0, "Other": 0})
        for session, day in zip(self._report.sessions, self._began, strict=True):
            parts = sums[self._bucket(day)]
            rest = session.agent_active_time - session.api_time - session.tool_time
            parts["API"] += session.api_time / _HOUR
            parts["Tools"] += session.tool_time / _HOUR
            parts["Other"] += max(rest, 0) / _HOUR
        return [
            {**self._times(bucket), "part": part, "hours": hours}
            for bucket, parts in sorted(sums.items())
            for part, hours in parts.items()
        ]

    def _limits(self) -> Rows:
        return [
            {
                "label": " · ".join(
                    wording.printable(name)
                    for name in (one.window.source, one.window.limit, one.window.name)
                    if name
                ),
                "state": one.state,
                "used": one.used_percent,
                "text": wording.printable(plans.summary(one, self._report.now, self._zone)),
            }
            for one in self._report.limits
        ]

    def _duration_cost(self) -> Rows:
        return [
            {**self._session(number), "minutes": session.wall_time / _MINUTE}
            for number, session in enumerate(self._report.sessions)
            if (_usd(session.money) or 0.0) > 0 and session.wall_time > 0
        ]

    def _top_sessions(self) -> Rows:
        costs = [_usd(session.money) or 0.0 for session in self._report.sessions]
        ordered = sorted(range(len(costs)), key=lambda number: -costs[number])
        priced = [number for number in ordered[:_TOP] if costs[number] > 0]
        return [{"rank": rank, **self._session(number)} for rank, number in enumerate(priced)]

    def _session(self, number: int) -> dict[str, Any]:
        session, (began, _) = self._report.sessions[number], self._report.times[number]
        start = wording.moment(period.local(began, self._zone))
        agent = label.agent(session)
        named = label.shown(self._title_of(session)) or wording.printable(session.id[:8])
        return {
            "session": f"{agent} · {named} · {start}",
            "source": agent,
            **_amount(session.money),
        }

    def _usage_by_time(self) -> list[tuple[int, list[Used]]]:
        return sorted(
            _grouped(self._report.usage, lambda used: self._bucket(used.hour // 24)).items()
        )

    def _bucket(self, day: int) -> int:
        return bisect_right(self._edges, day) - 1

    def _times(self, bucket: int) -> dict[str, int]:
        begin, end = self._edges[bucket : bucket + 2]
        return {"from": begin * _DAY_MS, "to": end * _DAY_MS}


def _number(day: date) -> int:
    return (day - _EPOCH).days


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _monday(day: int) -> int:
    return day - _date(day).weekday()


def _month(day: int) -> int:
    return _number(_date(day).replace(day=1))


_BEGINS: Final[dict[str, Callable[[int], int]]] = {
    "month": _month,
    "week": _monday,
    "day": lambda day: day,
}


def _edges(first: int, last: int) -> list[int]:
    """The days on which the parts begin that a chart over time has, and that after the last."""
    days = last - first + 1
    unit = "day" if days <= _MOST_DAYS else "week" if days <= _MOST_DAYS_OF_WEEKS else "month"
    begin = _BEGINS[unit]
    following = {"day": 1, "week": 7, "month": 31}[unit]
    edges = [begin(first)]
    while edges[-1] <= last:
        edges.append(begin(edges[-1] + following))
    return edges


def _grouped(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _shown(names: Iterable[str], empty: str, short: Mapping[str, str] = {}) -> dict[str, str]:
    """Names as they are shown: harmless, none empty, no two alike."""
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for name in names:
        shown = wording.printable(short.get(name, name)).strip() or empty
        shown = f"'{shown}'" if shown in _LOOKED_UP else shown
        seen[shown] = seen.get(shown, 0) + 1
        found[name] = shown if seen[shown] == 1 else f"{shown} ({seen[shown]})"
    return found


def _money(rows: Iterable[Used]) -> Money:
    return money.total(used.money for used in rows)


def _cost(rows: Iterable[Used]) -> dict[str, Any]:
    return _amount(_money(rows))


def _amount(amount: Money) -> dict[str, Any]:
    cost = _usd(amount)
    return {"cost": cost, "lower": cost is not None and amount.is_lower_bound}


def _usd(amount: Money) -> float | None:
    """As the page has it."""
    micros = data.micros(amount.usd)
    return None if micros is None else micros / 1_000_000


def _requests(rows: Iterable[Used]) -> int:
    return sum(used.requests for used in rows)


def _dearest(rows: Iterable[dict[str, Any]]) -> Rows:
    return sorted(rows, key=lambda row: -1.0 if row["cost"] is None else row["cost"], reverse=True)
