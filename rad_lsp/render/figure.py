"""What hovers and inlay hints say of one value of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp.core import figures, period, wording
from rad_lsp.core.money import total_usd
from rad_lsp.core.wording import count, money, percent
from rad_lsp.render import layout
from rad_lsp.render.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from rad_lsp.core.document import Path
    from rad_lsp.core.figures import Figure
    from rad_lsp.core.session import Session, Usage

LARGE: Final = 10_000
"""Numbers from here on get a hint with thousands separators."""


def hover(session: Session, path: Path, now: datetime, zone: tzinfo | None) -> str | None:
    """Markdown about the value at `path` of a session's report; None where there is no figure."""
    if path == ("generated_at",):
        return f"**Report written** {_moment(session.generated_at, now, zone)}"
    if len(path) < 2 or path[0] != "metrics":  # noqa: PLR2004
        return None
    key = path[1]
    if key in {"model_usage", "engine_usage"}:
        return _usage(session, path)
    if key in {"start_time", "end_time"}:
        return _time(session, str(key), now, zone)
    figure = _BY_KEY.get(key)
    if figure is None:
        return None
    return _DESCRIPTIONS.get(figure.name, _plain)(session, figure)


def is_cost(path: Path) -> bool:
    """Whether the value at `path` is a cost that can be explained."""
    total = path == ("metrics", "total_cost")
    return total or (path[1:2] == ("model_usage",) and path[-1] == "estimated_cost")


def is_cache(path: Path) -> bool:
    """Whether the value at `path` tells what the cache did."""
    figure = _BY_KEY.get(path[-1]) if path[:1] == ("metrics",) else None
    return figure is not None and _DESCRIPTIONS.get(figure.name) is _cache


def hint(session: Session, path: Path, number: float | None) -> str | None:
    """A short text to show behind the value at `path`, or None. `number` is the value, if any."""
    if len(path) == 2 and path[0] == "metrics":  # noqa: PLR2004
        figure = _BY_KEY.get(path[1])
        if figure and figure.unit == "nanoseconds":
            return wording.reading(figure, session)
        if figure and figure.name == "successful_tool_calls":
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


def _plain(session: Session, figure: Figure) -> str:
    return f"**{figure.label}** {wording.reading(figure, session)}"


def _share_of_wall(session: Session, figure: Figure) -> str:
    share = percent(figures.percent(figure.value(session), session.wall_time))
    return f"{_plain(session, figure)}, {share} of wall time"


def _share_of_active(session: Session, figure: Figure) -> str:
    share = percent(figures.percent(figure.value(session), session.agent_active_time))
    return f"{_plain(session, figure)}, {share} of the agent's active time"


def _tool_calls(session: Session, _: Figure) -> str:
    return (
        f"**Tool calls** {count(session.tool_calls)}: {count(session.successful_tool_calls)} "
        f"succeeded, {count(session.failed_tool_calls)} failed  \n"
        f"Success rate {percent(figures.success_rate(session))}"
    )


def _approvals(session: Session, _: Figure) -> str:
    return f"**Approvals** {layout.approved(session)}"


def _changes(session: Session, _: Figure) -> str:
    changes = wording.changes(session.lines_added, session.lines_removed, session.files_changed)
    return f"**Code changes** {changes}"


def _cache(session: Session, _: Figure) -> str:
    return (
        f"**Cache** {count(session.cached_tokens)} cached tokens, "
        f"{count(session.cache_creation_tokens)} created, "
        f"{count(figures.cache_read_tokens(session))} read  \n"
        f"Hit rate {percent(figures.cache_hit_rate(session))} of input tokens"
    )


def _cost(session: Session, figure: Figure) -> str:
    text = f"{_plain(session, figure)}, as the report has it"
    if session.models:
        text += f"  \nIts models add up to {money(figures.models_cost(session))}"
    return text


def _usage(session: Session, path: Path) -> str | None:
    engine = path[1] == "engine_usage"
    rows = session.engines if engine else session.models
    if len(path) == 2:  # noqa: PLR2004
        rows_named = wording.counted(len(rows), "engine" if engine else "model")
        tokens = sum(row.tokens for row in rows)
        cost = money(total_usd(row.cost for row in rows))
        return f"**{rows_named}**: {count(tokens)} tokens, {cost}"
    for row in rows:
        if row.name == path[2]:
            return _usage_row(row, rows, str(path[3]) if len(path) > 3 else "")  # noqa: PLR2004
    return None


def _usage_row(row: Usage, rows: tuple[Usage, ...], key: str) -> str:
    name = f"**{escape(row.name)}**"
    rate = percent(figures.percent(row.cached_tokens, row.input_tokens))
    cached = f"{count(row.cached_tokens)} of the input tokens cached, {rate}"
    if key not in {"", "requests", "output_tokens", "estimated_cost"}:
        return f"{name} {count(row.input_tokens)} input tokens  \n{cached}"
    cost = total_usd(other.cost for other in rows)
    share = percent(figures.percent(row.cost, cost))
    requests = wording.counted(row.requests, "request")
    text = (
        f"{name} {requests}, {count(row.input_tokens)} input tokens, "
        f"{count(row.output_tokens)} output tokens  \n{money(row.cost)}, {share} of the cost"
    )
    return text if key else f"{text}  \n{cached}"


_BY_KEY: Final[dict[str | int, Figure]] = {
    figure.key: figure for figure in figures.FIGURES if figure.key
}

_DESCRIPTIONS: Final[dict[str, Callable[[Session, Figure], str]]] = {
    "agent_active_time": _share_of_wall,
    "api_time": _share_of_active,
    "tool_time": _share_of_active,
    "tool_calls": _tool_calls,
    "successful_tool_calls": _tool_calls,
    "failed_tool_calls": _tool_calls,
    "approvals_allowed": _approvals,
    "approvals_denied": _approvals,
    "approvals_asked": _approvals,
    "lines_added": _changes,
    "lines_removed": _changes,
    "files_changed": _changes,
    "cached_tokens": _cache,
    "cache_creation_tokens": _cache,
    "cache_read_tokens": _cache,
    "cost": _cost,
}
"""What to say of a figure beyond its label and value, by name."""
