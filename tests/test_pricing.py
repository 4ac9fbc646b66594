"""Prices by model, day, tier and size of a request: each rule by a value computed by hand."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from genai_prices import Usage, data_snapshot

from rad_lsp.core import spending
from rad_lsp.core.price import LOCAL, SETTINGS, Override, Rates
from rad_lsp.core.spending import SLOT_SECONDS, Request
from rad_lsp.core.tokens import of_input
from rad_lsp.pricing import Prices

PRICES = Prices()
CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


def slot(moment):
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) // SLOT_SECONDS


def cost(model, engine="", moment="2026-05-01T12:00", tier="", **tokens):
    """USD for one request, whose tokens of input include cached ones."""
    time = slot(moment) * SLOT_SECONDS * 1000
    counts = of_input(*(tokens.get(name, 0) for name in CLASSES))
    return spending.priced(
        Request(time=time, model=model, engine=engine, tier=tier, tokens=counts), PRICES
    ).cost


def price(model, engine="", moment="2026-05-01T12:00", tier=""):
    return PRICES.price(model, engine, slot(moment), tier)


def test_input_without_a_cache():
    # 1,000,000 at $1.25 and 100,000 at $10 per million.
    assert cost("gpt-5", input=1_000_000, output=100_000) == pytest.approx(2.25)


def test_input_that_includes_what_the_cache_gave():
    # 600,000 at $1.25 and 400,000 at $0.125.
    assert cost("gpt-5", input=1_000_000, cache_read=400_000) == pytest.approx(0.80)


def test_what_is_written_to_the_cache_for_five_minutes():
    # 10,000 at $5, 50,000 at $6.25.
    assert cost("claude-opus-4-5", input=60_000, cache_write_5m=50_000) == pytest.approx(0.3625)


def test_what_is_written_to_the_cache_for_an_hour():
    # 10,000 at $5, 20,000 at $10.
    assert cost("claude-opus-4-5", input=30_000, cache_write_1h=20_000) == pytest.approx(0.25)


def test_all_classes_of_tokens_together():
    # $0.05 fresh, $0.05 read, $0.3125 and $0.20 written, $0.025 of output.
    tokens = {"cache_read": 100_000, "cache_write_5m": 50_000, "cache_write_1h": 20_000}
    assert cost("claude-opus-4-5", input=180_000, output=1_000, **tokens) == pytest.approx(0.6375)


def test_a_class_without_a_price_is_billed_as_the_one_it_is_part_of():
    # kimi-k2 has no price for cached tokens: all at $0.57. gpt-5 has none for writing.
    assert cost("kimi-k2", input=1_000_000, cache_read=900_000) == pytest.approx(0.57)
    assert cost("gpt-5", input=1_000_000, cache_write_5m=500_000) == pytest.approx(1.25)


def test_reasoning_is_output():
    # 2,000 tokens of text and 8,000 of reasoning are 10,000 of output at $10.
    assert cost("gpt-5", output=10_000) == pytest.approx(0.10)


def test_a_request_above_a_limit_is_billed_otherwise_as_a_whole():
    # $3 up to 200,000 tokens, $6 for all of them above; output $15 or $22.50.
    assert cost("claude-sonnet-4-5", input=200_000) == pytest.approx(0.60)
    assert cost("claude-sonnet-4-5", input=200_001) == pytest.approx(1.200006)
    assert cost("claude-sonnet-4-5", input=200_000, output=10_000) == pytest.approx(0.75)
    assert cost("claude-sonnet-4-5", input=200_001, output=10_000) == pytest.approx(1.425006)


def test_cached_tokens_count_towards_the_limit():
    # 1 at $6, 200,000 at $0.60 per million.
    assert cost("claude-sonnet-4-5", input=200_001, cache_read=200_000) == pytest.approx(0.120006)


def test_a_model_without_a_limit_has_none():
    assert cost("claude-opus-4-5", input=300_000) == pytest.approx(1.50)


def test_a_limit_ends_on_a_day():
    # $10 above 200,000 tokens until 2026-03-12, then $5 whatever the size.
    before, since = "2026-03-12T23:59", "2026-03-13T00:00"
    assert cost("claude-opus-4-6", moment=before, input=200_001) == pytest.approx(2.00001)
    assert cost("claude-opus-4-6", moment=since, input=200_001) == pytest.approx(1.000005)
    assert price("claude-opus-4-6", moment=before).since is None
    assert price("claude-opus-4-6", moment=since).since == date(2026, 3, 13)


def test_a_request_has_the_price_of_its_own_day():
    # o3 fell from $10 and $40 to $2 and $8 on 2025-06-10.
    tokens = {"input": 100_000, "output": 10_000}
    assert cost("o3", moment="2025-06-09T23:59", **tokens) == pytest.approx(1.40)
    assert cost("o3", moment="2025-06-10T00:00", **tokens) == pytest.approx(0.28)


def test_a_price_may_depend_on_the_hour():
    # deepseek-chat: $0.27 from 00:30 to 16:30 UTC, $0.135 otherwise.
    for clock, usd in (("00:15", 0.135), ("00:30", 0.27), ("16:15", 0.27), ("16:30", 0.135)):
        found = cost("deepseek-chat", moment=f"2025-07-01T{clock}", input=1_000_000)
        assert found == pytest.approx(usd), clock


@pytest.mark.parametrize(
    ("model", "tier", "usd"),
    [
        ("gpt-5.1", "", 1.25 + 1.00),
        ("gpt-5.1", "flex", 0.625 + 0.50),
        ("gpt-5.1", "batch", 0.625 + 0.50),
        ("gpt-5.1", "priority", 2.50 + 2.00),
        ("gpt-5.1", "fast", 2.50 + 2.00),
        ("claude-opus-4-8", "", 5.00 + 2.50),
        ("claude-opus-4-8", "fast", 10.00 + 5.00),
        ("claude-opus-4-5", "batch", 2.50 + 1.25),
    ],
)
def test_service_tiers_cost_more_or_less(model, tier, usd):
    found = cost(model, moment="2026-11-01T00:00", tier=tier, input=1_000_000, output=100_000)
    assert found == pytest.approx(usd)
    assert price(model, moment="2026-11-01T00:00", tier=tier).tier == tier


@pytest.mark.parametrize(("model", "tier"), [("claude-opus-4-5", "flex"), ("gpt-5.1", "gold")])
def test_a_tier_without_a_price_is_billed_as_the_standard_one_and_says_so(model, tier):
    assert cost(model, tier=tier, input=1_000) == cost(model, input=1_000)
    assert price(model, tier=tier).tier == ""


def test_a_tier_has_a_price_from_a_day_on():
    # $0.30 as any other until the batch price of $0.15 came on 2026-10-14.
    before, since = "2026-10-13T12:00", "2026-10-14T00:00"
    for moment, usd, tier in ((before, 0.3, ""), (since, 0.15, "batch")):
        found = cost("gemini-2.5-flash", moment=moment, tier="batch", input=1_000_000)
        assert (found, price("gemini-2.5-flash", "", moment, "batch").tier) == (usd, tier)
    assert price("gemini-2.5-flash", "", since, "batch").since == date(2026, 10, 14)


def test_a_sellers_own_list_says_what_tiers_it_has():
    assert price("gpt-5.1", "openai", "2026-11-01T00:00", "batch").tier == "batch"
    assert price("gpt-5.1", "azure", "2026-11-01T00:00", "batch").tier == ""


def test_a_price_may_have_a_fee_for_each_request():
    # sonar: $12 for a thousand requests, $1 per million tokens.
    assert cost("sonar", "perplexity", input=1_000, output=1_000) == pytest.approx(0.014)


CLAUDE = Rates(3, 0.3, 3.75, 6, 15)
REGIONAL = Rates(3.3, 0.33, 4.125, 6.6, 16.5)


@pytest.mark.parametrize(
    ("model", "engine", "provider", "rates"),
    [
        ("claude-opus-4-5-20251101", "", "anthropic", Rates(5, 0.5, 6.25, 10, 25)),
        ("claude-sonnet-4-5-20250929", "", "anthropic", CLAUDE),
        ("Claude-Sonnet-4-5", "Claude", "anthropic", CLAUDE),
        ("claude-haiku-4-5", "claude", "anthropic", Rates(1, 0.1, 1.25, 2, 5)),
        ("gpt-5-2025-08-07", "", "openai", Rates(1.25, 0.125, 1.25, 1.25, 10)),
        ("gpt-5-codex", "codex", "openai", Rates(1.25, 0.125, 1.25, 1.25, 10)),
        ("gpt-5-codex", "azure.ai.openai", "azure", Rates(1.25, 0.125, 1.25, 1.25, 10)),
        ("gpt-5.1-codex-max", "openai", "openai", Rates(1.25, 0.125, 1.25, 1.25, 10)),
        ("gpt-5.2-codex", "", "openai", Rates(1.75, 0.175, 1.75, 1.75, 14)),
        ("gpt-5-mini", "", "openai", Rates(0.25, 0.025, 0.25, 0.25, 2)),
        ("gemini-3-pro-preview", "gemini", "google", Rates(2, 0.2, 2, 2, 12)),
        ("gemini-2.5-flash-lite", "gcp.gemini", "google", Rates(0.1, 0.01, 0.1, 0.1, 0.4)),
        ("grok-code-fast-1", "x_ai", "x-ai", Rates(0.2, 0.02, 0.2, 0.2, 1.5)),
        ("kimi-k2", "moonshot_ai", "moonshotai", Rates(0.57, 0.57, 0.57, 0.57, 2.3)),
        ("glm-4.6", "", "zai", Rates(0.6, 0.11, 0.6, 0.6, 2.2)),
        ("glm-4.6", "claude", "zai", Rates(0.6, 0.11, 0.6, 0.6, 2.2)),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "", "aws", REGIONAL),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude", "aws", REGIONAL),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", "aws", REGIONAL),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "", "aws", CLAUDE),
        ("claude-sonnet-4-5@20250929", "claude", "google", CLAUDE),
        ("anthropic/claude-sonnet-4.5", "", "openrouter", Rates(3, 0.3, 3.75, 3.75, 15)),
        ("anthropic/claude-sonnet-4.5", "claude", "openrouter", Rates(3, 0.3, 3.75, 3.75, 15)),
        ("openai/gpt-oss-120b", "groq", "groq", Rates(0.15, 0.075, 0.15, 0.15, 0.6)),
        ("claude-opus-4-6", "copilot", "anthropic", Rates(5, 0.5, 6.25, 10, 25)),
        ("claude-opus-5[1m]", "claude", "anthropic", Rates(5, 0.5, 6.25, 10, 25)),
        ("anthropic/claude-4.6-opus-20260205", "", "openrouter", Rates(5, 0.5, 6.25, 6.25, 25)),
        ("claude-4.5-sonnet-20250929", "claude", "anthropic", CLAUDE),
    ],
)
def test_who_sells_a_model_is_told_by_its_name_and_its_engine(model, engine, provider, rates):
    found = price(model, engine)
    assert (found.provider, found.rates[0]) == (provider, rates)
    assert found.origin.startswith("genai-prices ")


@pytest.mark.parametrize(
    ("model", "engine"),
    [
        ("qwen3-coder:30b", "ollama"),
        ("ollama/llama3.1", ""),
        ("gpt-oss-20b", "llama.cpp"),
        ("LM-Studio/gemma", ""),
        ("gpt-5", "local"),
    ],
)
def test_a_model_on_the_users_own_machine_costs_nothing(model, engine):
    assert cost(model, engine, input=1_000_000, output=1_000_000) == 0.0
    assert price(model, engine).origin == LOCAL


@pytest.mark.parametrize(
    ("model", "engine"),
    [("unknown", "gemini"), ("", ""), ("qwen3-coder:30b", ""), ("x", "y"), ("a/b/c", "d/e")],
)
def test_a_model_without_a_price_is_unpriced_and_not_free(model, engine):
    assert price(model, engine) is None
    assert cost(model, engine, input=1_000) is None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "1969-12-31T23:59", "9999-12-31T23:45"])
@pytest.mark.parametrize("model", ["gpt-5", "o3", "deepseek-chat"])
def test_any_day_has_a_price(model, moment):
    assert price(model, moment=moment) is not None


def test_the_users_own_price_beats_the_list_whatever_the_case():
    own = Prices({"GPT-5": Override(input=1, output=2), "qwen3-coder:30b": Override(0.5, 0.5)})
    found = own.price("gpt-5", "openai", slot("2026-05-01"), "flex")
    assert found
    assert (found.origin, found.rates) == (SETTINGS, (Rates(1, 1, 1, 1, 2),))
    local = own.price("Qwen3-Coder:30B", "ollama", 0)
    assert local
    assert local.rates[0].input == 0.5
    listed = own.price("gpt-5-mini", "", slot("2026-05-01"))
    assert listed
    assert listed.origin != SETTINGS


def test_every_cost_is_what_the_library_itself_computes():
    listed = data_snapshot.get_snapshot()
    models = [
        (seller.id, info.id)
        for seller in listed.providers
        for info in seller.models
        if info.prices and _found(listed, seller.id, info.id)
    ]
    dice = random.Random(7)  # noqa: S311  (usages, no secrets)
    for _ in range(10_000):
        provider, model = dice.choice(models)
        request = _request(dice, provider, model)
        at = request.time // SLOT_SECONDS // 1000
        found = PRICES.price(model, provider, at, request.tier)
        if found and found.rules:
            continue  # a correction: see test_pricing_corrections.py
        tokens = request.tokens
        computed = listed.calc(
            Usage(
                input_tokens=tokens.input,
                cache_read_tokens=tokens.cache_read,
                cache_write_tokens=tokens.cache_write,
                cache_write_5m_tokens=tokens.cache_write_5m,
                cache_write_1h_tokens=tokens.cache_write_1h,
                output_tokens=tokens.output,
                web_searches=request.searches,
            ),
            model,
            provider,
            None,
            datetime.fromtimestamp(request.time / 1000, UTC),
            CONTEXTS[request.tier],
        ).total_price
        # What the library sells by other units than tokens, it has no price for here.
        ours = spending.priced(request, PRICES).cost or 0.0
        assert ours == pytest.approx(float(computed), rel=1e-9, abs=1e-15), request


CONTEXTS = {
    "": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
SIZES = (0, 1, 32_000, 128_000, 128_001, 199_999, 200_000, 200_001, 272_000, 272_001)


def _found(listed, provider, model):
    try:
        listed.find_provider_model(model, None, provider, None)
    except LookupError:
        return False
    return True


def _request(dice, provider, model):
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(60 * 24 * 700))
    whole = dice.choice((*SIZES, dice.randrange(10**6)))
    read = dice.randrange(whole // 2 + 1)
    short = dice.randrange((whole - read) // 2 + 1)
    return Request(
        time=int(moment.timestamp()) * 1000,
        model=model,
        engine=provider,
        tier=dice.choice(list(CONTEXTS)),
        searches=dice.choice((0, 0, 3)),
        tokens=of_input(
            whole,
            read,
            short,
            dice.randrange((whole - read - short) // 2 + 1),
            dice.randrange(10**5),
        ),
    )


def test_the_library_is_loaded_when_the_first_model_is_looked_up_and_fetches_nothing():
    code = """
import sys, threading
from rad_lsp.core.price import Override
from rad_lsp.pricing import Prices
prices = Prices({"mine": Override(1, 2)})
prices.price("mine", "", 0)
prices.price("any", "ollama", 0)
assert prices.key
assert not {"genai_prices", "tomllib", "rad_lsp.core.corrections"} & set(sys.modules)
used = set()
sys.addaudithook(lambda event, _: used.add(event.partition(".")[0]))
prices.price("gpt-5", "", 0)
assert "genai_prices" in sys.modules
assert threading.active_count() == 1
assert "open" in used and "socket" not in used
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_program_that_looks_up_a_price_can_still_use_the_library_itself():
    code = """
from rad_lsp.pricing import Prices
assert Prices().price("gpt-5", "openai", 1_900_000).rates[0].input == 1.25
import genai_prices
usage = genai_prices.Usage(input_tokens=1_000_000)
found = genai_prices.calc_price(usage, "gpt-5", provider_id="openai")
assert found.total_price == genai_prices.calc_price(usage, "gpt-5").total_price > 0
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def keys(tmp_path):
    """Copies a package, and gives the prices' key before and after its file has changed."""

    def of(package, file):
        copy = tmp_path / package.name
        shutil.copytree(package, copy)
        found = []
        for more in ("", "", "\n"):
            with (copy / file).open("a", encoding="utf-8") as data:
                data.write(more)
            done = subprocess.run(
                [sys.executable, "-c", "from rad_lsp.pricing import Prices; print(Prices().key)"],
                env={**os.environ, "PYTHONPATH": str(tmp_path)},
                cwd=tmp_path,
                check=True,
                capture_output=True,
            )
            found.append(done.stdout)
        return found

    return of


def test_the_prices_have_another_key_when_another_list_is_installed(keys):
    before, again, after = keys(Path(data_snapshot.__file__).parent, "data.py")
    assert before == again != after


def test_the_prices_have_another_key_when_they_are_corrected_otherwise(keys, request):
    before, again, after = keys(request.config.rootpath / "rad_lsp", "corrections.toml")
    assert before == again != after


@pytest.mark.parametrize(
    ("model", "slots"),
    [
        ("deepseek-chat", 1),  # its price depends on the hour,
        ("o3", 96),  # on the day,
        ("kimi-k2", 2**62),  # on nothing
        ("unknown", 2**62),
    ],
)
def test_a_price_holds_for_as_many_slots_as_it_may_change_in(model, slots):
    assert PRICES.span(model, "") == slots


def test_modules_of_the_library_may_need_the_package_itself(tmp_path):
    package = tmp_path / "genai_prices"
    shutil.copytree(Path(data_snapshot.__file__).parent, package)
    for name, line in (("__init__", "NEEDED = 1"), ("data_snapshot", "from . import NEEDED")):
        file = package / f"{name}.py"
        beginning = "from __future__ import annotations as _annotations\n"
        code = file.read_text(encoding="utf-8").replace(beginning, f"{beginning}{line}\n", 1)
        file.write_text(code, encoding="utf-8")
    code = """
from rad_lsp.pricing import Prices
assert Prices().price("gpt-5", "", 0)
import genai_prices
assert genai_prices.NEEDED
"""
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True)
