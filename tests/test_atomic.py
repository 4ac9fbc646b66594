"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rad_lsp import atomic


@pytest.fixture
def folder(tmp_path):
    """A folder to write to."""
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def no_links(monkeypatch):
    """A file system without hard links."""

    def link(_source, _target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)


@pytest.fixture
def held(monkeypatch):
    """Another program holds the file: `held(times)` says how often a replacement fails."""
    replace = Path.replace

    def make(times):
        left = [PermissionError(errno.EACCES, "Permission denied")] * times

        def fail_first(path, target):
            if left:
                raise left.pop()
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", fail_first)
        monkeypatch.setattr("time.sleep", lambda _seconds: None)

    return make


@pytest.fixture
def any_umask():
    """The test may set a umask."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def failing(error, *chunks):
    yield from chunks
    raise error


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("sync", [True, False])
def test_a_file_is_written_whole(folder, overwrite, sync):
    chunks = iter([b"ab", b"", b"cde"])
    size = atomic.write(folder / "o.csv", chunks, overwrite=overwrite, sync=sync)
    assert size == 5
    assert (folder / "o.csv").read_bytes() == b"abcde"
    assert names(folder) == ["o.csv"]


def test_a_file_without_links_is_written_whole(folder, no_links):  # noqa: ARG001
    atomic.write(folder / "o.csv", [b"ab"], overwrite=False)
    assert (folder / "o.csv").read_bytes() == b"ab"
    assert names(folder) == ["o.csv"]


def test_a_file_that_exists_is_kept_unless_overwriting_is_asked_for(folder):
    path = folder / "o.csv"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        atomic.write(path, [b"new"], overwrite=False)
    assert path.read_bytes() == b"old"
    assert atomic.write(path, [b"new!"], overwrite=True) == 4
    assert path.read_bytes() == b"new!"
    assert names(folder) == ["o.csv"]


def comes_in_between(folder):
    path = folder / "o.csv"

    def chunks():
        yield b"ours"
        path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        atomic.write(path, chunks(), overwrite=False)
    assert path.read_bytes() == b"theirs"
    assert names(folder) == ["o.csv"]


def test_a_file_that_comes_to_be_in_the_meantime_is_kept(folder):
    comes_in_between(folder)


def test_a_file_that_comes_to_be_in_the_meantime_is_kept_without_links(folder, no_links):  # noqa: ARG001
    comes_in_between(folder)


def test_a_file_that_another_program_holds_for_a_moment_is_replaced(folder, held):
    (folder / "o.csv").write_bytes(b"old")
    held(5)
    atomic.write(folder / "o.csv", [b"new"], overwrite=True)
    assert (folder / "o.csv").read_bytes() == b"new"


def test_a_file_that_another_program_keeps_holding_stays_as_it_is(folder, held):
    (folder / "o.csv").write_bytes(b"old")
    held(1000)
    with pytest.raises(PermissionError):
        atomic.write(folder / "o.csv", [b"new"], overwrite=True)
    assert (folder / "o.csv").read_bytes() == b"old"
    assert names(folder) == ["o.csv"]


def test_a_new_file_that_can_not_be_moved_leaves_nothing_behind(folder, held, no_links):  # noqa: ARG001
    held(1000)
    with pytest.raises(PermissionError):
        atomic.write(folder / "o.csv", [b"new"], overwrite=False)
    assert names(folder) == []


@pytest.mark.parametrize("sync", [True, False])
def test_the_content_is_on_the_disk_before_it_takes_its_place(folder, monkeypatch, sync):
    path = folder / "o.csv"
    synced = []
    fsync = os.fsync

    def noted(descriptor):
        assert not path.exists()
        fsync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", noted)
    atomic.write(path, [b"new"], overwrite=True, sync=sync)
    assert synced == [3] * sync


@pytest.mark.skipif(os.name != "posix", reason="no such permissions here")
@pytest.mark.parametrize(
    ("mode", "kept"), [(0o644, 0o600), (0o666, 0o600), (0o600, 0o600), (0o400, 0o400)]
)
def test_an_overwritten_file_keeps_permissions_that_are_stricter(folder, mode, kept):
    path = folder / "o.csv"
    path.write_bytes(b"old")
    path.chmod(mode)
    atomic.write(path, [b"new"], overwrite=True)
    assert path.stat().st_mode & 0o777 == kept


@pytest.mark.skipif(os.name != "posix", reason="no such permissions here")
@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o377])
@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.usefixtures("any_umask")
def test_only_the_user_may_read_a_file_whatever_the_umask(folder, mask, overwrite):
    os.umask(mask)

    def chunks():
        yield b"part"
        (temporary,) = folder.iterdir()
        assert temporary.stat().st_mode & 0o077 == 0

    atomic.write(folder / "o.csv", chunks(), overwrite=overwrite)
    assert (folder / "o.csv").stat().st_mode & 0o777 == 0o600


def test_until_it_is_whole_the_old_file_stands(folder):
    path = folder / "o.csv"
    path.write_bytes(b"old")

    def chunks():
        yield b"new"
        assert path.read_bytes() == b"old"

    atomic.write(path, chunks(), overwrite=True)
    assert path.read_bytes() == b"new"


def test_a_link_goes_on_to_point_where_it_points(folder, tmp_path):
    (tmp_path / "real.csv").write_bytes(b"old")
    (folder / "o.csv").symlink_to(tmp_path / "real.csv")
    atomic.write(folder / "o.csv", [b"new"], overwrite=True)
    assert (folder / "o.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"new"


def test_a_link_to_nothing_exists_and_is_followed(folder, tmp_path):
    (folder / "o.csv").symlink_to(tmp_path / "real.csv")
    with pytest.raises(FileExistsError):
        atomic.write(folder / "o.csv", [b"new"], overwrite=False)
    atomic.write(folder / "o.csv", [b"new"], overwrite=True)
    assert (tmp_path / "real.csv").read_bytes() == b"new"
    assert (folder / "o.csv").is_symlink()


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), RuntimeError()],
    ids=["full", "interrupt", "unforeseen"],
)
def test_what_goes_wrong_leaves_nothing_behind(folder, existing, error):
    path = folder / "o.csv"
    if existing:
        path.write_bytes(b"old")
    with pytest.raises(type(error)):
        atomic.write(path, failing(error, b"part", b"x" * 100_000), overwrite=True)
    assert names(folder) == (["o.csv"] if existing else [])
    assert not existing or path.read_bytes() == b"old"


@pytest.fixture
def small_files():
    """No file may be larger than a megabyte."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_a_file_that_grows_too_large_leaves_nothing_behind(folder):
    with pytest.raises(OSError, match="File too large"):
        atomic.write(folder / "o.csv", [b"x" * 600_000] * 3, overwrite=False)
    assert names(folder) == []


@pytest.mark.parametrize(
    "stem", ["a" * 251, "\u540d" * 83, "\U0001f600" * 62], ids=["latin", "chinese", "emoji"]
)
def test_every_name_that_a_file_may_have_can_be_written(folder, stem):
    atomic.write(folder / f"{stem}.csv", [b"x"], overwrite=False)
    assert names(folder) == [f"{stem}.csv"]
