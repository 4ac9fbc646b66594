"""An amount of money, and how sure it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class Money(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What requests cost, in USD; None where no price of any of them is known.

    `lower_bound` requests cost at least what is counted: not all that they used was recorded.
    `unpriced` requests have no known price, and are left out of the amount.
    """

    usd: float | None = 0.0
    lower_bound: int = 0
    unpriced: int = 0

    @property
    def is_lower_bound(self) -> bool:
        """Whether the amount is known in part only: the true one may be higher."""
        return self.usd is not None and bool(self.lower_bound or self.unpriced)

    def __add__(self, other: Money) -> Money:
        return total((self, other))


NOTHING: Final = Money()


def total(parts: Iterable[Money]) -> Money:
    """The sum; its amount is None when there are parts and none of them is known."""
    listed = list(parts)
    return Money(
        total_usd([part.usd for part in listed]),
        sum([part.lower_bound for part in listed]),
        sum([part.unpriced for part in listed]),
    )


def total_usd(amounts: Iterable[float | None]) -> float | None:
    """The sum of the known amounts in USD, rounded once, so that their order does not matter.

    None when there are amounts and none of them is known.
    """
    listed = list(amounts)
    known = [amount for amount in listed if amount is not None]
    if listed and not known:
        return None
    try:
        return math.fsum(known)
    except OverflowError:
        return sum(known)
