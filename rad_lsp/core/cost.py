"""What a cost is made of: tokens of each class, their rate, and what the cache saved.

Where a session's requests are known, each was priced by itself. A report that only holds sums is
an estimate: its totals of cached tokens are shared out by its models' cached tokens, and a rate
that depends on the size of a request can't be applied.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import msgspec

from rad_lsp.core import figures, money, naming
from rad_lsp.core.money import Money, total_usd
from rad_lsp.core.price import LOCAL, MILLION, Price
from rad_lsp.core.spending import SLOT_SECONDS, Spending
from rad_lsp.core.tokens import NO_TOKENS, of_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rad_lsp.core.naming import Naming
    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import PriceList

TokenClass: TypeAlias = Literal["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
TOKEN_CLASSES: Final[tuple[TokenClass, ...]] = get_args(TokenClass)
"""What tokens are billed as; `input` are fresh ones."""

_ROUNDING: Final = 1e-9
"""USD that a sum may differ by, because amounts are no decimal numbers."""


class Charge(msgspec.Struct, frozen=True):
    """Tokens of one class at their rate: USD per million; `cost` is USD. None without a price."""

    token_class: TokenClass
    tokens: int
    rate: float | None
    cost: float | None


class CostRow(msgspec.Struct, frozen=True):
    """Requests to one model that are billed by one rule.

    `threshold` is the number of input tokens that each of them exceeds and that makes the rates
    others; 0 for none. `money` is what counts, `computed` what `charges`, the requests' fee and
    `search_cost` come to in USD, None without a price. `search_cost` is USD for `searches` of the
    web, None where their price is not known. `reported` tells that the amount is the provider's
    or the report's own. `spellings` are those of the requests, empty where all have that of
    `model`.
    """

    model: str
    tier: str
    threshold: int
    requests: int
    charges: tuple[Charge, ...]
    price: Price | None
    money: Money
    computed: float | None
    reported: bool
    searches: int = 0
    search_cost: float | None = 0.0
    spellings: tuple[str, ...] = ()

    @property
    def cost(self) -> float | None:
        """USD that count, None without a price."""
        return self.money.usd

    @property
    def cost_is_lower_bound(self) -> bool:
        """Whether the requests may have cost more."""
        return self.money.is_lower_bound


class CostTable(msgspec.Struct, frozen=True):
    """The costs of `sessions` sessions, dearest row first.

    `money` is what counts, `computed` what the price list makes of it, `reported` that part of
    the cost which providers and reports say themselves: USD, None where nothing is known of it.
    `unpriced` requests have no known price. `estimated` tells that some rows come from sums.
    """

    sessions: int
    rows: tuple[CostRow, ...]
    money: Money
    computed: float | None
    reported: float | None
    unpriced: int
    estimated: bool

    @property
    def cost(self) -> float | None:
        """USD that count, None where no price is known."""
        return self.money.usd

    @property
    def unexplained(self) -> float:
        """USD that are in no row: a report's total need not be the sum of its models."""
        return (self.cost or 0) - (total_usd(row.cost for row in self.rows) or 0)


class Savings(msgspec.Struct, frozen=True):
    """What the cache saved in USD, negative when it cost more; None when no price is known.

    `left_out` are the models with cached tokens but without a known price.
    """

    usd: float | None
    left_out: tuple[str, ...] = ()


UNKNOWN: Final = Savings(None)
"""Savings where no price is known."""


def table(sessions: Iterable[Session], price_list: PriceList) -> CostTable:
    """The costs of all `sessions`, by model, however it is spelled, and rule."""
    count = 0
    estimated = False
    known: list[Money] = []
    reported: list[float | None] = []
    groups: _Groups = {}
    name = naming.by(price_list)
    for session in sessions:
        count += 1
        known.append(session.money)
        for row in rows_of(session):
            _add(groups, row, price_list, name)
            if session.spending and row.reported:
                reported.append(row.cost)
        if not session.spending and (session.models or session.cost):
            reported.append(session.cost)
            estimated |= bool(session.models)
    rows = _sorted(groups)
    total = money.total(known)
    return CostTable(
        sessions=count,
        rows=rows,
        money=total,
        computed=total_usd(row.computed for row in rows) if rows or not total.usd else None,
        reported=total_usd(reported) if reported else None,
        unpriced=sum(row.requests for row in rows if row.computed is None),
        estimated=estimated,
    )


def rows(session: Session, price_list: PriceList, model: str | None = None) -> tuple[CostRow, ...]:
    """The rows of one session's table: all, or those of one model, by their recorded names."""
    groups: _Groups = {}
    for row in rows_of(session, model):
        _add(groups, row, price_list)
    return _sorted(groups)


def savings(session: Session, price_list: PriceList) -> Savings:
    """What the cache saved in a session: see `savings_of`."""
    return savings_of(rows_of(session), price_list)


def savings_of(rows: Iterable[Spending], price_list: PriceList) -> Savings:
    """What tokens read from the cache saved, less what writing them to it cost in addition.

    Read tokens by the difference of the input and the read rate, written ones by that of the
    write and the input rate (session format, "Derived figures").
    """
    amounts: list[float] = []
    left_out: dict[str, None] = {}
    for row in rows:
        tokens = row.tokens
        if not (tokens.cache_read or tokens.cache_write):
            continue
        price = _price(row, price_list)
        if price is None:
            left_out[row.model] = None
            continue
        rates = price.rates_above(row.threshold)
        amounts.append(
            (
                tokens.cache_read * (rates.input - rates.cache_read)
                - tokens.cache_write_5m * (rates.cache_write_5m - rates.input)
                - tokens.cache_write_1h * (rates.cache_write_1h - rates.input)
            )
            / MILLION
        )
    return Savings(math.fsum(amounts) if amounts else None, tuple(left_out))


def rows_of(session: Session, model: str | None = None) -> Sequence[Spending]:
    """The session's requests as they were billed; of a report that holds sums, a row per model.

    Those of one model when it is named.
    """
    if session.spending or not session.models:
        return [row for row in session.spending if model in {None, row.model}]
    slot = int(figures.last_activity(session).timestamp()) // SLOT_SECONDS
    engine = session.engines[0].name if len(session.engines) == 1 else ""
    weights = [usage.cached_tokens or 0 for usage in session.models]
    if not any(weights):
        weights = [usage.input_tokens for usage in session.models]
    read = _shared(figures.cache_read_tokens(session), weights)
    written = _shared(session.cache_creation_tokens, weights)
    rows = []
    for number, usage in enumerate(session.models):
        if model not in {None, usage.name}:
            continue
        # Figures of a report may contradict each other: no part is more than the whole.
        from_cache = min(read[number], usage.input_tokens)
        to_cache = min(written[number], usage.input_tokens - from_cache)
        tokens = of_input(usage.input_tokens, from_cache, to_cache, 0, usage.output_tokens)
        rows.append(
            Spending(
                slot, usage.name, engine, "", 0,
                reported=True, requests=usage.requests, tokens=tokens, money=usage.money,
            )
        )  # fmt: skip
    return rows


def rest_of(session: Session, rows: Iterable[Spending]) -> float:
    """What a session cost in addition to its rows: a report's total need not be their sum."""
    rest = (session.cost or 0.0) - sum([row.cost or 0.0 for row in rows])
    return rest if abs(rest) > _ROUNDING else 0.0


def _price(row: Spending, price_list: PriceList) -> Price | None:
    if row.reported and row.cost is None:
        return None
    return price_list.price(row.model, row.engine, row.slot, row.tier)


class _Group:
    """Requests billed by one rule, added up: memory does not grow with the sessions."""

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = NO_TOKENS
        self.searches = 0
        self.spellings: set[str] = set()
        self._money: list[Money] = []

    @property
    def money(self) -> Money:
        return money.total(self._money)

    def add(self, row: Spending) -> None:
        self.spellings.add(row.model)
        self._count(row)

    def join(self, other: _Group) -> None:
        self.spellings |= other.spellings
        self._count(other)

    def _count(self, part: Spending | _Group) -> None:
        self.requests += part.requests
        self.tokens += part.tokens
        self.searches += part.searches
        self._money.append(part.money)
        if len(self._money) == _FOLD:
            self._money = [self.money]


_FOLD: Final = 1000
"""Amounts kept before they are added up."""


class _Rule(msgspec.Struct, frozen=True):
    """What requests have in common that are billed alike.

    By whom a model was served matters only where it makes the price another.
    """

    model: str
    tier: str
    threshold: int
    reported: bool
    price: Price | None


_Groups: TypeAlias = dict[_Rule, _Group]


def _add(
    groups: _Groups, row: Spending, price_list: PriceList, name: Naming = naming.as_recorded
) -> None:
    price = _price(row, price_list)
    rule = _Rule(name(row.model), row.tier, row.threshold, row.reported, price)
    group = groups.get(rule)
    if group is None:
        group = groups[rule] = _Group()
    group.add(row)


def _sorted(groups: _Groups) -> tuple[CostRow, ...]:
    """Dearest first."""
    spellings: dict[str, set[str]] = {}
    for rule, group in groups.items():
        spellings.setdefault(rule.model, set()).update(group.spellings)
    found = [_named(_row(*item), spellings[item[0].model]) for item in _joined(groups).items()]
    found.sort(key=lambda row: (-(row.cost or 0), row.model, row.tier, row.threshold))
    return tuple(found)


def _named(row: CostRow, spellings: set[str]) -> CostRow:
    """The row of a model that has these spellings in all rows, by the name that is shown."""
    model = naming.shown(row.model, spellings)
    own = () if row.spellings == (model,) else row.spellings
    return msgspec.structs.replace(row, model=model, spellings=own)


def _joined(groups: _Groups) -> _Groups:
    """Rules of several sellers that come to the same as one: that of the first by name."""
    joined: _Groups = {}
    for rule, group in sorted(groups.items(), key=lambda item: _seller(item[0])):
        same = next((other for other in joined if _comes_to_the_same(other, rule, group)), None)
        if same is None:
            joined[rule] = group
        else:
            joined[same].join(group)
    return joined


def _comes_to_the_same(other: _Rule, rule: _Rule, group: _Group) -> bool:
    """Whether requests cost the same by another seller's price as by their own seller's."""
    if not (rule.price and other.price) or _seller(rule) == _seller(other):
        return False
    if msgspec.structs.replace(rule, price=other.price) != other:
        return False
    return _row(other, group).computed == _row(rule, group).computed


def _seller(rule: _Rule) -> tuple[str, str]:
    return (rule.price.provider, rule.price.model) if rule.price else ("", "")


def _row(rule: _Rule, group: _Group) -> CostRow:
    price = rule.price
    rates = price.rates_above(rule.threshold) if price else None
    charges = tuple(
        _charge(name, amount, getattr(rates, name, None))
        for name, amount in zip(TOKEN_CLASSES, msgspec.structs.astuple(group.tokens), strict=True)
        if amount
    )
    search_cost = _search_cost(price, group.searches)
    computed = None
    if price is not None:
        fee = price.fee * group.requests
        computed = total_usd([fee, search_cost, *(charge.cost for charge in charges)])
    return CostRow(
        model=rule.model,
        tier=rule.tier,
        threshold=rule.threshold,
        requests=group.requests,
        charges=charges,
        price=price,
        money=group.money,
        computed=computed,
        reported=rule.reported,
        searches=group.searches,
        search_cost=search_cost,
        spellings=tuple(sorted(group.spellings)),
    )


def _search_cost(price: Price | None, searches: int) -> float | None:
    """USD for searches of the web; a price without a fee for them does not make them free."""
    if not searches:
        return 0.0
    if price is None or not (price.search_fee or price.origin == LOCAL):
        return None
    return searches * price.search_fee


def _charge(name: TokenClass, tokens: int, rate: float | None) -> Charge:
    return Charge(name, tokens, rate, None if rate is None else tokens * rate / MILLION)


def _shared(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of a whole number by weight, which add up to it; zeros where all weights are 0."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = []
    rest, left = total, whole
    for weight in weights:
        share = rest * weight // left if left else 0
        shares.append(share)
        rest -= share
        left -= weight
    return shares
