"""What the readers of transcripts share."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.transcript import moment
from rad_lsp.sources import SHOWN, Progress
from rad_lsp.sources._lines import (
    Moment,
    added_and_removed,
    decode,
    files,
    milliseconds,
    storable,
    text_hash,
)


class Thing(msgspec.Struct):
    type: str = ""
    number: int = 0
    time: Moment | None = None


@pytest.fixture
def read():
    """The records in some lines, and what was noted of them."""

    def decoded(data, progress=None):
        progress = progress or Progress()
        return decode(data, Thing, progress, {"thing"}), progress

    return decoded


def test_lines_become_records(read):
    records, progress = read(b'{"type":"thing","number":1}\n{"type":"other","x":[1]}\r\n')
    assert records == [Thing("thing", 1), Thing("other")]
    assert progress == Progress(2)


def test_bad_lines_are_counted_and_the_first_are_kept(read):
    data = b'{"number":1}\n' + b"bad\n" * (SHOWN + 2) + b'{"number":2}\n'
    records, progress = read(data)
    assert [record.number for record in records] == [1, 2]
    assert progress.lines == SHOWN + 4
    assert progress.skipped == SHOWN + 2
    assert [one.line for one in progress.first_skipped] == [2, 3, 4, 5, 6]


def test_a_record_behind_what_a_crash_left_unwritten_is_read(read):
    records, progress = read(b'\0\0\0{"number":1}\n\0\0\n{"number":2}\0\0\n')
    assert [record.number for record in records] == [1, 2]
    assert [one.line for one in progress.first_skipped] == [2]


def test_lines_are_counted_on(read):
    _, progress = read(b'{"number":1}\n{"number":2}\n')
    records, progress = read(b'{"number":3}\nbad\n', progress)
    assert [record.number for record in records] == [3]
    assert [one.line for one in progress.first_skipped] == [4]


def test_records_of_other_types_may_have_any_form(read):
    data = b'{"type":"other","number":"x"}\n{"type":"thing","number":"x"}\n'
    records, progress = read(data)
    assert records == []
    assert [(one.line, one.reason) for one in progress.first_skipped] == [
        (2, "Expected `int`, got `str` - at `$.number`")
    ]


def test_characters_that_are_none_are_replaced(read):
    records, progress = read(b'{"type":"a\xff"}\n{"type":"\\ud83d!"}\n')
    assert [record.type for record in records] == ["a\N{REPLACEMENT CHARACTER}", "?!"]
    assert progress == Progress(2)


@pytest.mark.parametrize("rest", [b"", b"bad\n"])
def test_records_between_which_a_line_feed_was_lost_are_two(read, rest):
    records, _ = read(b'{"number":1}{"number":2}\n{"number":3}\n' + rest)
    assert [record.number for record in records] == [1, 2, 3]


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    decode(data, Thing, Progress(), {"thing"})


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(-12, 12),
)
def test_times_are_milliseconds_since_the_epoch(time, hours):
    time = time.replace(tzinfo=timezone(timedelta(hours=hours)))
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    assert milliseconds(time) == since // timedelta(milliseconds=1)
    assert moment(milliseconds(time)) <= time < moment(milliseconds(time) + 1)


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_times_outside_all_years_are_the_first_or_last_day(written):
    time = datetime.fromisoformat(written)
    assert moment(milliseconds(time)).year == time.year


def test_a_name_of_a_file_can_be_stored():
    assert storable("näme") == "näme"
    assert storable(os.fsdecode(b"\xff.jsonl")).encode()


def test_times_have_a_zone(read):
    records, progress = read(
        b'{"type":"thing","time":"2026-03-02T12:00:00.25+01:00"}\n'
        b'{"type":"thing","time":"2026-03-02T12:00:00"}\n'
    )
    assert [milliseconds(record.time) for record in records] == [1_772_449_200_250]
    assert progress.skipped == 1


def test_a_path_has_the_same_number_everywhere():
    assert text_hash("/work/app/a.py") == 3_155_643_872_935_275_729
    assert text_hash("/work/app/\udce9") != text_hash("/work/app/a.py")


def test_a_patch_adds_and_removes():
    assert added_and_removed(["+a", " b", "-c", "-d", "\\ No newline"]) == (1, 2)


class TestFiles:
    def made(self, *places):
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        return sorted(str(place) for place in places)

    def test_are_those_with_the_suffix_up_to_a_level(self, tmp_path):
        top, below = self.made(tmp_path / "a.jsonl", tmp_path / "b" / "c.jsonl")
        self.made(tmp_path / "a.json", tmp_path / "b" / "c" / "d.jsonl")
        assert sorted(files([tmp_path], ".jsonl", levels=1)) == [top, below]
        assert list(files([tmp_path], ".jsonl", levels=0)) == [top]
        assert len(list(files([tmp_path], ".jsonl"))) == 3

    def test_come_once_from_folders_within_each_other(self, tmp_path):
        found = self.made(tmp_path / "a" / "b.jsonl", tmp_path / "c.jsonl")
        assert sorted(files([tmp_path, tmp_path / "a", tmp_path], ".jsonl")) == found

    def test_are_none_of_what_can_t_be_read(self, tmp_path):
        self.made(tmp_path / "a.jsonl")
        assert list(files([tmp_path / "none", tmp_path / "a.jsonl"], ".jsonl")) == []

    def test_come_once_whatever_links_lead_to_them(self, tmp_path):
        (path,) = self.made(tmp_path / "in" / "a.jsonl")
        try:
            (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
            (tmp_path / "in" / "self").symlink_to("self")
            (tmp_path / "in" / "gone.jsonl").symlink_to("gone")
        except OSError:
            pytest.skip("no symbolic links here")
        assert list(files([tmp_path / "in"], ".jsonl")) == [path]

    def test_may_be_links_to_files_that_do_not_come_otherwise(self, tmp_path):
        (path,) = self.made(tmp_path / "in" / "a.jsonl")
        self.made(tmp_path / "in" / "b.txt", tmp_path / "out" / "c.jsonl")
        links = {"also_a": "a.jsonl", "b": "b.txt", "c": "../out/c.jsonl", "c2": "../out/c.jsonl"}
        try:
            for name, target in links.items():
                (tmp_path / "in" / f"{name}.jsonl").symlink_to(target)
        except OSError:
            pytest.skip("no symbolic links here")
        found = list(files([tmp_path / "in"], ".jsonl"))
        assert found[0] == path
        assert {Path(one).resolve().name for one in found[1:]} == {"b.txt", "c.jsonl"}
        assert len(found) == 3

    @pytest.mark.skipif(os.name == "nt", reason="paths this long need another spelling")
    def test_may_have_long_paths(self, tmp_path):
        (path,) = self.made(Path(tmp_path, *["x" * 60] * 6, "a.jsonl"))
        assert list(files([tmp_path], ".jsonl")) == [path]
