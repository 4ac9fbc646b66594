"""Which names mean one model, told by the price list that is installed."""

from __future__ import annotations

from collections import Counter

import pytest

from rad_lsp.core import naming
from rad_lsp.core.price import Override
from rad_lsp.pricing import Prices


@pytest.fixture(scope="module")
def name():
    return naming.by(Prices())


@pytest.mark.parametrize(
    ("listed", "spellings"),
    [
        (
            "claude-opus-4-6",
            [
                "claude-opus-4-6",
                "claude-opus-4-6[1m]",
                "anthropic/claude-4.6-opus-20260205",
                "anthropic/claude-opus-4.6",
                "openrouter/anthropic/claude-opus-4.6",
                "us.anthropic.claude-opus-4-6-v1:0",
                "vertex_ai/claude-opus-4-6@20260205",
                "Claude-Opus-4-6",
            ],
        ),
        (
            "claude-sonnet-4-5",
            [
                "claude-sonnet-4-5-20250929",
                "anthropic/claude-4.5-sonnet-20250929",
                "claude-4.5-sonnet",
            ],
        ),
        ("claude-sonnet-4-0", ["claude-sonnet-4-20250514", "claude-sonnet-4"]),
        ("claude-opus-5", ["claude-opus-5", "claude-opus-5[1m]"]),
        ("gpt-5", ["gpt-5", "openai/gpt-5", "gpt-5-2025-08-07"]),
        ("gemini-2.5-pro", ["models/gemini-2.5-pro", "google/gemini-2.5-pro"]),
    ],
)
def test_a_model_has_the_price_lists_id_however_it_is_spelled(name, listed, spellings):
    assert {spelling: name(spelling) for spelling in spellings} == dict.fromkeys(spellings, listed)


@pytest.mark.parametrize(
    "model", ["gpt-5-codex", "gpt-5.1-codex-max", "gpt-audio-1.5", "gemini-2.5-pro-preview-05-06"]
)
def test_a_model_that_shares_the_price_of_another_keeps_its_name(name, model):
    assert name(model) == name(f"openrouter/{model}") == model


@pytest.mark.parametrize("model", ["mine", "corp/Mine-20250101", "ollama/mine", "<synthetic>", ""])
def test_a_model_that_the_list_does_not_know_is_named_as_recorded(name, model):
    assert name(model) == model


def test_the_users_own_price_gives_a_model_no_other_name():
    name = naming.by(Prices({"claude-opus-4-6[1m]": Override(1, 1), "corp/Mine": Override(1, 1)}))
    assert name("claude-opus-4-6[1m]") == name("claude-opus-4-6") == "claude-opus-4-6"
    assert name("corp/Mine") == "corp/Mine"


def test_a_spelling_is_looked_up_once(price_list):
    asked = Counter()

    class Counting:
        def price(self, model, engine, slot, tier):
            asked[model] += 1
            return price_list.price(model, engine, slot, tier)

    name = naming.by(Counting())
    assert {name("x/a") for _ in range(1000)} == {"a"}
    assert asked == {"x/a": 1, "a": 1}
