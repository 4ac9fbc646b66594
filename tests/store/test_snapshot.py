"""All sessions at one moment: their order, duplicates, and how they are named."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest

from rad_lsp.core.errors import NoSessions, SessionAmbiguous, SessionNotFound
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.sources import radium
from rad_lsp.store import snapshot
from rad_lsp.store.snapshot import Skipped, Snapshot

UUID_A = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
UUID_B = "3c6ddcd3-0000-48f1-88e1-f428ca458337"
UUID_C = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture
def made(session):
    """The snapshot of sessions with these ids, the first the newest."""

    def assembled(*ids):
        return snapshot.assemble(
            [
                snapshot.pack(session(name, end_time=f"2025-12-07T{23 - hour:02}:00:00Z"))
                for hour, name in enumerate(ids)
            ]
        )

    return assembled


@pytest.fixture
def copies(report_bytes):
    """The snapshot of files that hold one session, by the minute they were generated at."""

    def packed(name, minute):
        generated_at = f"2025-12-08T00:{minute:02}:00Z"
        data = report_bytes(session_id="s", generated_at=generated_at, total_cost=minute)
        copy = radium.parse(f"/w/{name}.json", data)
        assert isinstance(copy, Session)
        return snapshot.pack(copy)

    return lambda **minutes: snapshot.assemble([packed(*copy) for copy in minutes.items()])


def ids(found):
    return [session.id for session in found.sessions()]


def test_a_session_comes_out_as_it_went_in(session):
    before = session("\u540d", tool_calls=2**64 - 1, wall_time=[2**64 - 1, 7], failed_tool_calls=0)
    assert snapshot.pack(before).session == before
    warned = session("b", failed_tool_calls=99)
    assert warned.problems
    assert snapshot.pack(warned).session == warned


def test_the_newest_last_activity_comes_first(session):
    found = snapshot.assemble(
        [
            snapshot.pack(session(name, end_time=end, generated_at=generated))
            for name, end, generated in [
                ("old", "2025-12-05T00:00:00Z", "2026-01-01T00:00:00Z"),
                ("new", "2025-12-07T00:00:00Z", "2025-12-07T00:00:01Z"),
                ("running", None, "2025-12-06T00:00:00Z"),
            ]
        ]
    )
    assert ids(found) == ["new", "running", "old"]
    assert found.latest().id == "new"


def test_moments_are_compared_across_offsets(session):
    found = snapshot.assemble(
        [
            snapshot.pack(session(name, end_time=end))
            for name, end in {
                "a": "2025-12-07T12:00:00+02:00",
                "b": "2025-12-07T11:00:00Z",
                "c": "2025-12-07T04:00:00-08:00",
            }.items()
        ]
    )
    assert ids(found) == ["c", "b", "a"]


def test_ties_go_by_id(session):
    found = snapshot.assemble([snapshot.pack(session(name)) for name in "bca"])
    assert ids(found) == ["a", "b", "c"]


def test_of_duplicates_the_newest_generated_counts(copies):
    for order in itertools.permutations([("a", 1), ("b", 3), ("c", 2)]):
        (found,) = copies(**dict(order)).sessions()
        assert found.cost == 3


def test_of_duplicates_generated_together_the_first_path_counts(copies):
    for order in itertools.permutations("abc"):
        found = copies(**dict.fromkeys(order, 5))
        assert [item.path for item in found.skipped] == ["/w/b.json", "/w/c.json"]


def test_the_other_duplicates_are_skipped_by_name(copies):
    for order in itertools.permutations([("a", 1), ("b", 2), ("c", 3)]):
        of_c = Problem("duplicate", "It is a duplicate of c.json", "warning")
        assert copies(**dict(order)).skipped == (
            Skipped("/w/a.json", of_c),
            Skipped("/w/b.json", of_c),
        )


def test_what_cannot_be_read_is_skipped_in_the_order_of_paths(session):
    empty = Skipped("/w/b", Problem("empty", "The file is empty"))
    torn = Skipped("/w/z", Problem("truncated", "It ends"))
    found = snapshot.assemble([snapshot.pack(session("m"))], [torn, empty])
    assert found.skipped == (empty, torn)
    assert ids(found) == ["m"]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (UUID_A, UUID_A),
        ("3c6ddcd3-8", UUID_A),
        ("3c6ddcd3-0", UUID_B),
        ("3c6ddcd3-85b6-48f1-88e1...", UUID_A),
        ("a", UUID_C),
        ("latest", UUID_A),
        ("latest~0", UUID_A),
        ("latest~1", UUID_B),
        ("latest~2", UUID_C),
    ],
)
def test_a_session_is_named_by_id_prefix_or_age(made, reference, expected):
    assert made(UUID_A, UUID_B, UUID_C).resolve(reference).id == expected


@pytest.mark.parametrize("name", ["abc", "latest", "latest~1", "abc...", "", "..."])
def test_an_exact_id_wins(made, name):
    assert made("newest", "abcdef", name, "abc-1").resolve(name).id == name


def test_latest_is_not_a_prefix(made):
    assert made("a", "latest-try").resolve("latest").id == "a"
    assert made("a", "latest-try").resolve("late").id == "latest-try"


def test_an_ambiguous_prefix_lists_the_sessions_newest_first(made):
    with pytest.raises(SessionAmbiguous) as raised:
        made(UUID_A, UUID_C, UUID_B).resolve("3c6ddcd3")
    assert raised.value.data == {"sessionId": "3c6ddcd3", "candidates": [UUID_A, UUID_B]}


def test_an_ambiguous_prefix_lists_five_and_counts_the_rest(made):
    with pytest.raises(SessionAmbiguous, match="of 7 session ids: x0, x1, x2, x3, x4 and 2 more"):
        made(*(f"x{number}" for number in range(7))).resolve("x...")


@pytest.mark.parametrize("reference", ["latest~3", "latest~999999999"])
def test_beyond_the_oldest_there_is_no_session(made, reference):
    with pytest.raises(SessionNotFound, match=f"No session '{reference}' found"):
        made("a", "b", "c").resolve(reference)


@pytest.mark.parametrize(
    "reference",
    ["", "...", "zzz", "latest~", "latest~-1", "latest~x", "latest~1234567890", "LATEST", "*"],
)
def test_an_unknown_id_is_not_found(made, reference):
    with pytest.raises(SessionNotFound) as raised:
        made("a", "b").resolve(reference)
    assert raised.value.data["sessionId"] == reference


@pytest.mark.parametrize(
    ("reference", "near"),
    [
        ("3c6ddcd4", [UUID_A]),
        ("3c6ddcd3-85b6-48f1-88e1-f428ca458338", [UUID_A]),
        ("F428CA", [UUID_A]),
        ("a1b2d3d4", [UUID_C]),
        ("qqqqqqqq", []),
    ],
)
def test_an_unknown_id_suggests_near_ones(made, reference, near):
    with pytest.raises(SessionNotFound) as raised:
        made(UUID_A, UUID_C).resolve(reference)
    assert raised.value.data["candidates"] == near


def test_at_most_five_near_ids_are_suggested(made):
    with pytest.raises(SessionNotFound) as raised:
        made(*(f"{number}-session" for number in range(9))).resolve("session")
    assert raised.value.data["candidates"] == [f"{number}-session" for number in range(5)]


def test_without_sessions_nothing_is_found():
    with pytest.raises(NoSessions):
        Snapshot().resolve("latest")
    with pytest.raises(NoSessions):
        Snapshot().latest()


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, ["a", "b", "c", "d"]),
        ("22:00", None, ["a", "b"]),
        ("22:01", None, ["a"]),
        (None, "22:00", ["c", "d"]),
        ("21:00", "23:00", ["b", "c"]),
        ("20:30", "20:45", []),
        ("23:30", None, []),
        (None, "19:00", []),
        ("23:00", "21:00", []),
    ],
)
def test_the_sessions_within_a_period(made, since, until, expected):
    bounds = [time and datetime.fromisoformat(f"2025-12-07T{time}Z") for time in (since, until)]
    found = made("a", "b", "c", "d").within(Period(*bounds))
    assert [entry.id for entry in found] == expected


def test_nothing_lies_within_a_period_when_there_is_nothing():
    assert Snapshot().within(ALWAYS) == ()


def test_an_entry_has_the_totals_of_its_session(session):
    for wall_time in ([5, 0], [2**64 - 1, 0]):
        totals = snapshot.pack(session("a", wall_time=wall_time)).totals
        assert (totals.cost, totals.tool_calls, totals.successful_tool_calls) == (0.1275, 231, 214)
