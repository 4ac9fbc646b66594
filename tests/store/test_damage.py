"""Damage to the index: no figure is ever wrong, and no request fails.

`python -m tests.benchmarks damages` makes 300 of these attacks.
"""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from rad_lsp.store.index import FILE
from tests.store import damages


@pytest.mark.parametrize("seed", range(40))
def test_after_random_damage_every_figure_is_right(tmp_path, seed):
    damages.attack(tmp_path, seed)


@pytest.fixture
def history(tmp_path):
    """A history whose index is there."""
    made = damages.World(tmp_path)
    made.figures(tmp_path / "data")
    return made


@pytest.mark.parametrize("name", ["session_cwd", "fresh", "request_key"])
def test_a_letter_of_the_schema_is_damage(history, tmp_path, name):
    path = tmp_path / "data" / FILE
    letter = name.encode()
    path.write_bytes(path.read_bytes().replace(letter, letter[:-1] + b"z"))
    found, _, index = history.figures(tmp_path / "data")
    assert (index.notice, index.trouble) == (damages.DAMAGED, "")
    assert found == history.figures(None)[0]


def test_requests_that_are_not_found_by_their_keys_are_damage(history, tmp_path):
    """Else they would count beside the copies of them that are written next."""
    path = tmp_path / "data" / FILE
    with contextlib.closing(sqlite3.connect(path)) as db:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'request_key'"
        (page,) = db.execute(query).fetchone()
        begin = int(damages.NOON.timestamp() * 1000)
        times = [begin + number * 60_000 for number in (20, 22, 23)]
        keys = db.execute("SELECT key FROM request WHERE time IN (?, ?, ?)", times).fetchall()
    data = bytearray(path.read_bytes())
    for (key,) in keys:
        data[data.find(key.to_bytes(8), (page - 1) * damages.PAGE) + 7] ^= 1
    path.write_bytes(data)
    history.transcript("copy", [20, 22, 23])
    found, _, index = history.figures(tmp_path / "data")
    assert (index.notice, index.trouble) == (damages.DAMAGED, "")
    assert found == history.figures(None)[0]


def test_a_file_that_is_not_found_by_its_path_is_damage(history, tmp_path):
    (broken,) = history.workspace.rglob("broken.json")
    path = tmp_path / "data" / FILE
    with contextlib.closing(sqlite3.connect(path)) as db:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'file_path'"
        (page,) = db.execute(query).fetchone()
    data = bytearray(path.read_bytes())
    data[data.find(f"radium{broken}".encode(), (page - 1) * damages.PAGE)] ^= 1
    path.write_bytes(data)
    report = broken.with_name("report-1.json").read_bytes()
    broken.write_bytes(report.replace(b"report-1", b"mended"))
    found = history.figures(tmp_path / "data")
    assert (found[2].notice, found[2].trouble) == (damages.DAMAGED, "")
    assert found[:2] == history.figures(None)[:2]


def test_what_is_stored_of_no_session_never_counts_with_a_new_one(history, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / FILE)) as db:
        db.execute("CREATE TEMP TABLE lost AS SELECT * FROM request WHERE key = 0")
        db.execute("UPDATE lost SET session = (SELECT max(id) + 1 FROM session)")
        db.execute("INSERT INTO request SELECT * FROM lost")
        db.commit()
    history.transcript("new", [200])
    found, _, index = history.figures(tmp_path / "data")
    assert (index.notice, index.trouble) == (damages.DAMAGED, "")
    assert found == history.figures(None)[0]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM session WHERE session_id = 's2'",
        "DELETE FROM usage WHERE session = 2",
        "DELETE FROM request WHERE session = 2",
        "DELETE FROM tool WHERE session = 2",
        "DELETE FROM name WHERE id = 2",
        "DELETE FROM file WHERE id IN (SELECT file FROM part)",
        "UPDATE price SET price = x'c0'",
        "UPDATE usage SET fresh = fresh + 1 WHERE session = 2",
    ],
)
def test_the_doctor_tells_what_is_not_as_it_was_stored(history, tmp_path, damage):
    machine = history.machine(tmp_path / "data")
    assert machine.health() == "ok"
    with contextlib.closing(sqlite3.connect(machine.index.path)) as db:
        db.execute(damage)
        db.commit()
    assert machine.health() != "ok"
    machine.rebuild()
    machine.guarded(lambda: machine.update(machine.agents()))
    assert machine.health() == "ok"
    machine.close()
