"""Which tracked session a moment counts with."""

from __future__ import annotations

import math

import pytest

from rad_lsp.store.timeline import OWN, Timeline, Window


def timeline(*windows):
    return Timeline(Window(name, since, last, until) for name, since, last, until in windows)


def owners(found, *moments):
    return [found.owner(moment) for moment in moments]


def test_a_moment_counts_with_the_session_that_was_tracked_then():
    found = timeline(("a", 10, 19, 19), ("b", 30, 39, 39))
    assert owners(found, 9, 10, 19, 20, 29, 30, 39, 40) == [OWN, "a", "a", OWN, OWN, "b", "b", OWN]


def test_of_several_the_one_that_ended_first_counts():
    found = timeline(("outer", 10, 99, 99), ("inner", 30, 39, 39))
    assert owners(found, 20, 30, 39, 40) == ["outer", "inner", "inner", "outer"]


def test_of_two_that_ended_together_the_first_by_name_counts():
    assert owners(timeline(("b", 0, 9, 9), ("a", 0, 9, 9)), 5) == ["a"]


def test_what_may_be_running_gives_way_to_what_was_tracked_later():
    found = timeline(("broken", 10, 19, 100), ("next", 40, 49, 49))
    assert owners(found, 19, 20, 39, 40, 49, 50, 100) == [
        "broken", "broken", "broken", "next", "next", "broken", OWN,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [(10, 19, {"a"}), (9, 10, {OWN, "a"}), (19, 30, {"a", OWN, "b"}), (40, 50, {OWN})],
)
def test_the_owners_of_a_time(first, last, found):
    assert timeline(("a", 10, 19, 19), ("b", 30, 39, 39)).owners(first, last) == found


def test_the_time_of_an_owner():
    found = timeline(("outer", 10, 99, 99), ("inner", 30, 39, 39))
    assert found.spans("outer") == [(10, 30), (40, 100)]
    assert found.spans(OWN) == [(-math.inf, 10), (100, math.inf)]
    assert found.spans("unheard-of") == []
