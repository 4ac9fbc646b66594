"""How the rates of a price list change by a correction."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from rad_lsp.core.corrections import Correction, Schedule, above, in_proportion, multiplied
from rad_lsp.core.price import Rates

ONE, TWO, FOUR, SIX = (Rates(n, n, n, n, n) for n in (1, 2, 4, 6))


@pytest.fixture
def correction():
    """A correction with some fields replaced."""
    made = Correction("rule", "seller", r"m-\d", "https://example.org", factor=2.0)
    return lambda **changes: msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("provider", "model", "concerned"),
    [("seller", "m-1", True), ("seller", "m-1-mini", False), ("other", "m-1", False)],
)
def test_a_correction_is_of_a_providers_models(correction, provider, model, concerned):
    assert correction().concerns(provider, model, "0.2.3") is concerned


@pytest.mark.parametrize(
    ("version", "concerned"),
    [("0.9.9", True), ("0.10.0", False), ("0.10.1", False), ("1.0", False), ("0.10.0rc1", False)],
)
def test_a_version_that_has_caught_up_is_not_corrected(correction, version, concerned):
    found = correction(superseded_by="0.10.0")
    assert found.concerns("seller", "m-1", version) is concerned


def test_a_correction_holds_from_a_day_on_and_up_to_another(correction):
    found = correction(begin=date(2026, 3, 2), end=date(2026, 3, 4))
    assert [found.holds(date(2026, 3, day)) for day in (1, 2, 3, 4)] == [False, True, True, False]
    assert correction().holds(date.max)


@pytest.mark.parametrize(
    ("tokens", "rates"), [(0, ONE), (10, ONE), (11, TWO), (20, TWO), (21, FOUR)]
)
def test_rates_go_by_the_size_of_a_request(tokens, rates):
    assert Schedule((ONE, TWO, FOUR), (10, 20)).at(tokens) == rates


def test_rates_of_large_requests_take_the_place_of_those_above_their_threshold():
    assert above(Schedule((ONE,)), 10, TWO) == Schedule((ONE, TWO), (10,))
    for thresholds in ((10,), (15,)):
        found = above(Schedule((ONE, TWO), thresholds), 10, SIX)
        assert found == Schedule((ONE, SIX), (10,))
    assert above(Schedule((ONE, TWO), (5,)), 10, SIX) == Schedule((ONE, TWO, SIX), (5, 10))


def test_a_factor_multiplies_all_rates_without_a_rest():
    found = multiplied(Schedule((Rates(5, 0.5, 6.25, 10, 25), ONE), (10,)), 1.1)
    assert found == Schedule((Rates(5.5, 0.55, 6.875, 11, 27.5), Rates(*[1.1] * 5)), (10,))


def test_a_tier_changes_a_price_as_it_changes_the_standard_one():
    standard, special = Schedule((ONE, TWO), (10,)), Schedule((TWO, SIX), (10,))
    assert in_proportion(standard, special, standard) == special
    assert in_proportion(Schedule((TWO,)), special, standard) == Schedule((FOUR, SIX), (10,))


def test_a_threshold_at_which_nothing_changes_is_none():
    standard, special = Schedule((ONE, TWO), (10,)), Schedule((FOUR,))
    assert in_proportion(standard, special, standard) == special


def test_a_price_of_nothing_has_no_proportion():
    free = Schedule((Rates(0, 0, 0, 0, 0),))
    assert in_proportion(Schedule((ONE,)), Schedule((TWO,)), free) == Schedule((TWO,))
