"""A model's price on a day, and why: the user's own prices, then the library genai-prices.

The library's data lie within it, so that nothing is fetched; its version is the date of the
prices. It is imported when the first model must be looked up, because that takes 0.2 s.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rad_lsp.core.price import LOCAL, Price, Rates
from rad_lsp.core.spending import QUARTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rad_lsp.core.price import Override

SETTINGS: Final = "settings"
"""The origin of a price that the user has set."""


def list_key() -> str:
    """What changes when another price list is installed. The list itself is not loaded."""
    from importlib.util import find_spec

    spec = find_spec("genai_prices")
    if spec is None or spec.origin is None:
        return ""
    status = Path(spec.origin).with_name("data.py").stat()
    return f"{status.st_size} {status.st_mtime_ns}"


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
    "gemini": "google",
    "copilot": "github-copilot",
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "bedrock": "aws",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "vertex_ai": "google",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "z-ai": "zai",
}
"""The price list's providers by the names that reports and OpenTelemetry have for them."""

_BY_NAME: Final = (
    (r"(?:[a-z]{2,6}\.)?anthropic\.claude", "aws"),
    (r"claude.*@\d", "google"),
    (r"glm-", "zai"),
    (r"[^/]+/[^/]+", "openrouter"),
)
"""Forms of a model's name that tell who sells it."""

_TIERS: Final[dict[str, dict[str, str]]] = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
"""What the price list calls the service tiers that cost more or less than the standard one."""

_QUARTERS_OF_A_DAY: Final = 24 * 3600 // QUARTER


class Prices:
    """Prices by model, looked up once per model, day and tier. `overrides` beat the library's."""

    def __init__(self, overrides: Mapping[str, Override] | None = None) -> None:
        self._overrides = {
            name.lower(): Price(name, "", SETTINGS, (override.rates,))
            for name, override in (overrides or {}).items()
        }
        self._found: dict[tuple[str, str, str], _Offer | Price | None] = {}
        self._resolved: dict[tuple[str, str, str, int], Price | None] = {}

    def price(self, model: str, engine: str, quarter: int, tier: str = "") -> Price | None:
        """The price of a model in a quarter of an hour since the epoch; None when none is known.

        A model that runs on the user's own machine costs nothing. A service tier that the list
        has no price for is billed as the standard one; `Price.tier` tells which it was.
        """
        key = (model, engine, tier, quarter // _QUARTERS_OF_A_DAY)
        try:
            return self._resolved[key]
        except KeyError:
            pass
        offer = self._offer(model, engine, tier)
        if not isinstance(offer, _Offer):
            self._resolved[key] = offer
            return offer
        price = offer.at(quarter)
        if not offer.changes_within_a_day:
            self._resolved[key] = price
        return price

    def _offer(self, model: str, engine: str, tier: str) -> _Offer | Price | None:
        key = (model, engine, tier)
        if key not in self._found:
            self._found[key] = self._overrides.get(model.lower()) or _look_up(model, engine, tier)
        return self._found[key]


class _Offer:
    """An entry of the price list, for one service tier."""

    def __init__(self, provider: str, info: Any, tier: str) -> None:
        from importlib.metadata import version

        from genai_prices.types import ConditionalPrice, TimeOfDateConstraint

        variants = info.price_variants or ()
        context = _TIERS.get(tier, {})
        self._has_tier = any(v.when.items() <= context.items() for v in variants)
        self._context = context if self._has_tier else None
        self._tier = tier if self._has_tier else ""
        self._provider = provider
        self._info = info
        self._origin = f"genai-prices {version('genai-prices')}"
        listed = info.prices if isinstance(info.prices, list) else []
        self._conditions = [c for c in listed if isinstance(c, ConditionalPrice)]
        self.changes_within_a_day = any(
            isinstance(c.constraint, TimeOfDateConstraint) for c in self._conditions
        )

    def at(self, quarter: int) -> Price | None:
        """The price in a quarter of an hour since the epoch; None of what isn't sold by tokens."""
        when = datetime.fromtimestamp(quarter * QUARTER, UTC)
        listed = self._info.get_prices(when, self._context).__dict__
        if listed.get("input_mtok") is None and listed.get("output_mtok") is None:
            return None
        limits = sorted({t.start for key in _KEYS for t in getattr(listed.get(key), "tiers", ())})
        return Price(
            model=self._info.id,
            provider=self._provider,
            origin=self._origin,
            rates=tuple(_rates(listed, tokens) for tokens in (0, *(at + 1 for at in limits))),
            brackets=tuple(limits),
            tier=self._tier,
            since=self._since(when),
            fee=float(listed.get("requests_kcount") or 0) / 1000,
        )

    def _since(self, when: datetime) -> date | None:
        """From when the price holds that is in force; the library takes the last active one."""
        for condition in reversed(self._conditions):
            if condition.constraint is None or condition.constraint.active(when):
                return getattr(condition.constraint, "start_date", None)
        return None


def _look_up(model: str, engine: str, tier: str) -> _Offer | Price | None:
    name, engine = model.lower(), engine.lower()
    prefix, _, rest = name.partition("/")
    if engine in _LOCAL_ENGINES or (rest and prefix in _LOCAL_ENGINES):
        return Price(model, engine or prefix, LOCAL, (Rates(0, 0, 0, 0, 0),))
    from genai_prices import data_snapshot

    listed = data_snapshot.get_snapshot()
    for provider, reference in _references(name, engine):
        try:
            seller, info = listed.find_provider_model(reference, None, provider, None)
        except LookupError:
            continue
        if info.prices:
            return _Offer(seller.id, info, tier)
    return None


def _references(name: str, engine: str) -> list[tuple[str | None, str]]:
    """Providers to ask for a model in turn, and by what name; None leaves it to the library."""
    by_name = next((p for form, p in _BY_NAME if re.match(form, name)), None)
    by_engine = _PROVIDERS.get(engine, engine) or None
    prefix, _, rest = name.partition("/")
    found: list[tuple[str | None, str]] = []
    # The form of a name says more than the engine, which may be the agent's.
    if by_name:
        found.append((by_name, name))
    if by_engine:
        found.append((by_engine, name))
    if rest:
        found.append((_PROVIDERS.get(prefix, prefix), rest))
    found.append((None, name))
    return found


_KEYS: Final = (
    "input_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "cache_write_5m_mtok",
    "cache_write_1h_mtok",
    "output_mtok",
)


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
