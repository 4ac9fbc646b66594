"""A model's price on a day, and why: the user's own prices, then the library genai-prices.

The library's data lie within it, so that nothing is fetched. It is imported when the first model
must be looked up, because that takes 0.2 s. What it lacks or has wrong is in `corrections.toml`,
beside this module.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp import __version__
from rad_lsp.core.naming import without_context
from rad_lsp.core.price import LOCAL, SEARCH_FEE, SETTINGS, Price, Rates
from rad_lsp.core.spending import SLOT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from genai_prices.types import ConditionalPrice, ModelInfo, PriceVariant, Provider

    from rad_lsp.core.corrections import Correction, Corrections, PriceListAge, Schedule
    from rad_lsp.core.price import Override


_LOCAL_ENGINES: Final = frozenset(
    {
        "gpt4all",
        "jan",
        "koboldcpp",
        "llama-cpp",
        "llama.cpp",
        "llamacpp",
        "llamafile",
        "lm-studio",
        "lmstudio",
        "local",
        "localai",
        "mlx",
        "ollama",
        "vllm",
    }
)
"""Engines, and prefixes of model names, that run models on the user's own machine."""

_PROVIDERS: Final = {
    "claude": "anthropic",
    "codex": "openai",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gen_ai": "google",
    "x_ai": "x-ai",
    "z-ai": "zai",
}
"""The price list's providers by names that it does not know but reports and OpenTelemetry use."""

_SURE: Final = ((r"(?:[a-z]{2,6}\.)?anthropic\.claude", "aws"), (r"claude.*@\d", "google"))
"""Forms of a model's name that only one provider has: more certain than the engine, which may
be the agent's."""

_LIKELY: Final = ((r"glm-", "zai"), (r"[^/]+/[^/]+$", "openrouter"))
"""Forms of a model's name that tell who sells it where the engine does not."""

_TIERS: Final[dict[str, dict[str, str]]] = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
"""What the price list calls the service tiers that cost more or less than the standard one."""

_CORRECTIONS: Final = Path(__file__).with_name("corrections.toml")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER: Final = 2**62
_SLOTS_OF_A_DAY: Final = 24 * 3600 // SLOT_SECONDS


class Prices:
    """Prices by model, looked up once per model, day and tier. `overrides` beat the library's."""

    def __init__(self, overrides: Mapping[str, Override] | None = None) -> None:
        self._overrides = {
            name.lower(): Price(name, "", SETTINGS, (override.rates,), search_fee=SEARCH_FEE)
            for name, override in (overrides or {}).items()
        }
        self._found: dict[tuple[str, str, str], _Offer | Price | None] = {}

    @property
    def key(self) -> str:
        """What changes when a price may be another one than before.

        That is with another price list, other corrections, or another version of this program.
        None of them is read.
        """
        from importlib.util import find_spec

        spec = find_spec("genai_prices")
        if spec is None or spec.origin is None:
            return ""
        files = (Path(spec.origin).with_name("data.py").stat(), _CORRECTIONS.stat())
        stamps = (f"{status.st_size} {status.st_mtime_ns}" for status in files)
        return f"{__version__} {' '.join(stamps)}"

    def price(self, model: str, engine: str, slot: int, tier: str = "") -> Price | None:
        """The price of a model in a slot since the epoch; None when none is known.

        A model that runs on the user's own machine costs nothing. Of several service tiers,
        joined by "+", each changes what those before it have made of the standard price. One
        without a price is billed as the standard one; `Price.tier` tells which were found.
        """
        found = self._offer(model, engine, tier)
        return found.at(slot) if isinstance(found, _Offer) else found

    def span(self, model: str, engine: str, tier: str = "") -> int:
        """For how many slots since the epoch, at a time, a model has one price."""
        found = self._offer(model, engine, tier)
        return found.slots if isinstance(found, _Offer) else _FOREVER

    def _offer(self, model: str, engine: str, tier: str) -> _Offer | Price | None:
        key = (model, engine, tier)
        if key not in self._found:
            own = self._overrides.get(model.lower())
            self._found[key] = own or _look_up(model, engine, tier)
        return self._found[key]


class _Offer:
    """An entry of the price list in some service tiers, with what corrects it."""

    def __init__(self, seller: Provider, info: ModelInfo, tier: str) -> None:
        from genai_prices.types import TimeOfDateConstraint

        all_corrections, version = _corrections(), _version()
        self._provider = seller.id
        self._info = info
        self._tiers = tier.split("+") if tier else []
        self._listed: list[ConditionalPrice] = info.prices if isinstance(info.prices, list) else []
        # As the library does: what another provider's entry says of tiers is not this seller's.
        own = any(model is info for model in seller.models)
        self._variants: dict[str, list[PriceVariant]] = {
            name: [
                variant
                for variant in (info.price_variants if own else None) or ()
                if variant.when.items() <= _TIERS.get(name, {}).items()
            ]
            for name in self._tiers
        }
        self._corrections = [
            correction
            for correction in all_corrections.correction
            if correction.concerns(seller.id, info.id, version)
            and (not correction.tiers or not set(correction.tiers).isdisjoint(self._tiers))
        ]
        self._prices: dict[int, Price | None] = {}
        self._origin = f"genai-prices {version}"
        self._corrected_origin = f"corrections {all_corrections.checked}"
        parts: list[ConditionalPrice | PriceVariant] = [*self._listed]
        parts += (variant for variants in self._variants.values() for variant in variants)
        conditions = [part.constraint for part in parts if part.constraint is not None]
        by_hour = any(isinstance(condition, TimeOfDateConstraint) for condition in conditions)
        by_day = conditions or any(one.begin or one.end for one in self._corrections)
        # For how long a price holds that was looked up.
        self.slots = 1 if by_hour else _SLOTS_OF_A_DAY if by_day else _FOREVER

    def at(self, slot: int) -> Price | None:
        """The price in a slot since the epoch; None of what isn't sold by tokens."""
        key = slot // self.slots
        if key not in self._prices:
            self._prices[key] = self._look_up(slot)
        return self._prices[key]

    def _look_up(self, slot: int) -> Price | None:
        when = _EPOCH + timedelta(seconds=slot * SLOT_SECONDS)
        corrections = [one for one in self._corrections if one.holds(when.date())]
        applied = [one for one in corrections if not one.tiers]
        schedule = self._schedule(when)
        for correction in applied:
            schedule = self._corrected(schedule, correction)
        if schedule is None:
            return None
        # Of the listed prices the last active one holds.
        listed = next((part for part in reversed(self._listed) if _active(part, when)), None)
        holding: list[ConditionalPrice | PriceVariant] = [] if listed is None else [listed]
        found = []
        for tier in self._tiers:
            rule = next((one for one in corrections if tier in one.tiers), None)
            changed = (
                self._in_tier(schedule, tier, when)
                if rule is None
                else self._corrected(schedule, rule, tier)
            )
            if changed is None:
                continue
            schedule = changed
            found.append(tier)
            if rule is None:
                holding += self._active_variants(tier, when)
            else:
                applied.append(rule)
        # A price holds from a day on, where the list or a correction has one.
        since = [getattr(part.constraint, "start_date", None) for part in holding]
        since += [one.begin for one in applied]
        standard = self._info.get_prices(when).__dict__
        return Price(
            model=self._info.id,
            provider=self._provider,
            origin=self._corrected_origin if applied else self._origin,
            rates=schedule.rates,
            thresholds=schedule.thresholds,
            tier="+".join(found),
            since=max((day for day in since if day), default=None),
            fee=_rate(standard, "requests_kcount", 0) / 1000,
            search_fee=_rate(standard, "web_searches_kcount", 0) / 1000,
            rules=tuple(one.rule for one in applied),
        )

    def _schedule(self, when: datetime, tier: str = "") -> Schedule | None:
        """The listed rates, of the standard tier or another; None of what isn't sold by tokens."""
        from rad_lsp.core.corrections import Schedule

        listed = self._info.get_prices(when, _TIERS.get(tier)).__dict__
        if listed.get("input_mtok") is None and listed.get("output_mtok") is None:
            return None
        limits = sorted({t.start for rate in listed.values() for t in getattr(rate, "tiers", ())})
        rates = tuple(_rates(listed, tokens) for tokens in (0, *(at + 1 for at in limits)))
        return Schedule(rates, tuple(limits))

    def _active_variants(self, tier: str, when: datetime) -> list[PriceVariant]:
        return [variant for variant in self._variants[tier] if _active(variant, when)]

    def _in_tier(self, schedule: Schedule, tier: str, when: datetime) -> Schedule | None:
        """A schedule changed as the list changes the standard one; None where it has no price."""
        from rad_lsp.core.corrections import in_proportion

        if not self._active_variants(tier, when):
            return None
        special, standard = self._schedule(when, tier), self._schedule(when)
        if special is None or standard is None:
            return None
        return in_proportion(schedule, special, standard)

    def _corrected(
        self, schedule: Schedule | None, correction: Correction, tier: str = ""
    ) -> Schedule | None:
        """A schedule with a correction; None where it needs a price that the list lacks."""
        from rad_lsp.core.corrections import Schedule, above, multiplied

        if correction.rates is not None:
            rates = correction.rates.rates
            if schedule is None or not correction.above:
                return Schedule((rates,))
            return above(schedule, correction.above, rates)
        if schedule is None or correction.factor is None:
            return schedule
        if isinstance(correction.factor, float):
            return multiplied(schedule, correction.factor)
        later = datetime.combine(correction.end or date.max, time(), UTC)
        return self._in_tier(schedule, tier, later)


def price_list_age() -> PriceListAge:
    """How old the prices are. The price list itself is not loaded."""
    from rad_lsp.core.corrections import PriceListAge

    corrections = _corrections()
    return PriceListAge(_version(), corrections.released.get(_version()), corrections.checked)


def _active(part: ConditionalPrice | PriceVariant, when: datetime) -> bool:
    return part.constraint is None or part.constraint.active(when)


@cache
def _corrections() -> Corrections:
    import tomllib

    from rad_lsp.core.corrections import Corrections

    return msgspec.convert(tomllib.loads(_CORRECTIONS.read_text(encoding="utf-8")), Corrections)


@cache
def _version() -> str:
    """The installed version of the price list."""
    from importlib.metadata import version

    return version("genai-prices")


def _look_up(model: str, engine: str, tier: str) -> _Offer | Price | None:
    name, engine = without_context(model.lower()), engine.lower()
    prefix, _, rest = name.partition("/")
    if engine in _LOCAL_ENGINES or (rest and prefix in _LOCAL_ENGINES):
        return Price(model, engine or prefix, LOCAL, (Rates(0, 0, 0, 0, 0),))
    from genai_prices.data_snapshot import get_snapshot

    listed = get_snapshot()
    for provider, reference in _references(name, engine):
        try:
            seller, info = listed.find_provider_model(reference, None, provider, None)
        except LookupError:
            continue
        if info.prices:
            return _Offer(seller, info, tier)
    return None


def _references(name: str, engine: str) -> Iterator[tuple[str | None, str]]:
    """Providers to ask for a model in turn, and by what name; None leaves it to the library."""
    yield from ((provider, name) for form, provider in _SURE if re.match(form, name))
    if engine:
        yield _PROVIDERS.get(engine, engine), name
    yield from ((provider, name) for form, provider in _LIKELY if re.match(form, name))
    prefix, _, rest = name.partition("/")
    if rest:
        yield _PROVIDERS.get(prefix, prefix), rest
    yield None, name
    if turned := re.match(r"claude-(\d+(?:[.-]\d)?)-([a-z]+)", name):
        yield "anthropic", f"claude-{turned[2]}-{turned[1]}"


def _rates(listed: dict[str, Any], input_tokens: int) -> Rates:
    """The rates of a request with so many input tokens in all.

    A class without a rate is billed as the one that it is part of.
    """

    def rate(key: str, otherwise: float) -> float:
        return _rate(listed, key, otherwise, input_tokens)

    fresh = rate("input_mtok", 0)
    written = rate("cache_write_mtok", fresh)
    return Rates(
        input=fresh,
        cache_read=rate("cache_read_mtok", fresh),
        cache_write_5m=rate("cache_write_5m_mtok", written),
        cache_write_1h=rate("cache_write_1h_mtok", written),
        output=rate("output_mtok", 0),
    )


def _rate(listed: dict[str, Any], key: str, otherwise: float, input_tokens: int = 0) -> float:
    value = listed.get(key)
    if value is None:
        return otherwise
    tiers = getattr(value, "tiers", None)
    if tiers is None:
        return float(value)
    return float(next((t.price for t in reversed(tiers) if input_tokens > t.start), value.base))
