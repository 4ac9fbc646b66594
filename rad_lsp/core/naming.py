"""Which names mean one model: `anthropic/claude-4.6-opus-20260205` is `claude-opus-4-6`.

Agents, gateways and clouds each spell a model in a way of their own. A row of a table stands for
a model, so the spellings are told to be one by the price list, which knows most of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from rad_lsp.core.price import LOCAL, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection

    from rad_lsp.core.price import Price
    from rad_lsp.core.spending import PriceList

Naming: TypeAlias = Callable[[str], str]
"""The name of a model by its spelling; all spellings of a model have one."""

_SELLER: Final = re.compile(r".*/|(?:[a-z-]+\.)+(?=[a-z])")
"""What stands before the model: `openrouter/anthropic/`, `us.anthropic.`."""

_CONTEXT: Final = re.compile(r"\[[^\]]*\]$")
_VARIANT: Final = re.compile(r"(?:[-@](?:\d{8}|\d{4}-\d\d-\d\d)|-latest|-00\d|-v1(?::\d+)?|@\w+)+$")
"""What stands behind it: a date, or another form of one model's version."""


def as_recorded(model: str) -> str:
    """The spelling itself: each is a model of its own."""
    return model


def by(price_list: PriceList) -> Naming:
    """Names by the price list: its id of a model, looked up once for each spelling.

    What the list doesn't know is named as recorded.
    """

    @cache
    def name(model: str) -> str:
        bare = _bare(model)
        # The id that a model has from its maker comes before that from a seller. It has the same
        # one at any time.
        found = (price_list.price(spelling, "", 0, "") for spelling in (bare, model))
        listed = [price for price in found if price and price.origin not in {LOCAL, SETTINGS}]
        if not listed:
            return model
        return next((price.model for price in listed if _is_same(bare, price)), bare)

    return name


def shown(name: str, spellings: Collection[str]) -> str:
    """What a row is called: by its model's name where that has several spellings."""
    return name if len(spellings) > 1 else next(iter(spellings))


def without_context(model: str) -> str:
    """A name without the size of the context, which is no part of it: `claude-opus-4-6[1m]`."""
    return _CONTEXT.sub("", model)


def _bare(model: str) -> str:
    """A spelling without seller, version and date."""
    model = without_context(model.lower())
    seller = _SELLER.match(model)
    return _VARIANT.sub("", model[seller.end() :] if seller else model)


def _is_same(bare: str, price: Price) -> bool:
    """Whether a price is that of the very model, and not one that it shares with others.

    The list has one price, and id, for `gpt-5` and `gpt-5-codex`.
    """
    words, numbers = _parts(bare)
    listed_words, listed_numbers = _parts(_bare(price.model))
    # `claude-sonnet-4` is `claude-sonnet-4-0`.
    return words == listed_words and numbers == listed_numbers[: len(numbers)]


def _parts(bare: str) -> tuple[set[str], list[str]]:
    """Words, in any order, and numbers in theirs: `claude-4.6-opus` is `claude-opus-4-6`."""
    return set(re.findall(r"[a-z]+", bare)), re.findall(r"\d+", bare)
