"""What tokens cost at given rates."""

from __future__ import annotations

import msgspec
import pytest

from rad_lsp.core import price
from rad_lsp.core.price import Override, Price, Rates
from rad_lsp.core.tokens import of_input

LOW, MIDDLE, HIGH = (Rates(n, n, n, n, n) for n in (1, 2, 3))


def cost(rates, **tokens):
    """USD for tokens; those of input include cached ones."""
    every = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    return price.cost(rates, of_input(*(tokens.get(name, 0) for name in every)))


def test_each_class_of_tokens_has_its_rate_per_million():
    rates = Rates(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5)
    million = 1_000_000
    assert cost(rates, input=million) == 1
    assert cost(rates, input=million, cache_read=million) == 2
    assert cost(rates, input=million, cache_write_5m=million) == 3
    assert cost(rates, input=million, cache_write_1h=million) == 4
    assert cost(rates, output=million) == 5
    parts = {"cache_read": million, "cache_write_5m": million, "cache_write_1h": million}
    assert cost(rates, input=4 * million, output=million, **parts) == 15


def test_no_tokens_cost_nothing():
    assert cost(HIGH) == 0


def test_more_cached_than_input_tokens_are_no_credit():
    assert cost(Rates(100, 1, 1, 1, 1), input=10, cache_read=1_000_000) == 1


def test_the_largest_counts_have_a_cost():
    assert cost(LOW, input=2**64 - 1, output=2**64 - 1) == pytest.approx(2 * 2**64 / 1e6)


@pytest.mark.parametrize(
    ("tokens", "threshold", "rates"),
    [
        (0, 0, LOW),
        (1000, 0, LOW),
        (1001, 1000, MIDDLE),
        (5000, 1000, MIDDLE),
        (5001, 5000, HIGH),
        (2**64, 5000, HIGH),
    ],
)
def test_a_threshold_is_exceeded_by_one_token_more(tokens, threshold, rates):
    found = Price("m", "p", "o", (LOW, MIDDLE, HIGH), (1000, 5000))
    assert found.threshold(tokens) == threshold
    assert found.rates_above(threshold) == rates


def test_a_threshold_that_a_price_does_not_have_makes_no_difference():
    assert Price("m", "p", "o", (LOW,)).rates_above(200_000) == LOW


def test_an_override_bills_what_it_leaves_out_as_what_it_is_part_of():
    assert Override(1, 2).rates == Rates(1, 1, 1, 1, 2)
    assert Override(1, 2, cache_write_5m=3).rates == Rates(1, 1, 3, 3, 2)
    assert Override(1, 2, 0, 0, 0).rates == Rates(1, 0, 0, 0, 2)
    assert Override(1, 2, 3, 4, 5).rates == Rates(1, 3, 4, 5, 2)


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), 1e10, "1", None, True])
def test_a_rate_is_a_number_of_dollars(rate):
    with pytest.raises(msgspec.ValidationError, match=r"\$\.input"):
        msgspec.convert({"input": rate, "output": 1}, Override)
