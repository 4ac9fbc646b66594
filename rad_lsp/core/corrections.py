"""Corrections of a price list: what it lacks or has wrong, and how rates change by them.

The corrections themselves are data, in `rad_lsp/corrections.toml`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

from rad_lsp.core.price import Override, Rates

if TYPE_CHECKING:
    from collections.abc import Callable


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that the price list lacks or has wrong.

    It holds for the `models` of a `provider` (their ids in the price list, a regular expression),
    on the days from `begin` up to, but not including, `end`: in the service `tiers`, where some
    are named, else in all. `rates` are those of requests with more than `above` input tokens.
    `factor` multiplies the standard rates; "as later" takes the factors that the list itself has
    on the day `end`. `superseded_by` is the first version of the price list that needs the rule
    no longer; `source` is the address of a page that states it.
    """

    rule: str
    provider: str
    models: str
    source: str
    tiers: tuple[str, ...] = ()
    begin: date | None = msgspec.field(default=None, name="from")
    end: date | None = msgspec.field(default=None, name="to")
    above: int = 0
    rates: Override | None = None
    factor: float | Literal["as later"] | None = None
    superseded_by: str | None = None

    def concerns(self, provider: str, model: str, version: str) -> bool:
        """Whether it corrects an entry of a version of the price list."""
        if self.superseded_by is not None and _order(version) >= _order(self.superseded_by):
            return False
        return provider == self.provider and re.fullmatch(self.models, model) is not None

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return (self.begin is None or self.begin <= day) and (self.end is None or day < self.end)


class Corrections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All corrections.

    They were last compared with the providers' pages on the day `checked`. `released` has the
    days on which versions of the price list came out.
    """

    checked: date
    released: dict[str, date]
    correction: tuple[Correction, ...]


class PriceListAge(msgspec.Struct, frozen=True):
    """How old the prices are.

    `version` is that of the installed price list, `released` the day on which it came out, None
    where that is not known. `corrected` is the day on which the corrections were last checked.
    """

    version: str
    released: date | None
    corrected: date


class Schedule(msgspec.Struct, frozen=True):
    """Rates by the size of a request, as a `Price` has them."""

    rates: tuple[Rates, ...]
    thresholds: tuple[int, ...] = ()

    def at(self, input_tokens: int) -> Rates:
        """The rates of a request with so many input tokens in all."""
        return self.rates[bisect_left(self.thresholds, input_tokens)]


def above(schedule: Schedule, threshold: int, rates: Rates) -> Schedule:
    """A schedule with other rates for requests that exceed a threshold."""
    limits = tuple(limit for limit in schedule.thresholds if limit < threshold)
    return Schedule((*schedule.rates[: len(limits) + 1], rates), (*limits, threshold))


def multiplied(schedule: Schedule, factor: float) -> Schedule:
    """A schedule with all rates multiplied."""
    return _combined(lambda rate: round(rate * factor, 9), schedule)


def in_proportion(schedule: Schedule, special: Schedule, standard: Schedule) -> Schedule:
    """A schedule changed as the standard one must be changed to be the special one."""
    return _combined(_in_proportion, schedule, special, standard)


def _in_proportion(rate: float, special: float, standard: float) -> float:
    if rate == standard or not standard:
        return special
    return round(rate * special / standard, 9)


def _combined(function: Callable[..., float], *schedules: Schedule) -> Schedule:
    limits = sorted({limit for schedule in schedules for limit in schedule.thresholds})
    sizes = (0, *(limit + 1 for limit in limits))
    found = [
        Rates(*map(function, *(msgspec.structs.astuple(one.at(size)) for one in schedules)))
        for size in sizes
    ]
    changes = [n for n in range(len(limits)) if found[n] != found[n + 1]]
    rates = (found[0], *(found[n + 1] for n in changes))
    return Schedule(rates, tuple(limits[n] for n in changes))


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
