"""The table of a session's figures, and the functions that compute them.

The rules are those of the session format, "Derived figures". No function rounds or formats.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from rad_lsp.core.money import total_usd
from rad_lsp.core.session import Session, SessionTotals

INTERRUPTED_AFTER: Final = timedelta(minutes=10)
"""A session without an end that was last active longer ago than this is no longer running."""

CLOCK_SKEW: Final = timedelta(days=1)
"""What is later than this from now on is no time at which anything has happened."""

State = Literal["ended", "running", "interrupted"]

Unit: TypeAlias = Literal[
    "tokens", "percent", "USD", "nanoseconds", "calls", "lines", "files", "requests"
]
Better: TypeAlias = Literal["lower", "higher", "neither"]


class Figure(Struct, frozen=True):
    """A figure of a session.

    `name` is its name in JSON and CSV, and in camelCase on the wire. `value` computes it in `unit`,
    which also decides how it reads: see `wording.reading`. Only an `optional` figure can be None.
    `better` tells whether a lower or a higher value is better; a figure without it is not compared.
    `key` is the figure's key in a report's metrics, if it has one. `is_lower_bound` tells whether
    the true value may be higher, `known` of how many it is, None where that is of all.
    """

    name: str
    label: str
    unit: Unit
    value: Callable[[Session], float | None]
    better: Better | None
    key: str | None = None
    optional: bool = False
    is_lower_bound: Callable[[Session], bool] = lambda _: False
    known: Callable[[Session], int | None] = lambda _: None


def success_rate(session: SessionTotals) -> float | None:
    """Percent of the tool calls of known outcome that succeeded; None when there are none.

    A call that the user refused is a denied approval, not a failure.
    """
    unknown = session.unknown_tool_calls
    return percent(session.successful_tool_calls - unknown, session.tool_calls - unknown)


def known_tool_calls(session: SessionTotals) -> int | None:
    """The number of tool calls of known outcome; None where that is all of them."""
    unknown = session.unknown_tool_calls
    return session.tool_calls - unknown if unknown else None


def input_tokens(session: Session) -> int:
    """Input tokens of all models, cached ones included."""
    return sum(usage.input_tokens for usage in session.models)


def output_tokens(session: Session) -> int:
    """Output tokens of all models."""
    return sum(usage.output_tokens for usage in session.models)


def total_tokens(session: Session) -> int:
    """Input and output tokens of all models."""
    return sum(usage.tokens for usage in session.models)


def requests(session: Session) -> int:
    """Requests to all models."""
    return sum(usage.requests for usage in session.models)


def model_names(session: Session) -> tuple[str, ...]:
    """Names of the models that were used, most tokens first, then by name."""
    used = sorted(session.models, key=lambda usage: (-usage.tokens, usage.name))
    return tuple(usage.name for usage in used)


def cache_read_tokens(session: Session) -> int:
    """Tokens read from the cache.

    Reports that split cached tokens into neither read nor created ones count them all as read.
    """
    if session.cache_read_tokens == 0 and session.cache_creation_tokens == 0:
        return session.cached_tokens
    return session.cache_read_tokens


def has_cache(session: Session) -> bool:
    """Whether the session read from a cache or wrote to one."""
    return bool(session.cached_tokens or session.cache_creation_tokens or session.cache_read_tokens)


def cache_hit_rate(session: Session) -> float | None:
    """Percent of input tokens that were read from the cache; None when there was no input."""
    return percent(cache_read_tokens(session), input_tokens(session))


def api_share(session: Session) -> float | None:
    """Percent of the agent's active time spent in API calls; None without active time."""
    return percent(session.api_time, session.agent_active_time)


def tool_share(session: Session) -> float | None:
    """Percent of the agent's active time spent in tools; None without active time."""
    return percent(session.tool_time, session.agent_active_time)


def last_activity(session: Session) -> datetime:
    """When the session ended or, without an end, was last reported.

    Radium writes `generated_at` anew each time it looks at an old session, so it says nothing
    about one that has ended.
    """
    return session.end_time or session.generated_at


def state(session: Session, now: datetime) -> State:
    """Whether the session has ended, is running, or was interrupted: it stopped without an end."""
    if session.end_time is not None:
        return "ended"
    since = now - last_activity(session)
    return "running" if -CLOCK_SKEW <= since < INTERRUPTED_AFTER else "interrupted"


def interrupted_at(session: Session) -> datetime:
    """When a session without an end counts as interrupted, unless it is reported again."""
    last = last_activity(session)
    return last + min(INTERRUPTED_AFTER, datetime.max.replace(tzinfo=UTC) - last)


def last_before(session: Session, limit: datetime) -> datetime | None:
    """The latest of the session's times up to a moment; None when all are later."""
    times = (session.end_time, session.generated_at, session.start_time)
    return max((time for time in times if time is not None and time <= limit), default=None)


def models_cost(session: Session) -> float | None:
    """The cost of all models in USD. The total that a report states may differ from it."""
    return total_usd(usage.cost for usage in session.models)


def percent(part: float | None, whole: float | None) -> float | None:
    """`part` in percent of `whole`, or None when there is no whole or either is not known."""
    return 100 * part / whole if whole and part is not None else None


def percent_change(before: float, after: float) -> float | None:
    """The change from `before` to `after` in percent of `before`, or None when `before` is 0.

    An increase is positive, even when `before` is negative.
    """
    return 100 * (after - before) / abs(before) if before else None


def named(name: str) -> Figure:
    """The figure of that name. Raises KeyError."""
    for figure in FIGURES:
        if figure.name == name:
            return figure
    raise KeyError(name)


def _stored(
    name: str, label: str, unit: Unit, key: str, better: Better | None, *, optional: bool = False
) -> Figure:
    """A figure that a report states under `key` and a session holds under `name`."""
    return Figure(name, label, unit, attrgetter(name), better, key, optional=optional)


SUCCESS_RATE: Final = Figure(
    "success_rate",
    "Success rate",
    "percent",
    success_rate,
    "higher",
    optional=True,
    known=known_tool_calls,
)

FIGURES: tuple[Figure, ...] = (
    _stored("wall_time", "Wall time", "nanoseconds", "wall_time", "lower"),
    _stored("agent_active_time", "Agent active", "nanoseconds", "agent_active_time", "lower"),
    _stored("api_time", "API time", "nanoseconds", "api_time", "lower"),
    _stored("tool_time", "Tool time", "nanoseconds", "tool_time", "lower"),
    Figure("api_share", "API share", "percent", api_share, None, optional=True),
    Figure("tool_share", "Tool share", "percent", tool_share, None, optional=True),
    _stored("tool_calls", "Tool calls", "calls", "tool_calls", "neither"),
    _stored("successful_tool_calls", "Successful calls", "calls", "successful_tool_calls", None),
    _stored("failed_tool_calls", "Failed calls", "calls", "failed_tool_calls", None),
    SUCCESS_RATE,
    _stored("approvals_allowed", "Approvals allowed", "calls", "tool_approvals_allowed", None),
    _stored("approvals_denied", "Approvals denied", "calls", "tool_approvals_denied", None),
    _stored("approvals_asked", "Approvals asked", "calls", "tool_approvals_asked", None),
    _stored("lines_added", "Lines added", "lines", "lines_added", "neither"),
    _stored("lines_removed", "Lines removed", "lines", "lines_removed", "neither"),
    _stored("files_changed", "Files changed", "files", "files_changed", None, optional=True),
    Figure("requests", "Requests", "requests", requests, None),
    Figure("total_tokens", "Total tokens", "tokens", total_tokens, "lower"),
    Figure("input_tokens", "Input tokens", "tokens", input_tokens, "lower"),
    Figure("output_tokens", "Output tokens", "tokens", output_tokens, "neither"),
    _stored("cached_tokens", "Cached tokens", "tokens", "total_cached_tokens", "higher"),
    _stored(
        "cache_creation_tokens", "Cache created", "tokens", "total_cache_creation_tokens", None
    ),
    Figure(
        "cache_read_tokens",
        "Cache read",
        "tokens",
        cache_read_tokens,
        None,
        "total_cache_read_tokens",
    ),
    Figure("cache_hit_rate", "Cache hit rate", "percent", cache_hit_rate, "higher", optional=True),
    Figure(
        "cost",
        "Cost",
        "USD",
        attrgetter("cost"),
        "lower",
        "total_cost",
        optional=True,
        is_lower_bound=attrgetter("money.is_lower_bound"),
    ),
)
"""Every figure of a session. Layouts place those up to the cost, and show what follows it last."""
