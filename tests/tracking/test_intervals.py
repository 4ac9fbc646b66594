from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.tracking.intervals import Intervals

stretches = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)))


def covered(stretches):
    return len({moment for start, end in stretches for moment in range(start, end)})


@given(stretches)
def test_what_overlaps_counts_once_in_whatever_order_it_comes(stretches):
    intervals = Intervals()
    for number, (start, end) in enumerate(stretches, start=1):
        assert intervals.total_with(start, end) == covered(stretches[:number])
        intervals.add(start, end)
        assert intervals.total == covered(stretches[:number])


def test_a_very_long_session_takes_bounded_memory_and_loses_nothing():
    intervals = Intervals()
    tracemalloc.start()
    for number in range(100_000):
        intervals.add(10 * number, 10 * number + 5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert intervals.total == 500_000
    assert peak < 4_000_000


def test_what_begins_before_thousands_of_others_counts_from_the_last_settled_one_on():
    intervals = Intervals()
    for number in range(100_000):
        intervals.add(10 * number, 10 * number + 5)
    before = intervals.total
    intervals.add(0, 1_000_000)
    assert before < intervals.total <= 1_000_000
    assert intervals.total_with(0, 1_000_000) == intervals.total
