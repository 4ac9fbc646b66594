"""A session as every source yields it."""

from __future__ import annotations

from rad_lsp.core.session import Usage


def test_tokens_are_those_of_input_and_output_as_input_includes_cached_ones():
    assert Usage("m", input_tokens=700, output_tokens=70, cached_tokens=100).tokens == 770


def test_usage_without_requests_costs_nothing_and_is_priced():
    usage = Usage("m")
    assert (usage.cost, usage.money.unpriced, usage.tokens) == (0.0, 0, 0)
