"""Where files of ours lie: inside the folder that was meant, and for the user alone."""

from __future__ import annotations

import os

import pytest

from rad_lsp import places
from rad_lsp.core.errors import OutputNotWritable

posix = pytest.mark.skipif(os.name != "posix", reason="no such permissions here")


@pytest.fixture(params=[0, 0o022, 0o077, 0o377])
def _umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def permissions(path):
    return path.stat().st_mode & 0o777


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "folder"
    (made / "in").mkdir(parents=True)
    return made


@pytest.fixture
def elsewhere(tmp_path):
    made = tmp_path / "folder-2"
    made.mkdir()
    return made


class TestAPath:
    @pytest.mark.parametrize("name", ["", "in", "new", "in/new", "in/../new"])
    def test_in_the_folder_leads_nowhere_else(self, folder, name):
        assert places.outside(folder / name, folder) is None
        places.check_inside(folder / name, folder)

    def test_in_a_folder_that_a_link_leads_to_is_in_it(self, folder, tmp_path):
        (tmp_path / "link").symlink_to(folder)
        assert places.outside(tmp_path / "link" / "new", folder) is None
        assert places.outside(folder / "new", tmp_path / "link") is None

    def test_may_be_a_link_to_another_place_in_the_folder(self, folder):
        (folder / "link").symlink_to("in/new")
        assert places.outside(folder / "link", folder) is None

    @pytest.mark.parametrize("target", ["../folder-2", "../folder-2/new", "..", "/"])
    @pytest.mark.parametrize("name", ["link", "link/new", "link/a/b"])
    def test_that_a_link_leads_out_of_the_folder_is_told_with_its_target(
        self, folder, elsewhere, target, name
    ):
        assert elsewhere.exists()
        (folder / "link").symlink_to(target)
        real = (folder / target).resolve() / name.removeprefix("link").removeprefix("/")
        assert places.outside(folder / name, folder) == real
        with pytest.raises(OutputNotWritable, match="a link leads to ") as raised:
            places.check_inside(folder / name, folder)
        assert str(real) in str(raised.value)

    def test_in_a_folder_is_told_by_its_name_alone(self, folder, elsewhere):
        (folder / "link").symlink_to(elsewhere)
        assert places.holds(folder, folder / "link" / "new")
        assert not places.holds(folder, folder / ".." / "new")
        assert not places.holds(folder, elsewhere / "new")


@posix
@pytest.mark.usefixtures("_umask")
class TestPermissions:
    def test_of_folders_that_are_made_are_the_users(self, tmp_path):
        places.make_folder(tmp_path / "a" / "b" / "c")
        made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
        assert list(map(permissions, made)) == [0o700] * 3

    def test_of_a_folder_that_is_there_stay(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a").chmod(0o755)
        places.make_folder(tmp_path / "a")
        assert permissions(tmp_path / "a") == 0o755

    @pytest.mark.parametrize(("mode", "left"), [(0o666, 0o600), (0o644, 0o600), (0o400, 0o400)])
    def test_of_others_can_be_taken_away(self, tmp_path, mode, left):
        path = tmp_path / "a"
        path.write_bytes(b"")
        path.chmod(mode)
        places.make_private(path)
        assert permissions(path) == left


def test_a_file_in_a_folders_place_is_an_error(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(FileExistsError):
        places.make_folder(tmp_path / "a")
    with pytest.raises(NotADirectoryError):
        places.make_folder(tmp_path / "a" / "b")


def test_another_process_may_make_a_folder_at_the_same_time(tmp_path, monkeypatch):
    make = os.mkdir

    def mkdir(path, *mode):
        try:
            make(path, *mode)
        except FileNotFoundError:
            monkeypatch.undo()
            os.makedirs(path)  # noqa: PTH103  (Path.mkdir calls what is replaced here)
            raise

    monkeypatch.setattr(os, "mkdir", mkdir)
    places.make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_what_is_not_there_need_not_be_made_private(tmp_path):
    places.make_private(tmp_path / "a")
    assert not (tmp_path / "a").exists()
