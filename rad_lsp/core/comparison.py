"""One session measured against another: what changed, by how much, and whether that is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from rad_lsp.core import figures, wording
from rad_lsp.core.figures import Figure
from rad_lsp.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["improved", "regressed", "unchanged", "changed"]

_FIRST: Final = (
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_hit_rate",
    "cost",
)
"""The figures that the wire contract compares first. The others follow in the table's order."""


class Metric(msgspec.Struct, frozen=True):
    """A figure of session A and of session B.

    `delta` is B - A in the figure's unit (percentage points for a rate), `percent` the same in
    percent of A. Both are None where a value is missing; `percent` is also None when A is 0, and
    for rates. `partial` tells that they are those of what is known: a value is a lower bound.
    """

    figure: Figure
    a: float | None
    b: float | None
    delta: float | None
    percent: float | None
    verdict: Verdict
    partial: bool = False


class Comparison(msgspec.Struct, frozen=True):
    """Session `b` measured against session `a`, with the metrics in the wire contract's order.

    `notes` are sentences on figures of which the two can't be compared.
    """

    a: Session
    b: Session
    metrics: tuple[Metric, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Metric:
        """The metric of the figure of that name. Raises KeyError."""
        for metric in self.metrics:
            if metric.figure.name == name:
                return metric
        raise KeyError(name)


def between(a: Session, b: Session) -> Comparison:
    """Session `b` measured against session `a`."""
    first = [figures.named(name) for name in _FIRST]
    compared = [figure for figure in figures.FIGURES if figure.better is not None]
    rest = [figure for figure in compared if figure not in first]
    metrics = tuple(_metric(figure, a, b) for figure in (*first, *rest))
    return Comparison(a, b, metrics, tuple(_notes(a, b)))


def printed_difference(a: float | None, b: float | None) -> float | None:
    """The difference of two rates as printed, so that `92.6% → 95.2% (+2.6%)` adds up."""
    if a is None or b is None:
        return None
    return round(float(f"{b:.1f}") - float(f"{a:.1f}"), 1)


def _metric(figure: Figure, session_a: Session, session_b: Session) -> Metric:
    a, b = figure.value(session_a), figure.value(session_b)
    if a is None or b is None:
        return Metric(figure, a, b, None, None, "unchanged" if a is b else "changed")
    delta = b - a
    is_rate = figure.unit == "percent"
    percent = None if is_rate else figures.percent_change(a, b)
    printed = wording.quantity(printed_difference(a, b) if is_rate else delta, figure.unit)
    partial = figure.is_lower_bound(session_a) or figure.is_lower_bound(session_b)
    verdict: Verdict = "changed"
    if not partial and printed == wording.quantity(0, figure.unit):
        verdict = "unchanged"
    elif not partial and (figure.name != "api_time" or _measures_alike(session_a, session_b)):
        verdict = _verdict(figure, delta)
    return Metric(figure, a, b, delta, percent, verdict, partial)


def _measures_alike(a: Session, b: Session) -> bool:
    """Whether API time means the same in both sessions."""
    return a.api_time_measured == b.api_time_measured


def _notes(a: Session, b: Session) -> Iterator[str]:
    if not _measures_alike(a, b):
        measured, other = ("A", "B") if a.api_time_measured else ("B", "A")
        yield (
            f"API time is measured in session {measured}, and active time less tool time in "
            f"session {other}: the two can't be compared"
        )


def _verdict(figure: Figure, delta: float) -> Verdict:
    if figure.better == "neither":
        return "changed"
    return "improved" if (delta > 0) == (figure.better == "higher") else "regressed"
