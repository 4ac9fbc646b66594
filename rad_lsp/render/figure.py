"""One value of a report in human form, with its context: what hovers and inlay hints say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp.core import figures, period, wording
from rad_lsp.core.wording import count, money, percent
from rad_lsp.render.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from rad_lsp.core.document import Path
    from rad_lsp.core.session import Session, Usage

LARGE: Final = 10_000
"""From here on a number is easier to read with separators."""


def hover(session: Session, path: Path, now: datetime, zone: tzinfo | None) -> str | None:
    """Markdown about the value at `path` of a session's report; None where there is no figure."""
    if not path or path[0] not in {"metrics", "generated_at"}:
        return None
    if path == ("generated_at",):
        return f"**Report written** {_moment(session.generated_at, now, zone)}"
    key = path[1] if len(path) > 1 else ""
    if key in {"model_usage", "engine_usage"}:
        return _usage(session, path)
    if key in {"start_time", "end_time"}:
        return _time(session, str(key), now, zone)
    describe = _FIGURES.get(str(key))
    return describe(session) if describe else None


def is_cost(path: Path) -> bool:
    """Whether the value at `path` is a cost that can be explained."""
    total = path == ("metrics", "total_cost")
    return total or (path[1:2] == ("model_usage",) and path[-1] == "estimated_cost")


def is_cache(path: Path) -> bool:
    """Whether the value at `path` tells what the cache did."""
    return path[:1] == ("metrics",) and _FIGURES.get(str(path[-1])) is _cache


def hint(session: Session, path: Path, number: float | None) -> str | None:
    """A few words behind the value at `path`, which is `number` if it is one; None for none."""
    if len(path) == 2 and path[0] == "metrics":  # noqa: PLR2004
        key = path[1]
        if key in _DURATIONS:
            return wording.duration(getattr(session, str(key)))
        if key == "successful_tool_calls":
            return percent(figures.success_rate(session))
    if isinstance(number, int) and number >= LARGE and "nanos" not in path and "secs" not in path:
        return count(number)
    return None


def _moment(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    local = period.local(moment, zone).replace(microsecond=0)
    ago = wording.short_duration(int((now - moment).total_seconds()) * 1_000_000_000)
    age = f"in {ago[1:]}" if ago.startswith("-") else f"{ago} ago"
    return f"{local:%Y-%m-%d %H:%M:%S %Z} ({age})"


def _time(session: Session, key: str, now: datetime, zone: tzinfo | None) -> str:
    if key == "start_time":
        return f"**Start** {_moment(session.start_time, now, zone)}"
    if session.end_time is not None:
        return f"**End** {_moment(session.end_time, now, zone)}"
    state = wording.state(figures.state(session, now)).strip(" ()")
    return f"**End** {state}; last reported {_moment(session.generated_at, now, zone)}"


def _wall_time(session: Session) -> str:
    return f"**Wall time** {wording.duration(session.wall_time)}"


def _agent_active_time(session: Session) -> str:
    share = percent(figures.percent(session.agent_active_time, session.wall_time))
    return f"**Agent active** {wording.duration(session.agent_active_time)}, {share} of wall time"


def _api_time(session: Session) -> str:
    share = percent(figures.api_share(session))
    return f"**API time** {wording.duration(session.api_time)}, {share} of the agent's active time"


def _tool_time(session: Session) -> str:
    share = percent(figures.tool_share(session))
    return (
        f"**Tool time** {wording.duration(session.tool_time)}, {share} of the agent's active time"
    )


def _tool_calls(session: Session) -> str:
    return (
        f"**Tool calls** {count(session.tool_calls)}: {count(session.successful_tool_calls)} "
        f"succeeded, {count(session.failed_tool_calls)} failed  \n"
        f"Success rate {percent(figures.success_rate(session))}"
    )


def _approvals(session: Session) -> str:
    return (
        f"**Approvals** {count(session.approvals_allowed)} allowed, "
        f"{count(session.approvals_denied)} denied, {count(session.approvals_asked)} asked"
    )


def _changes(session: Session) -> str:
    changes = wording.changes(session.lines_added, session.lines_removed, session.files_changed)
    return f"**Code changes** {changes}"


def _cache(session: Session) -> str:
    return (
        f"**Cache** {count(session.cached_tokens)} cached tokens, "
        f"{count(session.cache_creation_tokens)} created, "
        f"{count(figures.cache_read_tokens(session))} read  \n"
        f"Hit rate {percent(figures.cache_hit_rate(session))} of input tokens"
    )


def _cost(session: Session) -> str:
    text = f"**Cost** {money(session.cost)}, as the report has it"
    if session.models:
        text += f"  \nIts models add up to {money(figures.models_cost(session))}"
    return text


def _usage(session: Session, path: Path) -> str | None:
    engine = path[1] == "engine_usage"
    rows = session.engines if engine else session.models
    if len(path) == 2:  # noqa: PLR2004
        kind = "engine" if engine else "model"
        tokens = sum(row.tokens for row in rows)
        named = wording.counted(len(rows), kind)
        cost = money(figures.total_cost(row.cost for row in rows))
        return f"**{named}**: {count(tokens)} tokens, {cost}"
    for row in rows:
        if row.name == path[2]:
            return _usage_row(row, rows, str(path[3]) if len(path) > 3 else "")  # noqa: PLR2004
    return None


def _usage_row(row: Usage, rows: tuple[Usage, ...], key: str) -> str:
    name = f"**{escape(row.name)}**"
    if key in {"", "requests", "output_tokens", "estimated_cost"}:
        cost = figures.total_cost(other.cost for other in rows)
        share = percent(figures.percent(row.cost, cost))
        requests = wording.counted(row.requests, "request")
        text = (
            f"{name} {requests}, {count(row.input_tokens)} input tokens, "
            f"{count(row.output_tokens)} output tokens  \n{money(row.cost)}, {share} of the cost"
        )
        return text if key else f"{text}  \n{_cached(row)}"
    return f"{name} {count(row.input_tokens)} input tokens  \n{_cached(row)}"


def _cached(row: Usage) -> str:
    rate = percent(figures.percent(row.cached_tokens, row.input_tokens))
    return f"{count(row.cached_tokens)} of the input tokens cached, {rate}"


_DURATIONS: Final = ("wall_time", "agent_active_time", "api_time", "tool_time")

_FIGURES: Final[dict[str, Callable[[Session], str]]] = {
    "wall_time": _wall_time,
    "agent_active_time": _agent_active_time,
    "api_time": _api_time,
    "tool_time": _tool_time,
    "tool_calls": _tool_calls,
    "successful_tool_calls": _tool_calls,
    "failed_tool_calls": _tool_calls,
    "tool_approvals_allowed": _approvals,
    "tool_approvals_denied": _approvals,
    "tool_approvals_asked": _approvals,
    "lines_added": _changes,
    "lines_removed": _changes,
    "files_changed": _changes,
    "total_cached_tokens": _cache,
    "total_cache_creation_tokens": _cache,
    "total_cache_read_tokens": _cache,
    "total_cost": _cost,
}
