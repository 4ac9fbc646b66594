"""The file of the index: several processes, damage, other versions, and places it can't be in."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import sqlite3
from pathlib import Path

import pytest

from rad_lsp.core.session import Child
from rad_lsp.store.agents import Machine
from rad_lsp.store.database import FILE, Database, put_aside_path

CLAUDE = {"claude-code"}


@pytest.fixture
def sessions(home, claude):
    """Two hundred transcripts of twenty requests each."""
    for number in range(200):
        name = f"s{number}"
        first = 100_000 + 20 * number
        answers = claude.answers(*range(first, first + 20), session=name)
        home.claude(f"p{number % 7}/{name}", *answers)
    return 200


@pytest.fixture
def requests(machine):
    """The number of sessions and of requests in the index, after an update."""

    def counted():
        found = machine()
        index = found.index
        entries = index.updated(found.agents(CLAUDE), lambda: index.entries(CLAUDE, None))
        found.database.close()
        assert found.database.trouble == ""
        usages = [usage for entry in entries for usage in entry.session.models]
        return len(entries), sum(usage.requests for usage in usages)

    return counted


@pytest.fixture
def gone(home, claude, indexed):
    """An index in which there is a session whose transcript is gone, and another."""
    home.claude("there", *claude.answers(1, 2, session="there"))
    path = home.claude("gone", *claude.answers(3, 4, 5, session="gone"))
    made = indexed()
    made.update()
    path.unlink()
    made.update()
    made.database.close()
    return made.database.path


def draw(seed):
    """The same chance on every run."""
    return random.Random(seed)  # noqa: S311


def set_version(path, version):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={version}")


def is_deleted(session):
    return any("has been deleted" in problem.message for problem in session.problems)


class TestProcesses:
    @pytest.mark.parametrize("count", [2, 10])
    def test_many_at_once_end_with_exact_totals(self, sessions, process, requests, count):
        started = [process() for _ in range(count)]
        for one in started:
            one.stdin.close()
        for one in started:
            assert (one.wait(120), one.stderr.read()) == (0, b"")
        assert requests() == (sessions, 20 * sessions)

    def test_many_that_find_an_old_index_keep_what_only_it_knows(
        self, gone, sessions, process, requests
    ):
        set_version(gone, 7)
        started = [process() for _ in range(6)]
        for one in started:
            one.stdin.close()
        for one in started:
            assert (one.wait(120), one.stderr.read()) == (0, b"")
        assert requests() == (sessions + 2, 20 * sessions + 5)

    def test_one_that_is_killed_leaves_the_index_right(
        self, sessions, process, requests, home, claude
    ):
        chance = draw(5)
        for number in range(12):
            home.append(home.projects / "p0" / "s0.jsonl", claude.answer(10_000 + number, "s0"))
            one = process()
            one.stdin.close()
            for _ in range(chance.randrange(sessions)):
                one.stdout.readline()
            one.kill()
            one.wait(60)
            if number % 4 == 3:
                assert requests() == (sessions, 20 * sessions + number + 1)

    def test_what_one_has_read_another_does_not_read(self, home, claude, indexed, fed):
        home.claude("a", claude.answer(1))
        found, other = indexed(), indexed()
        paths = fed.paths

        def slowly():
            yield from paths()
            fed.paths = paths
            other.update()

        fed.paths = slowly
        found.update()
        assert fed.taken() == (home.projects / "a.jsonl").stat().st_size
        assert found.requests() == {"a": 1}

    def test_one_that_waits_too_long_serves_what_there_is(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1))
        found = indexed(patience=0)
        found.update()
        home.append(path, claude.answer(2))
        with contextlib.closing(sqlite3.connect(found.database.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            found.update()
            assert found.requests() == {"a": 1}
        assert found.database.trouble == ""
        found.update()
        assert found.requests() == {"a": 2}

    def test_one_whose_index_was_put_aside_goes_on(self, gone, home, claude, indexed):
        server = indexed()
        server.update()
        set_version(gone, 7)
        newer = indexed()
        assert newer.update().keys() == {"there", "gone"}
        home.append(home.projects / "there.jsonl", claude.answer(9, "there"))
        server.update()
        newer.update()
        assert server.requests() == newer.requests() == {"there": 3, "gone": 3}
        server.database.close()
        newer.update()
        newer.database.close()
        assert indexed().update().keys() == {"there", "gone"}


class TestVersions:
    def test_an_index_of_another_version_is_made_anew(self, gone, indexed):
        set_version(gone, 7)
        found = indexed()
        sessions = found.update()
        assert found.requests() == {"there": 2, "gone": 3}
        assert {name: is_deleted(session) for name, session in sessions.items()} == {
            "there": False,
            "gone": True,
        }
        assert put_aside_path(gone).exists()

    def test_a_session_deleted_between_two_versions_is_kept(self, gone, home, indexed):
        set_version(gone, 7)
        (home.projects / "there.jsonl").unlink()
        sessions = indexed().update()
        assert all(is_deleted(session) for session in sessions.values())
        assert len(sessions) == 2

    def test_what_is_kept_is_priced_and_counted_as_before(self, gone, home, claude, indexed):
        home.claude("fork", *claude.answers(3, 4, 5, 6, session="fork"))
        set_version(gone, 7)
        found = indexed(key="2", m=3.0)
        sessions = found.update()
        assert found.requests() == {"there": 2, "gone": 3, "fork": 1}
        assert sessions["gone"].cost == pytest.approx(3 * 330e-6)

    def test_what_is_kept_outlives_the_next_version_too(self, gone, indexed):
        for _ in range(2):
            set_version(gone, 7)
            found = indexed()
            found.update()
            found.database.close()
        assert indexed().update().keys() == {"there", "gone"}

    def test_a_file_that_comes_back_is_read(self, gone, home, claude, indexed):
        set_version(gone, 7)
        found = indexed()
        found.update()
        home.claude("gone", *claude.answers(3, 4, session="gone"))
        assert not is_deleted(found.update()["gone"])
        assert found.requests() == {"there": 2, "gone": 2}

    def test_sources_that_are_asked_for_later_are_kept_too(self, home, claude, codex, indexed):
        home.claude("a", claude.answer(1))
        path = home.codex("t", codex.meta("t"), codex.turn(), codex.tokens(1, 100, 10))
        found = indexed()
        found.update()
        path.unlink()
        found.database.close()
        set_version(found.database.path, 7)
        found = indexed()
        found.index.update(found.sources[:1])
        assert found.sessions().keys() == {"a"}
        assert found.update().keys() == {"a", "t"}

    def test_an_old_index_of_another_form_is_no_obstacle(self, gone, indexed):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute("ALTER TABLE file RENAME TO something")
            db.execute("PRAGMA user_version=7")
        assert indexed().update().keys() == {"there"}

    def test_an_empty_file_in_its_place_is_taken(self, gone, indexed):
        gone.write_bytes(b"")
        found = indexed()
        assert found.update().keys() == {"there"}
        assert found.database.trouble == ""


def _all_random(data, chance):
    return chance.randbytes(len(data))


def _half(data, chance):  # noqa: ARG001
    return data[: len(data) // 2]


def _without_pages(data, chance):
    begin = 4096 * chance.randrange(1, len(data) // 4096 - 3)
    return data[:begin] + bytes(3 * 4096) + data[begin + 3 * 4096 :]


def _spots(data, chance):
    damaged = bytearray(data)
    for _ in range(6):
        begin = chance.randrange(100, len(damaged) - 300)
        damaged[begin : begin + 300] = chance.randbytes(300)
    return bytes(damaged)


class TestDamage:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("harm", [_all_random, _half, _without_pages, _spots])
    def test_a_damaged_index_is_made_anew(self, sessions, requests, tmp_path, harm, seed):
        requests()
        path = tmp_path / "data" / FILE
        path.write_bytes(harm(path.read_bytes(), draw(seed)))
        assert requests() == (sessions, 20 * sessions)

    @pytest.mark.parametrize("harm", [_all_random, _half, _without_pages])
    def test_also_when_it_is_damaged_while_it_is_in_use(
        self, sessions, home, claude, machine, harm
    ):
        found = machine()
        store = found.store(Path("/w/proj"), None, {})
        assert len(store.refresh().entries) == sessions
        path = found.database.path
        found.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(harm(path.read_bytes(), draw(1)))
        for name in ("x", "y"):
            home.claude(name, claude.answer(1, name))
        assert len(store.refresh().entries) == sessions + 2
        assert found.database.trouble == ""

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE file SET path = path || char(0)",
            "UPDATE session SET session_id = CAST(x'ff' AS TEXT)",
            "UPDATE session SET path = CAST(x'2fff' AS TEXT)",
        ],
    )
    def test_text_that_is_none_is_damage(self, gone, machine, damage):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute(f"{damage} WHERE id = 1")
            db.commit()
        found = machine()
        assert "there" in found.store(Path("/w/proj"), None, {}).refresh().by_id
        assert found.database.trouble == ""

    def test_a_damaged_schema_is_damage(self, gone, indexed):
        gone.write_bytes(
            gone.read_bytes().replace(b"CREATE TABLE session(", b"CREATE \xffABLE s\xffssion(")
        )
        assert indexed().update().keys() == {"there"}

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE session SET packed = zeroblob(length(packed)) WHERE session_id = 'gone'",
            "UPDATE session SET packed = x'00' WHERE session_id = 'there'",
        ],
    )
    def test_what_can_be_read_of_a_damaged_index_is_kept(self, gone, machine, damage):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute(damage)
            db.commit()
        snapshot = machine().store(Path("/w/proj"), None, {}).refresh()
        found = {session.id: is_deleted(session) for session in snapshot.sessions()}
        assert found == {"there": False, "gone": True}

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE file SET state = zeroblob(9)",
            "UPDATE piece SET requests = zeroblob(length(requests))",
            "UPDATE piece SET requests = x''",
        ],
    )
    def test_a_transcript_of_which_too_little_is_left_is_read_anew(
        self, home, claude, indexed, damage
    ):
        path = home.claude("a", *claude.answers(1, 2))
        found = indexed()
        found.update()
        found.database.close()
        with contextlib.closing(sqlite3.connect(found.database.path)) as db:
            db.execute(damage)
            db.commit()
        home.append(path, claude.answer(3))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 3}

    def test_what_can_no_longer_be_read_of_a_session_that_is_gone_is_left_out(self, gone, indexed):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute("UPDATE file SET state = zeroblob(9)")
            db.commit()
        set_version(gone, 7)
        assert indexed().update().keys() == {"there"}

    def test_a_session_that_is_damaged_is_not_known_by_itself(self, gone, indexed):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute("UPDATE session SET packed = x'00'")
            db.commit()
        assert indexed().index.entry(Child("claude-code", "gone")) is None

    def test_a_damaged_index_is_rebuilt(self, gone, indexed):
        found = indexed()
        gone.write_bytes(draw(1).randbytes(gone.stat().st_size))
        found.index.rebuild()
        assert found.update().keys() == {"there"}
        assert found.database.health() == "ok"

    def test_health_tells_of_damage(self, sessions, machine):
        found = machine()
        found.index.update(found.agents())
        assert len(found.index.entries(CLAUDE, None)) == sessions
        assert found.database.health() == "ok"
        found.database.close()
        found = machine()
        path = found.database.path
        path.write_bytes(_without_pages(path.read_bytes(), draw(1)))
        assert found.database.health() != "ok"


class TestInMemory:
    def check(self, found, home, claude):
        """It has all, and goes on having all."""
        assert found.update().keys() == {"a"}
        home.claude("b", claude.answer(2, "b"))
        assert found.update().keys() == {"a", "b"}
        assert found.database.in_memory

    def test_a_folder_in_its_place(self, home, claude, indexed, tmp_path):
        home.claude("a", claude.answer(1))
        (tmp_path / "data" / FILE / "in").mkdir(parents=True)
        found = indexed()
        self.check(found, home, claude)
        assert str(tmp_path / "data" / FILE) in found.database.trouble

    def test_a_file_in_the_place_of_its_folder(self, home, claude, indexed, tmp_path):
        home.claude("a", claude.answer(1))
        (tmp_path / "data").write_text("")
        found = indexed()
        self.check(found, home, claude)
        assert found.database.trouble.endswith("file exists")

    def test_no_folder_is_known(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        found = indexed(name=None)
        self.check(found, home, claude)
        assert found.database.trouble == "no folder for it was found"
        assert found.database.size == 0

    @pytest.mark.parametrize("exists", [True, False])
    def test_a_place_that_may_not_be_written(self, open_folder, as_no_one, home, exists, claude):
        home = type(home)(open_folder)
        home.claude("a", claude.answer(1))
        data = open_folder / "share" / "rad"
        if exists:
            made = Machine({}, open_folder, data)
            made.index.update(made.agents())
            made.database.close()
            data.chmod(0o555)
            (data / FILE).chmod(0o444)
        home.claude("b", claude.answer(2, "b"))
        with as_no_one(), contextlib.closing(Machine({}, open_folder, data).database) as database:
            assert database.trouble.startswith(str(data / FILE))
        with as_no_one():
            made = Machine({}, open_folder, data)
            snapshot = made.store(Path("/w/proj"), None, {}).refresh()
            assert {entry.id for entry in snapshot.entries} == {"a", "b"}
            assert made.database.in_memory
            made.database.close()

    def test_a_full_disk_from_the_beginning(self, sessions, machine):
        with no_more_than(20_000):
            found = machine()
            found.index.update(found.agents())
            assert len(found.index.entries(CLAUDE, None)) == sessions
        assert found.database.in_memory

    def test_a_disk_that_becomes_full_loses_nothing(self, gone, home, claude, indexed):
        found = indexed()
        found.update()
        size = sum(file.stat().st_size for file in gone.parent.iterdir())
        path = home.claude("new", *claude.answers(*range(100, 20_000), session="new"))
        with no_more_than(size):
            sessions = found.update()
            assert found.requests() == {"there": 2, "gone": 3, "new": 19_900}
            assert is_deleted(sessions["gone"])
            assert found.database.in_memory
        home.append(path, claude.answer(99, "new"))
        found.update()
        assert found.requests()["new"] == 19_901
        found.database.close()
        again = indexed()
        again.update()
        assert again.database.trouble == ""
        assert again.requests() == {"there": 2, "gone": 3, "new": 19_901}


@contextlib.contextmanager
def no_more_than(size):
    """Files can't grow beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_its_size_is_that_on_disk(home, claude, indexed):
    home.claude("a", *claude.answers(*range(5000)))
    found = indexed()
    before = found.database.size
    found.update()
    assert found.database.size > before
    found.database.close()
    assert found.database.size == found.database.path.stat().st_size


def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(tmp_path):
    database = Database(tmp_path / FILE)
    with pytest.raises(sqlite3.IntegrityError), database.writing() as db:
        db.executemany("INSERT INTO meta VALUES (?, ?)", [("a", "b"), ("a", "c")])
    with database.writing() as db:
        assert db.execute("SELECT * FROM meta").fetchall() == []
    database.close()


def test_a_path_that_is_no_unicode_can_have_it(tmp_path):
    database = Database(tmp_path / os.fsdecode(b"\xff?#%") / FILE)
    assert database.trouble == ""
    database.close()
