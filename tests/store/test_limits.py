"""Plan limits in the index: the newest record counts, from whichever file it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rad_lsp.sources.codex import Codex
from rad_lsp.store import limits
from rad_lsp.store.index import Damaged

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=10)


@pytest.fixture
def record(codex):
    """A line that records a percent of the 5-hour window, so many seconds after noon."""

    def made(at, percent, total=100):
        line = codex.tokens(at, total, 10)
        resets = int(NOON.timestamp()) + 3600
        window = {"used_percent": percent, "window_minutes": 300, "resets_at": resets}
        line["payload"]["rate_limits"] = {"primary": window}
        return line

    return made


@pytest.fixture
def used(machine, home):
    """The percents that count, once all files are read."""

    def percents(now=LATER, **options):
        made = machine(**options)
        made.update([Codex({}, home.root)])
        return [one.used_percent for one in limits.newest(made.index.connection, ["codex"], now)]

    return percents


def test_the_newest_record_counts_whichever_file_is_read_last(home, codex, record, used):
    home.codex("b", codex.meta("b"), record(60, 20.0))
    home.codex("a", codex.meta("a"), record(30, 50.0))
    home.codex("c", codex.meta("c"), record(50, 70.0))
    assert used() == [20]


def test_a_file_that_has_grown_tells_the_newest(home, codex, record, used):
    path = home.codex("a", codex.meta("a"), record(30, 50.0))
    assert used() == [50]
    home.append(path, record(40, 55.0, 200))
    assert used() == [55]
    assert used(data=None) == [55]


def test_what_a_file_no_longer_says_is_gone(home, codex, record, used):
    path = home.codex("a", codex.meta("a"), record(30, 50.0))
    assert used() == [50]
    home.write(path, codex.meta("a"), codex.tokens(30, 100, 10), codex.tokens(40, 200, 10))
    assert used() == []


def test_a_file_that_is_gone_still_tells(home, codex, record, used):
    path = home.codex("a", codex.meta("a"), record(30, 50.0))
    assert used() == [50]
    path.unlink()
    assert used() == [50]


def test_a_clock_that_was_wrong_hides_no_other_record_of_the_file(home, codex, record, used):
    home.codex("a", codex.meta("a"), record(90_000, 99.0), record(60, 20.0, 200))
    assert used() == [20]


def test_a_rebuild_finds_the_same(home, codex, record, used, machine):
    home.codex("a", codex.meta("a"), record(30, 50.0))
    assert used() == [50]
    machine().rebuild()
    assert used() == [50]


def test_damage_is_noticed(home, codex, record, used, machine):
    home.codex("a", codex.meta("a"), record(30, 50.0))
    assert used() == [50]
    made = machine()
    made.index.connection.execute("UPDATE plan_limit SET time = time + 1")
    with pytest.raises(Damaged):
        limits.newest(made.index.connection, ["codex"], LATER)


def test_an_older_index_comes_to_have_the_limits_of_files_that_it_had_read(
    home, codex, record, used, machine
):
    home.codex("a", codex.meta("a"), record(30, 50.0))
    assert used() == [50]
    made = machine()
    made.index.connection.execute("DROP TABLE plan_limit")
    made.index.connection.execute("PRAGMA user_version=1")
    made.index.close()
    assert used() == [50]
