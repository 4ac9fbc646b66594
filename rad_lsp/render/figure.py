"""What hovers and inlay hints say of one value of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp.core import figures, period, wording
from rad_lsp.core.money import total
from rad_lsp.core.report import NANOS_PER_SECOND
from rad_lsp.core.wording import count, money, percent
from rad_lsp.render import layout
from rad_lsp.render.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from rad_lsp.core.document import Path
    from rad_lsp.core.figures import Figure
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import Kind

_LARGE: Final = 10_000
"""Numbers from here on get a hint with thousands separators."""

_BY_KEY: Final[dict[str | int, Figure]] = {
    figure.key: figure for figure in figures.FIGURES if figure.key
}

_CACHE: Final = frozenset({"cached_tokens", "cache_creation_tokens", "cache_read_tokens"})
"""The figures that tell what the cache did."""


def hover(session: Session, path: Path, now: datetime, zone: tzinfo | None) -> str | None:
    """Markdown about the value at `path` of a session's report; None where there is no figure."""
    match path:
        case ("generated_at",):
            return f"**Report written** {_moment(session.generated_at, now, zone)}"
        case ("metrics", "start_time", *_):
            return f"**Start** {_moment(session.start_time, now, zone)}"
        case ("metrics", "end_time", *_):
            if session.end_time is not None:
                return f"**End** {_moment(session.end_time, now, zone)}"
            state = layout.state(session, now).strip(" ()")
            return f"**End** {state}; last reported {_moment(session.generated_at, now, zone)}"
        case ("metrics", "model_usage", *inside):
            return _usage("model", session.models, inside)
        case ("metrics", "engine_usage", *inside):
            return _usage("engine", session.engines, inside)
        case ("metrics", key, *_) if key in _BY_KEY:
            return _figure(session, _BY_KEY[key])
    return None


def is_cost(path: Path) -> bool:
    """Whether the value at `path` is a cost that can be explained."""
    total = path == ("metrics", "total_cost")
    return total or (path[1:2] == ("model_usage",) and path[-1] == "estimated_cost")


def is_cache(path: Path) -> bool:
    """Whether the value at `path` tells what the cache did."""
    figure = _BY_KEY.get(path[-1]) if path[:1] == ("metrics",) else None
    return figure is not None and figure.name in _CACHE


def hint(session: Session, path: Path, number: float | None) -> str | None:
    """A short text to show behind the value at `path`, or None. `number` is the value, if any."""
    match path:
        case ("metrics", "successful_tool_calls"):
            return wording.reading(figures.SUCCESS_RATE, session)
        case ("metrics", key) if key in _BY_KEY and _BY_KEY[key].unit == "nanoseconds":
            return wording.reading(_BY_KEY[key], session)
    if isinstance(number, int) and number >= _LARGE and "nanos" not in path and "secs" not in path:
        return count(number)
    return None


def _moment(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    local = period.local(moment, zone).replace(microsecond=0)
    ago = wording.short_duration(int((now - moment).total_seconds()) * NANOS_PER_SECOND)
    age = f"in {ago[1:]}" if ago.startswith("-") else f"{ago} ago"
    return f"{local:%Y-%m-%d %H:%M:%S %Z} ({age})"


def _figure(session: Session, figure: Figure) -> str:
    text = f"**{figure.label}** {wording.reading(figure, session)}"
    match figure.name:
        case "agent_active_time":
            share = figures.percent(session.agent_active_time, session.wall_time)
            return f"{text}, {percent(share)} of wall time"
        case "api_time":
            return f"{text}, {percent(figures.api_share(session))} of the agent's active time"
        case "tool_time":
            return f"{text}, {percent(figures.tool_share(session))} of the agent's active time"
        case "tool_calls" | "successful_tool_calls" | "failed_tool_calls":
            unknown = session.unknown_tool_calls
            return (
                f"**Tool calls** {count(session.tool_calls)}: "
                f"{count(session.successful_tool_calls - unknown)} succeeded, "
                f"{count(session.failed_tool_calls)} failed"
                f"{f', {count(unknown)} not recorded' if unknown else ''}  \n"
                f"Success rate {wording.reading(figures.SUCCESS_RATE, session)}"
            )
        case "approvals_allowed" | "approvals_denied" | "approvals_asked":
            return f"**Approvals** {layout.approved(session)}"
        case "lines_added" | "lines_removed" | "files_changed":
            lines = session.lines_added, session.lines_removed
            return f"**Code changes** {wording.changes(*lines, session.files_changed)}"
        case name if name in _CACHE:
            return (
                f"**Cache** {count(session.cached_tokens)} cached tokens, "
                f"{count(session.cache_creation_tokens)} created, "
                f"{count(figures.cache_read_tokens(session))} read  \n"
                f"Hit rate {percent(figures.cache_hit_rate(session))} of input tokens"
            )
        case "cost":
            models = total(usage.money for usage in session.models)
            sum_of = f"  \nIts models add up to {money(models)}" if session.models else ""
            return f"{text}, as the report has it{sum_of}"
    return text


def _usage(kind: Kind, rows: Sequence[Usage], path: Sequence[str | int]) -> str | None:
    """About the usage at `path`: of all models or engines, of one, or one value of it."""
    all_of_them = total(row.money for row in rows)
    if not path:
        tokens = sum(row.tokens for row in rows)
        names = wording.counted(len(rows), kind)
        return f"**{names}**: {count(tokens)} tokens, {money(all_of_them)}"
    row = next((row for row in rows if row.name == path[0]), None)
    if row is None:
        return None
    name = f"**{escape(row.name)}**"
    rate = percent(figures.percent(row.cached_tokens, row.input_tokens))
    cached = f"{count(row.cached_tokens)} of the input tokens cached, {rate}"
    key = path[1] if len(path) > 1 else None
    if key not in {None, "requests", "output_tokens", "estimated_cost"}:
        return f"{name} {count(row.input_tokens)} input tokens  \n{cached}"
    share = percent(figures.percent(row.cost, all_of_them.usd))
    known = " known" if all_of_them.is_lower_bound else ""
    requests = wording.counted(row.requests, "request")
    text = (
        f"{name} {requests}, {count(row.input_tokens)} input tokens, "
        f"{count(row.output_tokens)} output tokens  \n"
        f"{money(row.money)}, {share} of the{known} cost"
    )
    return text if key else f"{text}  \n{cached}"
