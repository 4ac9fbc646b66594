"""What of a file is new, and what keeps it from being read."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import report
from rad_lsp.core.problems import Problem
from rad_lsp.store import files
from rad_lsp.store.files import File

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
needs_permissions = pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users here")


@pytest.fixture
def path(tmp_path):
    """Where a file may be put."""
    return tmp_path / "x.json"


@pytest.fixture
def while_reading(monkeypatch):
    """Does something once, between opening a file and the first bytes."""

    def during(act):
        read = os.read
        pending = [act]

        def acting(descriptor, size):
            if pending:
                pending.pop()()
            return read(descriptor, size)

        monkeypatch.setattr(os, "read", acting)

    return during


def read(path):
    return files.read_whole(str(path))


def lines(path, offset=0):
    with File(str(path)) as file:
        return list(file.lines(offset))


class TestStamp:
    def test_changes_with_the_file_only(self, path):
        path.write_bytes(b"a")
        before = files.stamp(str(path))
        with File(str(path)) as file:
            assert files.stamp(str(path)) == file.stamp == before
        new = path.with_name("x.tmp")
        new.write_bytes(b"a")
        new.replace(path)
        assert files.stamp(str(path)) != before

    def test_changes_when_a_file_grows(self, path):
        path.write_bytes(b"a")
        before = files.stamp(str(path))
        path.write_bytes(b"ab")
        assert files.stamp(str(path)) != before

    @needs_permissions
    def test_changes_with_the_permissions(self, path):
        path.write_bytes(b"a")
        before = files.stamp(str(path))
        path.chmod(0o400)
        assert files.stamp(str(path)) != before

    def test_is_zero_of_what_is_not_there(self, path):
        assert files.stamp(str(path)) == 0


class TestGone:
    def test_is_what_is_not_there_or_is_no_file(self, path, tmp_path):
        assert files.is_gone(str(path))
        path.write_bytes(b"")
        assert not files.is_gone(str(path))
        assert files.is_gone(str(path / "below"))
        assert files.is_gone(str(tmp_path))

    @needs_permissions
    def test_is_nothing_that_may_not_be_looked_at(self, open_folder, as_no_one):
        folder = open_folder / "closed"
        folder.mkdir()
        (folder / "x.json").write_bytes(b"{}")
        folder.chmod(0o744)
        with as_no_one():
            assert not files.is_gone(str(folder / "x.json"))


class TestWhole:
    @pytest.mark.parametrize("data", [b"", b"{}\r\n\x1a\n", b"x" * 3_000_000])
    def test_is_every_byte(self, path, data):
        path.write_bytes(data)
        assert read(path) == data
        with File(str(path)) as file:
            assert list(file.whole()) == [(data, len(data))]

    def test_of_a_link_is_the_file_it_leads_to(self, path):
        path.with_name("y.json").write_bytes(b"{}")
        path.symlink_to("y.json")
        assert read(path) == b"{}"

    def test_is_none_of_a_file_that_is_gone(self, path):
        assert read(path) is None

    def test_of_a_file_deleted_meanwhile_is_still_read(self, path, while_reading):
        path.write_bytes(b"{}")
        while_reading(path.unlink)
        assert read(path) == b"{}"

    def test_of_a_file_replaced_meanwhile_is_one_version(self, path, while_reading):
        path.write_bytes(b"old")
        new = path.with_name("x.tmp")
        new.write_bytes(b"newer")
        while_reading(lambda: new.replace(path))
        with File(str(path)) as file:
            assert list(file.whole()) == [(b"old", 3)]
            assert file.stamp != files.stamp(str(path))
        assert read(path) == b"newer"

    @pytest.mark.parametrize("before", [b"", b"{"])
    def test_of_a_file_that_grows_meanwhile_is_all_of_it(self, path, while_reading, before):
        path.write_bytes(before)
        grown = b"x" * 3_000_000
        while_reading(lambda: path.write_bytes(grown))
        with File(str(path)) as file:
            assert list(file.whole()) == [(grown, len(grown))]
            assert file.stamp != files.stamp(str(path))

    def test_of_a_file_that_shrinks_meanwhile_is_what_is_left(self, path, while_reading):
        path.write_bytes(b"x" * 1000)
        while_reading(lambda: os.truncate(path, 500))
        assert read(path) == b"x" * 500

    def test_of_a_file_that_grows_beyond_what_is_read_is_given_up(
        self, path, while_reading, monkeypatch
    ):
        monkeypatch.setattr(report, "MAX_BYTES", 1000)
        path.write_bytes(b"{")
        while_reading(lambda: path.write_bytes(b" " * 20_000_000))
        data = read(path)
        assert 1000 < len(data) <= 1000 + 2 * files.CHUNK
        monkeypatch.setattr(report, "MAX_BYTES", 1000)
        problem = report.read(data)
        assert isinstance(problem, Problem)
        assert problem.code == "too-large"


class TestProblems:
    def test_is_that_it_is_a_folder(self, path):
        path.mkdir()
        assert read(path) == Problem("not-a-file", "It is a folder, not a file")

    @needs_fifos
    def test_is_that_it_is_a_named_pipe_which_is_not_waited_for(self, path):
        os.mkfifo(path)
        assert read(path) == Problem("not-a-file", "It is a named pipe, not a file")
        with File(str(path)) as file:
            problem = file.problem(whole=False)
        assert problem is not None
        assert problem.code == "not-a-file"

    @pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices here")
    def test_is_that_it_is_a_link_to_a_device(self, path):
        path.symlink_to("/dev/zero")
        assert read(path) == Problem("not-a-file", "It is a device, not a file")

    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
    def test_is_that_it_is_a_socket(self, path, monkeypatch):
        monkeypatch.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("x.json")
            assert read(path).code == "unreadable"

    def test_is_that_it_is_larger_than_is_read_as_a_whole(self, path):
        with path.open("wb") as file:
            file.truncate(67_108_865)
        found = Problem(
            "too-large", "The file has 67,108,865 bytes, more than the 64 MiB that are read"
        )
        assert read(path) == found
        with File(str(path)) as file:
            assert (file.problem(whole=True), file.problem(whole=False)) == (found, None)

    def test_is_that_a_link_leads_to_nothing(self, path):
        path.symlink_to("nowhere")
        assert read(path) == Problem(
            "unreadable", "The file can't be read: no such file or directory"
        )

    def test_is_that_links_lead_in_a_circle(self, path):
        path.symlink_to("y.json")
        path.with_name("y.json").symlink_to("x.json")
        assert read(path).code == "unreadable"

    @needs_permissions
    def test_is_that_it_may_not_be_read(self, open_folder, as_no_one):
        path = open_folder / "x.json"
        path.write_bytes(b"{}")
        path.chmod(0)
        with as_no_one():
            found = read(path)
        assert found == Problem("no-permission", "The file may not be read: permission denied")

    @needs_permissions
    def test_is_that_its_folder_may_not_be_entered(self, open_folder, as_no_one):
        folder = open_folder / "closed"
        folder.mkdir()
        (folder / "x.json").write_bytes(b"{}")
        folder.chmod(0o744)
        with as_no_one():
            assert read(folder / "x.json").code == "no-permission"

    def test_is_an_input_error(self, path, while_reading):
        def fail():
            raise OSError(5, "Input/output error")

        path.write_bytes(b"{}")
        while_reading(fail)
        assert read(path) == Problem("unreadable", "The file can't be read: input/output error")

    def test_is_none_of_a_file(self, path):
        path.write_bytes(b"")
        with File(str(path)) as file:
            assert file.problem(whole=True) is None


class TestLines:
    def test_are_whole_ones_up_to_where_they_end(self, path):
        path.write_bytes(b"one\ntwo\nhalf")
        assert lines(path) == [(b"one\ntwo\n", 8)]
        assert lines(path, 4) == [(b"two\n", 8)]
        assert lines(path, 8) == []
        path.write_bytes(b"one\ntwo\nhalf a line\n")
        assert lines(path, 8) == [(b"half a line\n", 20)]

    @pytest.mark.parametrize("data", [b"", b"no line yet"])
    def test_are_none_of_a_file_without_a_line_feed(self, path, data):
        path.write_bytes(data)
        assert lines(path) == []

    def test_are_those_that_the_file_had_when_it_was_opened(self, path):
        path.write_bytes(b"one\n")
        with File(str(path)) as file:
            with path.open("ab") as growing:
                growing.write(b"two\n")
            assert list(file.lines(0)) == [(b"one\n", 4)]

    def test_end_where_a_file_was_cut_meanwhile(self, path, while_reading):
        path.write_bytes(b"one\ntwo\n")
        while_reading(lambda: os.truncate(path, 5))
        assert lines(path) == [(b"one\n", 4)]

    @given(lengths=st.lists(st.integers(0, 40), max_size=12), chunk=st.integers(1, 50),
           start=st.integers(0, 12))  # fmt: skip
    def test_are_the_same_whatever_is_read_at_a_time(self, lengths, chunk, start):
        data = b"".join(b"x" * length + b"\n" for length in lengths) + b"rest"
        offset = sum(length + 1 for length in lengths[:start])
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(files, "CHUNK", chunk)
            path = Path(folder, "x")
            path.write_bytes(data)
            pieces = lines(path, offset)
        assert b"".join(piece for piece, _ in pieces) == data[offset : len(data) - 4]
        ends = [offset]
        for piece, end in pieces:
            assert piece.endswith(b"\n")
            ends.append(ends[-1] + len(piece))
            assert end == ends[-1]

    def test_that_are_too_long_are_given_by_their_beginning(self, path, monkeypatch):
        monkeypatch.setattr(files, "CHUNK", 100)
        monkeypatch.setattr(files, "MAX_LINE", 1000)
        long = b"{" + b"x" * 5000
        path.write_bytes(b"one\n" + long + b"\ntwo\nthree\n" + long)
        pieces = lines(path)
        read = b"".join(piece for piece, _ in pieces)
        first, cut, *others = read.split(b"\n")
        assert (first, others) == (b"one", [b"two", b"three", b""])
        assert long.startswith(cut)
        assert 0 < len(cut) < 100
        # The place is that after the last line feed, so that a later read goes on there.
        assert pieces[-1][1] == path.stat().st_size - len(long)

    def test_may_be_longer_than_what_is_read_at_a_time(self, path, monkeypatch):
        monkeypatch.setattr(files, "CHUNK", 100)
        path.write_bytes(b"x" * 950 + b"\n" + b"y\n")
        assert b"".join(piece for piece, _ in lines(path)) == path.read_bytes()


class TestTail:
    def digest(self, path, offset):
        with File(str(path)) as file:
            return file.tail(offset)

    def test_is_the_same_when_a_file_has_grown(self, path):
        path.write_bytes(b"a" * 5000 + b"\n")
        before = self.digest(path, 5001)
        path.write_bytes(b"a" * 5000 + b"\nmore\n")
        assert self.digest(path, 5001) == before

    def test_is_another_of_another_file(self, path):
        path.write_bytes(b"a" * 5000 + b"\n")
        before = self.digest(path, 5001)
        path.write_bytes(b"a" * 4999 + b"b\n")
        assert self.digest(path, 5001) != before

    def test_holds_none_of_the_bytes(self, path):
        path.write_bytes(b"xyzzy" * 400)
        assert b"xyzzy" not in self.digest(path, 2000)
        assert len(self.digest(path, 2000)) == 16

    def test_of_the_beginning_is_that_of_no_bytes(self, path):
        path.write_bytes(b"abc")
        other = path.with_name("y")
        other.write_bytes(b"")
        assert self.digest(path, 0) == self.digest(other, 0)
        assert self.digest(path, 0) != self.digest(path, 3)
