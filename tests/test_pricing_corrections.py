"""What the price list lacks or has wrong: each correction by a value that was computed by hand."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from genai_prices import Usage, data_snapshot

from rad_lsp.core import spending
from rad_lsp.core.corrections import Corrections
from rad_lsp.core.price import Override
from rad_lsp.core.spending import SLOT_SECONDS, Request
from rad_lsp.core.tokens import of_input
from rad_lsp.pricing import Prices, price_list_age

PRICES = Prices()

# Model, engine, moment, tier; input, cache read and output tokens; USD.
EXAMPLES = {
    "fast mode of Opus 4.6 and 4.7": [
        # $30 and $150; of more than 200,000 tokens before 2026-03-13 $60 and $225.
        ("claude-opus-4-6", "claude", "2026-03-10T08:00", "fast", 100_000, 0, 10_000, 4.50),
        ("claude-opus-4-6", "claude", "2026-03-10T08:00", "fast", 300_000, 0, 10_000, 20.25),
        ("claude-opus-4-6", "claude", "2026-04-10T08:00", "fast", 300_000, 0, 10_000, 10.50),
        ("claude-opus-4-7", "claude", "2026-06-01T08:00", "fast", 100_000, 90_000, 10_000, 2.07),
    ],
    "inference in the US": [
        ("claude-opus-4-8", "claude", "2026-09-03T08:00", "us", 100_000, 0, 10_000, 0.8250),
        ("claude-sonnet-4-6", "claude", "2026-09-03T08:00", "us", 100_000, 0, 10_000, 0.4950),
        ("claude-fable-5-2", "claude", "2026-11-20T08:00", "us", 100_000, 50_000, 10_000, 0.8910),
    ],
    "long context of Sonnet 4": [
        # $6 and $22.50 above 200,000 tokens.
        (
            "claude-sonnet-4-20250514",
            "claude",
            "2025-09-01T08:00",
            "",
            200_001,
            0,
            10_000,
            1.425006,
        ),
        ("claude-sonnet-4-0", "claude", "2025-09-01T08:00", "", 300_000, 200_000, 0, 0.72),
    ],
    "batch at half the price": [
        ("claude-opus-4-6", "", "2026-10-13T12:00", "batch", 1_000_000, 0, 0, 2.50),
        ("claude-opus-4-1", "", "2026-05-01T12:00", "batch", 100_000, 0, 10_000, 1.125),
    ],
    "batch as listed later": [
        ("gpt-5", "codex", "2026-05-01T12:00", "batch", 1_000_000, 400_000, 100_000, 0.90),
    ],
    "service tiers as listed later": [
        # 2 x standard: $2 and $12, before 2026-07-30 $2.50 and $15.
        ("gpt-5.6-terra", "openai", "2026-09-18T10:01", "priority", 100_000, 0, 1_000, 0.4240),
        ("gpt-5.6-terra", "openai", "2026-07-29T10:01", "priority", 100_000, 0, 1_000, 0.53),
        ("gpt-5.6-terra", "openai", "2026-09-18T10:01", "priority", 300_000, 0, 1_000, 2.436),
        # 2.5 x standard; there is no other price for long requests.
        ("gpt-5.5", "openai", "2026-06-01T12:00", "fast", 100_000, 0, 1_000, 1.325),
        ("gpt-5.4", "openai", "2026-06-01T12:00", "priority", 300_000, 0, 1_000, 1.53),
        ("gpt-4.1", "openai", "2026-01-01T12:00", "priority", 100_000, 0, 10_000, 0.49),
        ("gpt-5-mini", "openai", "2026-01-01T12:00", "flex", 1_000_000, 0, 0, 0.125),
    ],
    "GPT-4.1 until it was retired": [
        ("gpt-4.1", "copilot", "2026-06-09T12:00", "", 100_000, 40_000, 10_000, 0.22),
    ],
    "GPT-4.1 as a utility model": [
        ("gpt-4.1", "copilot", "2026-06-10T12:00", "", 100_000, 0, 10_000, 0.0),
    ],
    "GPT-4o as a utility model": [
        ("gpt-4o", "copilot", "2026-06-10T12:00", "", 100_000, 0, 10_000, 0.0),
        ("gpt-4o-mini", "copilot", "2026-06-10T12:00", "", 100_000, 0, 10_000, 0.0),
    ],
}
CASES = [(rule, *example) for rule, examples in EXAMPLES.items() for example in examples]


@pytest.fixture(scope="module")
def corrections(request):
    """The file of corrections."""
    file = request.config.rootpath / "rad_lsp" / "corrections.toml"
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Corrections)


def moment_of(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def price(model, engine="claude", moment="2026-09-03T08:00", tier=""):
    slot = int(moment_of(moment).timestamp()) // SLOT_SECONDS
    found = PRICES.price(model, engine, slot, tier)
    assert found
    return found


def cost(model, engine, moment, tier, whole, read, output, searches=0):
    """USD for a request whose tokens of input include cached ones."""
    request = Request(
        time=int(moment_of(moment).timestamp()) * 1000,
        model=model,
        engine=engine,
        tier=tier,
        tokens=of_input(whole, read, 0, 0, output),
        searches=searches,
    )
    return spending.priced(request, PRICES).cost


def listed_cost(provider, model, moment, tier, whole, read, output):
    """USD by the price list alone, whatever it calls the tier; None without a price."""
    snapshot = data_snapshot.get_snapshot()
    _, info = snapshot.find_provider_model(model, None, provider, None)
    context = {}
    for variant in info.price_variants or ():
        if set(tier.split("+")) & set(variant.when.values()):
            context |= variant.when
    when = moment_of(moment)
    if not info.get_prices(when, context).__dict__:
        return None
    usage = Usage(input_tokens=whole, cache_read_tokens=read, output_tokens=output)
    return float(snapshot.calc(usage, model, provider, None, when, context).total_price)


def test_every_correction_has_an_example(corrections):
    assert sorted(one.rule for one in corrections.correction) == sorted(EXAMPLES)


@pytest.mark.parametrize(
    ("rule", "model", "engine", "moment", "tier", "whole", "read", "output", "usd"), CASES
)
def test_a_correction_says_what_the_price_list_does_not(
    corrections, rule, model, engine, moment, tier, whole, read, output, usd
):
    (correction,) = (one for one in corrections.correction if one.rule == rule)
    version = price_list_age().version
    found = price(model, engine, moment, tier)
    assert cost(model, engine, moment, tier, whole, read, output) == pytest.approx(usd)
    assert found.tier == tier
    needed = correction.concerns(found.provider, found.model, version)
    origin = f"corrections {corrections.checked}" if needed else f"genai-prices {version}"
    assert (found.rules, found.origin) == ((rule,) if needed else (), origin)
    listed = listed_cost(found.provider, model, moment, tier, whole, read, output)
    caught_up = f"genai-prices {version} has caught up: set superseded_by in corrections.toml"
    assert (listed != pytest.approx(usd)) is needed, caught_up


def test_a_correction_names_a_page_that_states_it(corrections):
    for one in corrections.correction:
        assert re.match(
            r"https://(platform\.claude|developers\.openai|docs\.github)\.com/", one.source
        )
        assert (one.rates is None) != (one.factor is None)
        assert one.factor != "as later" or (one.end and one.tiers)


@pytest.mark.parametrize(
    ("model", "moment", "tier", "rates"),
    [
        # What is written to and read from the cache is multiplied, too.
        ("claude-opus-4-7", "2026-06-01T00:00", "fast", (30, 3, 37.5, 60, 150)),
        ("claude-opus-4-8", "2026-09-03T00:00", "us", (5.5, 0.55, 6.875, 11, 27.5)),
        # The listed price of one tier, and the corrected one of the other.
        ("claude-opus-5", "2026-09-10T00:00", "fast+us", (11, 1.1, 13.75, 22, 55)),
        ("claude-opus-4-6", "2026-09-10T00:00", "fast+us", (33, 3.3, 41.25, 66, 165)),
        ("claude-opus-4-8", "2026-09-10T00:00", "batch+us", (2.75, 0.275, 3.4375, 5.5, 13.75)),
    ],
)
def test_tiers_change_the_price_one_after_the_other(model, moment, tier, rates):
    found = price(model, moment=moment, tier=tier)
    assert msgspec.structs.astuple(found.rates[0]) == pytest.approx(rates)
    assert found.tier == tier


def test_a_tier_without_a_price_leaves_the_others():
    found = price("claude-haiku-4-5", tier="fast+us")
    assert (found.tier, found.rates, found.rules) == ("", price("claude-haiku-4-5").rates, ())
    found = price("claude-sonnet-4-6", tier="fast+us")
    assert (found.tier, found.rates[0].input, found.rules) == ("us", 3.3, ("inference in the US",))


def test_a_corrected_standard_price_is_that_of_a_tier_as_well():
    found = price("claude-sonnet-4-0", moment="2025-09-01T00:00", tier="batch")
    assert [rates.input for rates in found.rates] == [1.5, 3]
    assert found.rules == ("long context of Sonnet 4", "batch at half the price")
    assert found.since == date(2025, 8, 12)


def test_a_correction_holds_on_its_days():
    for day, limits in (("2025-08-11", ()), ("2025-08-12", (200_000,))):
        assert price("claude-sonnet-4-0", moment=f"{day}T00:00").thresholds == limits
    for day, rules in (("2026-10-11", 1), ("2026-10-12", 0)):
        found = price("gpt-5.6-terra", "codex", f"{day}T12:00", "priority")
        assert (len(found.rules), found.rates[0].input, found.tier) == (rules, 4, "priority")


def test_another_sellers_price_is_not_corrected():
    found = price("us.anthropic.claude-opus-4-6-v1:0", tier="fast")
    assert (found.provider, found.tier, found.rules) == ("aws", "", ())


def test_searches_of_the_web_cost_what_the_price_list_says():
    arguments = ("claude-haiku-4-5-20251001", "claude", "2026-09-03T08:00", "", 10_000, 0, 1_000)
    assert cost(*arguments, searches=8) == pytest.approx(0.0150 + 0.0800)
    assert price("claude-opus-4-8", tier="fast+us").search_fee == 0.01


def test_searches_cost_the_same_with_a_price_of_the_users_own():
    own = Prices({"claude-haiku-4-5": Override(0, 0)}).price("claude-haiku-4-5", "claude", 0)
    assert own
    assert own.search_fee == price("claude-haiku-4-5").search_fee
    fees = {
        prices.__dict__.get("web_searches_kcount")
        for seller in data_snapshot.get_snapshot().providers
        if seller.id in {"anthropic", "openai"}
        for info in seller.models
        for prices in [info.get_prices(datetime.now(UTC))]
    }
    assert fees - {None} == {Decimal(1000) * Decimal(str(own.search_fee))}


@pytest.mark.parametrize(
    ("model", "engine", "moment", "tier", "whole", "read", "output", "usd"),
    [
        ("claude-opus-4-8", "claude", "2026-09-03T08:00", "", 100_000, 0, 10_000, 0.75),
        ("claude-opus-4-8", "claude", "2026-09-10T08:00", "fast", 100_000, 0, 10_000, 1.50),
        ("claude-opus-5", "claude", "2026-09-10T08:00", "fast", 100_000, 0, 10_000, 1.50),
        ("claude-opus-5", "claude", "2026-09-10T08:00", "", 100_000, 0, 10_000, 0.75),
        ("gpt-5.6-terra", "openai", "2026-09-18T10:00", "", 100_000, 0, 1_000, 0.2120),
        ("gpt-5.6-sol", "openai", "2026-11-20T10:00", "", 145_000, 100_000, 3_000, 0.28),
        ("gpt-5-mini", "copilot", "2026-08-11T09:00", "", 70_000, 10_000, 1_200, 0.01765),
    ],
)
def test_what_the_price_list_has_right_is_not_corrected(
    model, engine, moment, tier, whole, read, output, usd
):
    assert cost(model, engine, moment, tier, whole, read, output) == pytest.approx(usd)
    assert price(model, engine, moment, tier).rules == ()


def test_the_day_of_release_is_known_of_the_locked_version(request, corrections):
    lock = (request.config.rootpath / "requirements.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(r"^genai-prices==(\S+)", lock, re.MULTILINE)
    age = price_list_age()
    assert corrections.released[locked] <= corrections.checked
    assert age.corrected == corrections.checked
    assert age.released == corrections.released.get(age.version)
