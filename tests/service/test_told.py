"""What is told once, whoever tells it."""

from __future__ import annotations

import os
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rad_lsp.service.told import Told

DAY = 86_400


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data" / "rad-lsp"


def test_the_first_to_claim_a_thing_tells_it(data):
    one, other = Told(data), Told(data)
    assert one.claim([("day", "80")])
    assert not one.claim([("day", "80")])
    assert not other.claim([("day", "80")])
    assert other.claim([("day", "100")])
    assert not Told(data).claim([("day", "100")])


def test_what_is_claimed_beside_it_is_not_told_later(data):
    assert Told(data).claim([("day", "100"), ("day", "80")])
    assert not Told(data).claim([("day", "80")])


def test_a_lower_threshold_that_was_told_keeps_no_higher_one_back(data):
    assert Told(data).claim([("day", "80")])
    assert Told(data).claim([("day", "100"), ("day", "80")])


def test_of_many_at_once_one_tells_it(data):
    with ThreadPoolExecutor(16) as pool:
        for number in range(20):
            claims = pool.map(
                lambda told, n=number: told.claim([(str(n),)]), map(Told, [data] * 16)
            )
            assert sum(claims) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_the_record_is_the_users_alone_and_names_nothing(data):
    umask = os.umask(0)
    try:
        Told(data).claim([("day", "/home/me/secret-project")])
    finally:
        os.umask(umask)
    (folder,) = data.iterdir()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b""
    assert "secret" not in str(file)


@pytest.mark.parametrize("age", [70, -70], ids=["old", "of a wrong clock"])
def test_records_of_other_times_are_removed(data, age):
    assert Told(data).claim([("old",)])
    assert Told(data).claim([("recent",)])
    (folder,) = data.iterdir()
    old = min(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    moment = time.time() - age * DAY
    os.utime(old, (moment, moment))
    assert Told(data).claim([("new",)])
    assert len([*folder.iterdir()]) == 2
    assert not Told(data).claim([("recent",)])


def test_a_damaged_record_is_made_anew(data):
    data.mkdir(parents=True)
    (data / "told").write_bytes(b"\0garbage")
    assert Told(data).claim([("day",)])
    assert not Told(data).claim([("day",)])


def test_what_can_not_be_recorded_is_told_once_by_each(tmp_path):
    nowhere = tmp_path / "file" / "below"
    (tmp_path / "file").write_bytes(b"")
    told = Told(nowhere)
    assert told.claim([("day",)])
    assert not told.claim([("day",)])
    assert Told(nowhere).claim([("day",)])
