"""A session with round figures, to change."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from rad_lsp.core.money import NOTHING, Money
from rad_lsp.core.price import Price, Rates
from rad_lsp.core.session import Session, Usage
from rad_lsp.core.spending import Spending
from rad_lsp.core.tokens import NO_TOKENS

SECOND = 1_000_000_000

_SESSION = Session(
    id="s",
    source="radium",
    path="/w/.radium/_internals/sessions/s.json",
    start_time=datetime(2025, 12, 7, 9, tzinfo=UTC),
    end_time=datetime(2025, 12, 7, 10, tzinfo=UTC),
    generated_at=datetime(2025, 12, 9, tzinfo=UTC),
    wall_time=3600 * SECOND,
    agent_active_time=1000 * SECOND,
    api_time=400 * SECOND,
    tool_time=600 * SECOND,
    tool_calls=10,
    successful_tool_calls=8,
    failed_tool_calls=2,
    approvals_allowed=0,
    approvals_denied=0,
    approvals_asked=0,
    lines_added=50,
    lines_removed=20,
    files_changed=None,
    models=(Usage("a", 3, 700, 70, 100, Money(0.75)), Usage("b", 1, 300, 30, 50, Money(0.25))),
    engines=(Usage("e", 4, 1000, 100, 150, Money(1.0)),),
    cached_tokens=150,
    cache_creation_tokens=40,
    cache_read_tokens=110,
    money=Money(1.0),
)


@pytest.fixture(scope="session")
def session():
    """The session with some fields replaced; `cost` is money of which nothing is missing."""

    def made(**changes):
        if "cost" in changes:
            changes["money"] = Money(changes.pop("cost"))
        return msgspec.structs.replace(_SESSION, **changes)

    return made


class PriceList:
    """Model `a` costs more above 1,000 input tokens, `b` changes on a day, `free` costs nothing."""

    A = Price(
        "a", "seller", "list 1", (Rates(10, 1, 20, 40, 100), Rates(20, 2, 40, 80, 200)), (1000,),
        search_fee=0.01,
    )  # fmt: skip
    EARLY = Price("b", "seller", "list 1", (Rates(1, 1, 1, 1, 2),))
    LATE = Price("b", "seller", "list 1", (Rates(2, 2, 2, 2, 4),), fee=0.5)
    FREE = Price("free", "home", "local", (Rates(0, 0, 0, 0, 0),))

    def price(self, model, engine, slot, tier):  # noqa: ARG002  (as the protocol has them)
        known = {"a": self.A, "b": self.LATE if slot >= 100 else self.EARLY, "free": self.FREE}
        return known.get(model)


@pytest.fixture(scope="session")
def price_list():
    """A price list, with its prices."""
    return PriceList()


@pytest.fixture(scope="session")
def spending():
    """A row of spending with some fields replaced; without a `cost` in USD it has no price."""
    row = Spending(50, "a", "e", "", 0, False, 1, NO_TOKENS, NOTHING)  # noqa: FBT003

    def made(*, cost=0.0, requests=1, **changes):
        money = Money(cost, 0, requests if cost is None else 0)
        return msgspec.structs.replace(row, **{"money": money, "requests": requests, **changes})

    return made
