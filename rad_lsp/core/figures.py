"""Every figure derived from a session, each one function with its rule.

The rules are those of the session format, "Derived figures". None of them rounds or formats.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session

INTERRUPTED_AFTER: Final = timedelta(minutes=10)
"""A session without an end that was last active longer ago than this is no longer running."""

State = Literal["ended", "running", "interrupted"]


def success_rate(session: Session) -> float | None:
    """Percent of tool calls that succeeded; None when there were none.

    A call that the user refused is a denied approval, not a failure.
    """
    return percent(session.successful_tool_calls, session.tool_calls)


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
    """Whether a cache had anything to do with the session."""
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
    """Whether the session has ended, is running, or broke off without an end."""
    if session.end_time is not None:
        return "ended"
    return "running" if now - last_activity(session) < INTERRUPTED_AFTER else "interrupted"


def total_cost(costs: Iterable[float | None]) -> float | None:
    """The sum of the known costs in USD, rounded once, so that their order does not matter.

    None when there are costs and none of them is known.
    """
    listed = list(costs)
    amounts = [cost for cost in listed if cost is not None]
    if listed and not amounts:
        return None
    try:
        return math.fsum(amounts)
    except OverflowError:
        return sum(amounts)


def models_cost(session: Session) -> float | None:
    """The cost of all models in USD; the report's own total need not equal it."""
    return total_cost([usage.cost for usage in session.models])


def percent(part: float | None, whole: float | None) -> float | None:
    """`part` in percent of `whole`, or None when there is no whole or either is not known."""
    return 100 * part / whole if whole and part is not None else None


def percent_change(before: float, after: float) -> float | None:
    """The change from `before` to `after` in percent of `before`; None from 0.

    Rising is positive, from a negative cost, too.
    """
    return 100 * (after - before) / abs(before) if before else None
