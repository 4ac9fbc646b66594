"""A model's price on a day, and why: the user's own prices, then the library genai-prices.

The library's data lie within it, so that nothing is fetched; its version is the date of the
prices. It is imported when the first model must be looked up, because that takes 0.2 s.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rad_lsp.core.price import LOCAL, SETTINGS, Price, Rates
from rad_lsp.core.spending import SLOT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from genai_prices.types import ConditionalPrice, ModelInfo, PriceVariant, Provider

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

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER: Final = 2**62
_SLOTS_OF_A_DAY: Final = 24 * 3600 // SLOT_SECONDS


class Prices:
    """Prices by model, looked up once per model, day and tier. `overrides` beat the library's."""

    def __init__(self, overrides: Mapping[str, Override] | None = None) -> None:
        self._overrides = {
            name.lower(): Price(name, "", SETTINGS, (override.rates,))
            for name, override in (overrides or {}).items()
        }
        self._found: dict[tuple[str, str, str], _Offer | Price | None] = {}

    @property
    def key(self) -> str:
        """What changes when another price list is installed. The list itself is not loaded."""
        from importlib.util import find_spec

        spec = find_spec("genai_prices")
        if spec is None or spec.origin is None:
            return ""
        status = Path(spec.origin).with_name("data.py").stat()
        return f"{status.st_size} {status.st_mtime_ns}"

    def price(self, model: str, engine: str, slot: int, tier: str = "") -> Price | None:
        """The price of a model in a slot since the epoch; None when none is known.

        A model that runs on the user's own machine costs nothing. A service tier that the list
        has no price for is billed as the standard one; `Price.tier` tells which it was.
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
    """An entry of the price list, for one service tier."""

    def __init__(self, seller: Provider, info: ModelInfo, tier: str) -> None:
        from importlib.metadata import version

        from genai_prices.types import TimeOfDateConstraint

        self._provider = seller.id
        self._info = info
        self._tier = tier
        self._context = _TIERS.get(tier, {})
        # As the library does: what another provider's entry says of tiers is not this seller's.
        own = any(model is info for model in seller.models)
        self._variants = [
            variant
            for variant in info.price_variants or ()
            if own and variant.when.items() <= self._context.items()
        ]
        self._listed: list[ConditionalPrice] = info.prices if isinstance(info.prices, list) else []
        self._prices: dict[int, Price | None] = {}
        self._origin = f"genai-prices {version('genai-prices')}"
        parts: list[ConditionalPrice | PriceVariant] = [*self._listed, *self._variants]
        conditions = [part.constraint for part in parts if part.constraint is not None]
        by_hour = any(isinstance(condition, TimeOfDateConstraint) for condition in conditions)
        # For how long a price holds that was looked up.
        self.slots = 1 if by_hour else _SLOTS_OF_A_DAY if conditions else _FOREVER

    def at(self, slot: int) -> Price | None:
        """The price in a slot since the epoch; None of what isn't sold by tokens."""
        key = slot // self.slots
        if key not in self._prices:
            self._prices[key] = self._look_up(slot)
        return self._prices[key]

    def _look_up(self, slot: int) -> Price | None:
        when = _EPOCH + timedelta(seconds=slot * SLOT_SECONDS)
        variants = [variant for variant in self._variants if _active(variant, when)]
        # Of the listed prices the last active one holds.
        standard = next((part for part in reversed(self._listed) if _active(part, when)), None)
        holding = [part.constraint for part in (*variants, standard) if part is not None]
        listed = self._info.get_prices(when, self._context if variants else None).__dict__
        if listed.get("input_mtok") is None and listed.get("output_mtok") is None:
            return None
        limits = sorted({t.start for rate in listed.values() for t in getattr(rate, "tiers", ())})
        # A price holds from a day on, where the list has one.
        since = [getattr(constraint, "start_date", None) for constraint in holding]
        return Price(
            model=self._info.id,
            provider=self._provider,
            origin=self._origin,
            rates=tuple(_rates(listed, tokens) for tokens in (0, *(at + 1 for at in limits))),
            thresholds=tuple(limits),
            tier=self._tier if variants else "",
            since=max((day for day in since if day), default=None),
            fee=float(listed.get("requests_kcount") or 0) / 1000,
        )


def _active(part: ConditionalPrice | PriceVariant, when: datetime) -> bool:
    return part.constraint is None or part.constraint.active(when)


def _look_up(model: str, engine: str, tier: str) -> _Offer | Price | None:
    name, engine = model.lower(), engine.lower()
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


def _rates(listed: dict[str, Any], input_tokens: int) -> Rates:
    """The rates of a request with so many input tokens in all.

    A class without a rate is billed as the one that it is part of.
    """

    def rate(key: str, otherwise: float) -> float:
        value = listed.get(key)
        if value is None:
            return otherwise
        tiers = getattr(value, "tiers", None)
        if tiers is None:
            return float(value)
        return float(next((t.price for t in reversed(tiers) if input_tokens > t.start), value.base))

    fresh = rate("input_mtok", 0)
    written = rate("cache_write_mtok", fresh)
    return Rates(
        input=fresh,
        cache_read=rate("cache_read_mtok", fresh),
        cache_write_5m=rate("cache_write_5m_mtok", written),
        cache_write_1h=rate("cache_write_1h_mtok", written),
        output=rate("output_mtok", 0),
    )
