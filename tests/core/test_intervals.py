from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.intervals import Intervals, covered

some_intervals = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)))


def moments(intervals):
    return len({moment for start, end in intervals for moment in range(start, end)})


@pytest.mark.parametrize(
    ("intervals", "total"),
    [
        ([], 0),
        ([(3, 5)], 2),
        ([(3, 5), (5, 7)], 4),
        ([(3, 9), (4, 5)], 6),
        ([(6, 8), (1, 3), (2, 4)], 5),
        ([(5, 3), (4, 4)], 0),
        ([(0, 1), (0, 1)], 1),
    ],
)
def test_overlapping_time_counts_once(intervals, total):
    assert covered(intervals) == total


@given(some_intervals)
def test_covered_time_is_that_of_every_moment_in_an_interval(intervals):
    assert covered(intervals) == moments(intervals)


@given(some_intervals)
def test_what_overlaps_counts_once_in_whatever_order_it_comes(given_intervals):
    intervals = Intervals()
    for number, (start, end) in enumerate(given_intervals, start=1):
        assert intervals.total_with(start, end) == moments(given_intervals[:number])
        intervals.add(start, end)
        assert intervals.total == moments(given_intervals[:number])


def test_a_very_long_session_takes_bounded_memory_and_loses_nothing():
    intervals = Intervals()
    tracemalloc.start()
    for number in range(100_000):
        intervals.add(10 * number, 10 * number + 5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert intervals.total == 500_000
    assert peak < 4_000_000


def test_what_starts_before_thousands_of_others_counts_from_the_last_closed_one_on():
    intervals = Intervals()
    for number in range(100_000):
        intervals.add(10 * number, 10 * number + 5)
    before = intervals.total
    intervals.add(0, 1_000_000)
    assert before < intervals.total <= 1_000_000
    assert intervals.total_with(0, 1_000_000) == intervals.total
