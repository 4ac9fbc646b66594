"""The file of the index: several processes, damage, other versions, and places it can't be in."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import sqlite3
from pathlib import Path

import pytest

from rad_lsp.store import query
from rad_lsp.store.index import FILE, Damaged, Index, put_aside_path
from rad_lsp.store.machine import Machine
from rad_lsp.store.migrations import MIGRATIONS
from rad_lsp.store.query import Scope
from rad_lsp.store.store import Store

UNNUMBERED = 1_234_567_890
"""A version as indexes had it before the first release."""

CLAUDE = frozenset({"claude-code"})


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
        entries = read(found)
        found.index.close()
        assert found.index.trouble == ""
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
    made.index.close()
    return made.index.path


def read(machine):
    """The sessions of Claude Code, after an update."""

    def update():
        machine.update(machine.agents(CLAUDE))
        return query.entries(machine.index.connection, Scope(CLAUDE), None)

    return machine.guarded(update)


def draw(seed):
    """The same chance on every run."""
    return random.Random(seed)  # noqa: S311


def set_version(path, version):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={version}")


def is_deleted(session):
    return any("has been deleted" in problem.message for problem in session.problems)


class TestProcesses:
    @pytest.mark.parametrize("count", [2, 20])
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
        set_version(gone, UNNUMBERED)
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
        with contextlib.closing(sqlite3.connect(found.index.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            found.update()
            assert found.requests() == {"a": 1}
        assert found.index.trouble == ""
        found.update()
        assert found.requests() == {"a": 2}

    def test_one_whose_index_was_put_aside_goes_on(self, gone, home, claude, indexed):
        server = indexed()
        server.update()
        set_version(gone, UNNUMBERED)
        newer = indexed()
        assert newer.update().keys() == {"there", "gone"}
        home.append(home.projects / "there.jsonl", claude.answer(9, "there"))
        server.update()
        newer.update()
        assert server.requests() == newer.requests() == {"there": 3, "gone": 3}
        server.index.close()
        newer.update()
        newer.index.close()
        assert indexed().update().keys() == {"there", "gone"}


class TestVersions:
    def test_an_index_from_before_the_first_release_is_made_anew(self, gone, indexed):
        set_version(gone, UNNUMBERED)
        found = indexed()
        sessions = found.update()
        assert found.requests() == {"there": 2, "gone": 3}
        assert {name: is_deleted(session) for name, session in sessions.items()} == {
            "there": False,
            "gone": True,
        }
        assert put_aside_path(gone).exists()
        assert found.index.notice
        assert indexed().index.notice == ""

    def test_a_session_deleted_between_two_versions_is_kept(self, gone, home, indexed):
        set_version(gone, UNNUMBERED)
        (home.projects / "there.jsonl").unlink()
        sessions = indexed().update()
        assert all(is_deleted(session) for session in sessions.values())
        assert len(sessions) == 2

    def test_what_is_kept_is_priced_and_counted_as_before(self, gone, home, claude, indexed):
        home.claude("fork", *claude.answers(3, 4, 5, 6, session="fork"))
        set_version(gone, UNNUMBERED)
        found = indexed(key="2", m=3.0)
        sessions = found.update()
        assert found.requests() == {"there": 2, "gone": 3, "fork": 1}
        assert sessions["gone"].cost == pytest.approx(3 * 330e-6)

    def test_what_another_file_of_the_transcript_tells_is_not_kept_beside(
        self, gone, home, claude, indexed
    ):
        # As when it was moved or compressed: the version before may have used other keys.
        moved = home.claude("elsewhere/gone", *claude.answers(13, 14, 15, session="gone"))
        set_version(gone, UNNUMBERED)
        found = indexed()
        assert not is_deleted(found.update()["gone"])
        assert found.requests() == {"there": 2, "gone": 3}
        moved.unlink()
        assert is_deleted(found.update()["gone"])

    def test_a_file_of_the_transcript_that_tells_less_is_no_reason_to_forget_it(
        self, gone, home, claude, indexed
    ):
        home.claude("elsewhere/gone", *claude.answers(3, session="gone"))
        set_version(gone, UNNUMBERED)
        found = indexed()
        found.update()
        assert found.requests() == {"there": 2, "gone": 3}

    def test_what_is_kept_outlives_the_next_version_too(self, gone, indexed):
        for _ in range(2):
            set_version(gone, UNNUMBERED)
            found = indexed()
            found.update()
            found.index.close()
        assert indexed().update().keys() == {"there", "gone"}

    def test_a_file_that_comes_back_is_read(self, gone, home, claude, indexed):
        set_version(gone, UNNUMBERED)
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
        found.index.close()
        set_version(found.index.path, UNNUMBERED)
        found = indexed()
        found.update(sources=found.sources[:1])
        assert found.sessions().keys() == {"a"}
        assert found.update().keys() == {"a", "t"}

    def test_an_old_index_of_another_form_is_no_obstacle(self, gone, indexed):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute("ALTER TABLE file RENAME TO something")
            db.execute(f"PRAGMA user_version={UNNUMBERED}")
        assert indexed().update().keys() == {"there"}

    def test_an_empty_file_in_its_place_is_taken(self, gone, indexed):
        gone.write_bytes(b"")
        found = indexed()
        assert found.update().keys() == {"there"}
        assert found.index.trouble == ""


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


def add_column(db):
    """A migration that a later version might have."""
    db.execute("ALTER TABLE session ADD COLUMN title TEXT")
    db.execute("UPDATE session SET title = session_id")


@pytest.mark.skipif(os.name != "posix", reason="no such permissions here")
class TestPermissions:
    @pytest.fixture(params=[0, 0o022, 0o077])
    def umask(self, request):
        before = os.umask(request.param)
        yield
        os.umask(before)

    def modes(self, folder):
        return {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}

    @pytest.mark.usefixtures("umask")
    def test_are_the_users_alone_whatever_the_umask(self, tmp_path, machine, home, claude):
        home.claude("a", *claude.answers(1, 2))
        folder = tmp_path / "share" / "rad-lsp"
        first, second = machine(folder), machine(folder)
        for made in (first, second):
            assert len(read(made)) == 1
        files = {FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}.lock"}
        expected = {"rad-lsp": 0o700} | dict.fromkeys(files, 0o600)
        assert self.modes(folder) == expected
        assert (tmp_path / "share").stat().st_mode & 0o777 == 0o700
        for made in (first, second):
            made.index.close()

    @pytest.mark.usefixtures("umask")
    def test_of_an_index_that_others_could_read_are_taken_back(self, gone):
        set_version(gone, UNNUMBERED)
        gone.parent.chmod(0o777)
        for path in gone.parent.iterdir():
            path.chmod(0o666)
        Index(gone).close()
        modes = self.modes(gone.parent)
        assert modes.pop(gone.parent.name) == 0o700
        assert put_aside_path(gone).name in modes
        assert set(modes.values()) == {0o600}


class TestMigrations:
    LATER = (*MIGRATIONS, add_column)

    def test_an_older_index_is_migrated_and_keeps_sessions_that_only_it_knows(self, gone):
        index = Index(gone, migrations=self.LATER)
        rows = index.connection.execute("SELECT title FROM session ORDER BY 1").fetchall()
        assert rows == [("gone",), ("there",)]
        assert (index.trouble, index.notice) == ("", "")
        assert index.connection.execute("PRAGMA user_version").fetchone() == (len(self.LATER),)
        assert not put_aside_path(gone).exists()
        index.close()

    def test_a_migration_is_made_once_by_all_processes(self, gone):
        first, second = (Index(gone, migrations=self.LATER) for _ in range(2))
        assert first.connection.execute("SELECT count(title) FROM session").fetchone() == (2,)
        assert second.trouble == ""
        first.close()
        second.close()

    def test_a_migration_that_fails_changes_nothing(self, gone, indexed):
        def fails(db):
            db.execute("UPDATE session SET packed = NULL")
            db.execute("SELECT abs(-9223372036854775808) FROM session").fetchall()

        broken = Index(gone, migrations=(*self.LATER, fails))
        assert broken.in_memory
        broken.close()
        found = indexed()
        assert found.update().keys() == {"there", "gone"}
        assert found.index.trouble == ""

    def test_an_index_of_a_newer_version_is_left_alone(self, gone, indexed):
        Index(gone, migrations=self.LATER).close()
        found = indexed()
        assert found.index.trouble.endswith("update this one")
        assert found.update().keys() == {"there"}
        newer = Index(gone, migrations=self.LATER)
        assert newer.connection.execute("SELECT count(*) FROM session").fetchone() == (2,)
        newer.close()


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
        store = Store(found, Path("/w/proj"))
        assert len(store.refresh().entries) == sessions
        path = found.index.path
        found.index.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(harm(path.read_bytes(), draw(1)))
        for name in ("x", "y"):
            home.claude(name, claude.answer(1, name))
        assert len(store.refresh().entries) == sessions + 2
        assert found.index.trouble == ""

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE file SET path = path || char(0)",
            "UPDATE session SET session_id = CAST(x'ff' AS TEXT)",
            "UPDATE file SET path = CAST(x'2fff' AS TEXT)",
        ],
    )
    def test_text_that_is_none_is_damage(self, gone, machine, damage):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute(f"{damage} WHERE id = 1")
            db.commit()
        found = machine()
        assert "there" in Store(found, Path("/w/proj")).refresh().by_id
        assert found.index.trouble == ""

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
        snapshot = Store(machine(), Path("/w/proj")).refresh()
        found = {session.id: is_deleted(session) for session in snapshot.sessions()}
        assert found == {"there": False, "gone": True}

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE file SET state = zeroblob(9)",
            "UPDATE part SET facts = zeroblob(length(facts))",
            "UPDATE part SET facts = x''",
            "DELETE FROM name",
        ],
    )
    def test_a_transcript_of_which_too_little_is_left_is_read_anew(
        self, home, claude, indexed, damage
    ):
        path = home.claude("a", *claude.answers(1, 2))
        found = indexed()
        found.update()
        found.index.close()
        with contextlib.closing(sqlite3.connect(found.index.path)) as db:
            db.execute(damage)
            db.commit()
        home.append(path, claude.answer(3))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 3}

    def test_what_can_no_longer_be_read_of_a_session_that_is_gone_is_left_out(self, gone, indexed):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute("UPDATE part SET facts = zeroblob(9)")
            db.commit()
        set_version(gone, UNNUMBERED)
        assert indexed().update().keys() == {"there"}

    def test_a_session_that_is_damaged_is_not_taken_for_one_that_is_unknown(self, gone, indexed):
        with contextlib.closing(sqlite3.connect(gone)) as db:
            db.execute("UPDATE session SET packed = x'00'")
            db.commit()
        with pytest.raises(Damaged):
            indexed().entry("claude-code", "gone")

    def test_a_damaged_index_is_rebuilt(self, gone, indexed):
        found = indexed()
        gone.write_bytes(draw(1).randbytes(gone.stat().st_size))
        found.machine.rebuild()
        assert found.update().keys() == {"there"}
        assert found.machine.health() == "ok"

    @pytest.mark.usefixtures("gone")
    def test_an_index_is_rebuilt_twice_and_keeps_what_only_it_knows(self, indexed):
        found = indexed()
        found.machine.rebuild()
        found.machine.rebuild()
        assert found.update().keys() == {"there", "gone"}

    def test_health_tells_of_damage(self, sessions, machine):
        found = machine()
        assert len(read(found)) == sessions
        assert found.health() == "ok"
        found.index.close()
        found = machine()
        path = found.index.path
        path.write_bytes(_without_pages(path.read_bytes(), draw(1)))
        assert found.health() != "ok"


class TestInMemory:
    def check(self, found, home, claude):
        """It has all, and goes on having all."""
        assert found.update().keys() == {"a"}
        home.claude("b", claude.answer(2, "b"))
        assert found.update().keys() == {"a", "b"}
        assert found.index.in_memory

    def test_a_folder_in_its_place(self, home, claude, indexed, tmp_path):
        home.claude("a", claude.answer(1))
        (tmp_path / "data" / FILE / "in").mkdir(parents=True)
        found = indexed()
        self.check(found, home, claude)
        assert str(tmp_path / "data" / FILE) in found.index.trouble

    def test_a_file_in_the_place_of_its_folder(self, home, claude, indexed, tmp_path):
        home.claude("a", claude.answer(1))
        (tmp_path / "data").write_text("")
        found = indexed()
        self.check(found, home, claude)
        assert found.index.trouble.endswith("file exists")

    def test_no_folder_is_known(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        found = indexed(memory=True)
        self.check(found, home, claude)
        assert found.index.trouble == "no folder for it was found"
        assert found.index.size == 0

    @pytest.mark.parametrize("exists", [True, False])
    def test_a_place_that_may_not_be_written(self, open_folder, as_no_one, home, exists, claude):
        home = type(home)(open_folder)
        home.claude("a", claude.answer(1))
        data = open_folder / "share" / "rad"
        if exists:
            made = Machine({}, open_folder, data)
            read(made)
            made.index.close()
            data.chmod(0o555)
            (data / FILE).chmod(0o444)
        home.claude("b", claude.answer(2, "b"))
        with as_no_one(), contextlib.closing(Machine({}, open_folder, data).index) as index:
            assert index.trouble.startswith(str(data / FILE))
        with as_no_one():
            made = Machine({}, open_folder, data)
            snapshot = Store(made, Path("/w/proj")).refresh()
            assert {entry.id for entry in snapshot.entries} == {"a", "b"}
            assert made.index.in_memory
            made.index.close()

    def test_a_full_disk_from_the_beginning(self, sessions, machine):
        with no_more_than(20_000):
            found = machine()
            assert len(read(found)) == sessions
        assert found.index.in_memory

    def test_a_disk_that_becomes_full_loses_nothing(self, gone, home, claude, indexed):
        found = indexed()
        found.update()
        size = sum(file.stat().st_size for file in gone.parent.iterdir())
        path = home.claude("new", *claude.answers(*range(100, 20_000), session="new"))
        with no_more_than(size):
            sessions = found.update()
            assert found.requests() == {"there": 2, "gone": 3, "new": 19_900}
            assert is_deleted(sessions["gone"])
            assert found.index.in_memory
        home.append(path, claude.answer(99, "new"))
        found.update()
        assert found.requests()["new"] == 19_901
        found.index.close()
        again = indexed()
        again.update()
        assert again.index.trouble == ""
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
    before = found.index.size
    found.update()
    assert found.index.size > before
    found.index.close()
    assert found.index.size == found.index.path.stat().st_size


def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(tmp_path):
    index = Index(tmp_path / FILE)
    with pytest.raises(sqlite3.IntegrityError), index.writing() as db:
        db.executemany("INSERT INTO meta VALUES (?, ?)", [("a", "b"), ("a", "c")])
    with index.writing() as db:
        assert db.execute("SELECT * FROM meta").fetchall() == []
    index.close()


def test_a_second_connection_takes_nothing_from_the_first(tmp_path, process):
    """Another process that ends would else take away the changes that are not folded in yet."""
    first, second = (Index(tmp_path / "data" / FILE) for _ in range(2))
    with first.writing() as db:
        db.execute("INSERT INTO meta VALUES ('a', 'b')")
    second.close()
    assert process().communicate(timeout=60) == (b"", b"")
    assert (tmp_path / "data" / f"{FILE}-wal").exists()
    assert first.connection.execute("SELECT value FROM meta WHERE key = 'a'").fetchall() == [("b",)]
    first.close()


def test_a_path_that_is_no_unicode_can_have_it(tmp_path):
    index = Index(tmp_path / os.fsdecode(b"\xff?#%") / FILE)
    assert index.trouble == ""
    index.close()
