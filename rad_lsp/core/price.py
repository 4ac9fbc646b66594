"""What a model's tokens cost: rates, the request sizes they depend on, and the arithmetic.

Where the rates come from is not known here; see `rad_lsp.pricing`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from rad_lsp.core.tokens import Tokens

LOCAL: Final = "local"
"""The origin of the price of a model that runs on the user's own machine."""

SETTINGS: Final = "settings"
"""The origin of a price that the user has set."""

MILLION: Final = 1_000_000

SEARCH_FEE: Final = 0.01
"""USD for a search of the web where the user has set what tokens cost: as Anthropic and OpenAI
charge it for all of their models."""

Rate: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
"""USD per million tokens."""


class Rates(msgspec.Struct, frozen=True, gc=False):
    """USD per million tokens of each class. `input` is for fresh tokens."""

    input: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    output: float


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's own price, in USD per million tokens.

    A class without a rate is billed as the one that it is part of: tokens read from the cache
    and written to it as input, those written for an hour as those written for five minutes.
    """

    input: Rate
    output: Rate
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None

    @property
    def rates(self) -> Rates:
        """A rate for each class."""
        read = self.input if self.cache_read is None else self.cache_read
        short = self.input if self.cache_write_5m is None else self.cache_write_5m
        long = short if self.cache_write_1h is None else self.cache_write_1h
        return Rates(self.input, read, short, long, self.output)


class Price(msgspec.Struct, frozen=True):
    """A model's price on a day, and where it comes from.

    `rates[0]` holds for requests of up to `thresholds[0]` input tokens, cached ones included;
    `rates[1]`, for all tokens of a request, above that; and so on. `model` and `provider` are the
    price list's names, `tier` are the service tiers that were found, joined by "+", `since` is the
    day from which the price holds, where one is known. `fee` is USD for each request,
    `search_fee` USD for each search of the web that the model makes. `rules` are those by which
    the price list was corrected; the origin is then that of the corrections.
    """

    model: str
    provider: str
    origin: str
    rates: tuple[Rates, ...]
    thresholds: tuple[int, ...] = ()
    tier: str = ""
    since: date | None = None
    fee: float = 0.0
    search_fee: float = 0.0
    rules: tuple[str, ...] = ()

    def threshold(self, input_tokens: int) -> int:
        """The highest threshold that a request of so many input tokens exceeds; 0 for none."""
        if not self.thresholds or input_tokens <= self.thresholds[0]:
            return 0
        return max(limit for limit in self.thresholds if input_tokens > limit)

    def rates_above(self, threshold: int) -> Rates:
        """The rates of requests that exceed a threshold, one that `threshold` returned."""
        if not threshold or threshold not in self.thresholds:
            return self.rates[0]
        return self.rates[self.thresholds.index(threshold) + 1]


def cost(rates: Rates, tokens: Tokens) -> float:
    """USD for tokens."""
    return (
        tokens.fresh * rates.input
        + tokens.cache_read * rates.cache_read
        + tokens.cache_write_5m * rates.cache_write_5m
        + tokens.cache_write_1h * rates.cache_write_1h
        + tokens.output * rates.output
    ) / MILLION
