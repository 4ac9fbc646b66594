"""One session measured against another: what changed, by how much, and whether that is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from rad_lsp.core import figures, wording
from rad_lsp.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

Unit = Literal["tokens", "percent", "USD", "nanoseconds", "calls", "lines"]
Better = Literal["lower", "higher", "neither"]
Verdict = Literal["improved", "regressed", "unchanged", "changed"]


class Metric(msgspec.Struct, frozen=True):
    """A figure of session A and of session B.

    `delta` is B - A in `unit` (percentage points for a rate), `percent` the same in percent of
    A. Both are None where a figure is missing, `percent` also from 0 and for rates.
    """

    name: str
    label: str
    unit: Unit
    better: Better
    a: float | None
    b: float | None
    delta: float | None
    percent: float | None
    verdict: Verdict


class Comparison(msgspec.Struct, frozen=True):
    """Session `b` measured against session `a`, metrics in the wire contract's order."""

    a: Session
    b: Session
    metrics: tuple[Metric, ...]

    def __getitem__(self, name: str) -> Metric:
        """The metric of that name. Raises KeyError."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)


def between(a: Session, b: Session) -> Comparison:
    """Session `b` measured against session `a`."""
    return Comparison(
        a,
        b,
        tuple(
            _metric(name, label, unit, better, figure(a), figure(b))
            for name, label, unit, better, figure in _METRICS
        ),
    )


def printed_difference(a: float | None, b: float | None) -> float | None:
    """The difference of two rates as printed, so that `92.6% → 95.2% (+2.6%)` adds up."""
    if a is None or b is None:
        return None
    return round(float(f"{b:.1f}") - float(f"{a:.1f}"), 1)


def _metric(
    name: str, label: str, unit: Unit, better: Better, a: float | None, b: float | None
) -> Metric:
    delta = None if a is None or b is None else b - a
    percent = None if a is None or b is None or unit == "percent" else figures.percent_change(a, b)
    verdict = _verdict(delta, better, zero=_prints_as_zero(unit, a, b))
    return Metric(name, label, unit, better, a, b, delta, percent, verdict)


def _prints_as_zero(unit: Unit, a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    if unit == "percent":
        return printed_difference(a, b) == 0
    if unit == "USD":
        return wording.signed(f"{b - a:.4f}") == "0"
    if unit == "nanoseconds":
        return wording.duration(int(b - a)) == "0s"
    return a == b


def _verdict(delta: float | None, better: Better, *, zero: bool) -> Verdict:
    if zero:
        return "unchanged"
    if better == "neither" or delta is None:
        return "changed"
    return "improved" if (delta > 0) == (better == "higher") else "regressed"


_METRICS: tuple[tuple[str, str, Unit, Better, Callable[[Session], float | None]], ...] = (
    ("totalTokens", "Total tokens", "tokens", "lower", figures.total_tokens),
    ("inputTokens", "Input tokens", "tokens", "lower", figures.input_tokens),
    ("outputTokens", "Output tokens", "tokens", "neither", figures.output_tokens),
    ("cachedTokens", "Cached tokens", "tokens", "higher", lambda session: session.cached_tokens),
    ("cacheHitRate", "Cache hit rate", "percent", "higher", figures.cache_hit_rate),
    ("cost", "Cost", "USD", "lower", lambda session: session.cost),
    ("wallTime", "Wall time", "nanoseconds", "lower", lambda session: session.wall_time),
    ("agentActiveTime", "Agent active", "nanoseconds", "lower", lambda s: s.agent_active_time),
    ("apiTime", "API time", "nanoseconds", "lower", lambda session: session.api_time),
    ("toolTime", "Tool time", "nanoseconds", "lower", lambda session: session.tool_time),
    ("toolCalls", "Tool calls", "calls", "neither", lambda session: session.tool_calls),
    ("successRate", "Success rate", "percent", "higher", figures.success_rate),
    ("linesAdded", "Lines added", "lines", "neither", lambda session: session.lines_added),
    ("linesRemoved", "Lines removed", "lines", "neither", lambda session: session.lines_removed),
)
