"""Files that someone else may have put there."""

from __future__ import annotations

import os

import pytest

from rad_lsp.regular import NotRegularFile, TooLarge, open_regular, read_small


def test_a_regular_file_is_opened(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with open_regular(str(tmp_path / "file")) as file:
        assert file.read() == b"x"


def test_a_folder_is_not(tmp_path):
    with pytest.raises((NotRegularFile, PermissionError)):
        open_regular(str(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither in the file system")
def test_neither_pipe_nor_device_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(NotRegularFile):
            read_small(str(tmp_path / name), 10)


def test_a_small_file_is_read_whole_and_a_large_one_not_at_all(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_small(str(path), 10) == b"0123456789"
    os.truncate(path, 1 << 31)  # without taking room on the disk
    with pytest.raises(TooLarge):
        read_small(str(path), 10)
