"""The page that a run of the benchmarks writes. (The benchmarks themselves run by hand.)"""

from __future__ import annotations

import pytest

from tests.benchmarks import table
from tests.benchmarks.measure import Growth, Measure, Run

MET = Measure("ours / theirs", "0.90 x", "0.95 x", "1 ms / 2 ms")
MISSED = Measure("peak", "1,200 MB", "120 MB", "")
COUNTED = Measure("times", "3", "", "")


def test_a_bar_is_met_up_to_itself():
    assert Measure("peak", "120 MB", "120 MB", "").is_met
    assert [MET.is_met, MISSED.is_met, COUNTED.is_met] == [True, False, True]


def test_the_page_shows_each_measure_beside_its_bar():
    page = table.page(Run(measures=[MET, MISSED, COUNTED], versions={"ccusage": "20.0"}), 7, "")
    assert "| ours / theirs | ≤ 0.95 x | 0.90 x | 1 ms / 2 ms |" in page
    assert "| peak | ≤ 120 MB | **1,200 MB** |   |" in page
    assert "| times |   | 3 |   |" in page
    assert "| ccusage | 20.0 |" in page


def test_a_quick_run_says_that_its_figures_mean_nothing():
    page = table.page(Run(quick=True, measures=[MISSED]), 1, " --quick")
    assert "A quick run" in page
    assert "**1,200 MB**" not in page


@pytest.mark.parametrize(
    ("figures", "exponent", "last"),
    [
        ({10: 5.0, 100: 5.0, 1000: 5.0}, 0, 0),
        ({10: 1.0, 100: 10.0, 1000: 100.0}, 1, 1),
        ({10: 1.0, 100: 1.0, 1000: 100.0}, 1, 2),
    ],
)
def test_growth_has_the_exponent_of_all_and_that_of_the_end(figures, exponent, last):
    growth = Growth("g", "ms", figures)
    assert growth.exponent == pytest.approx(exponent)
    assert growth.last_exponent == pytest.approx(last)
