"""When two spellings of a path are one path, on each system."""

from __future__ import annotations

import unicodedata

import pytest

from rad_lsp.core import paths


@pytest.fixture
def on(monkeypatch):
    """Paths are those of a system."""
    return lambda system: monkeypatch.setattr(paths, "SYSTEM", system)


WORK = "C:\\Users\\Ünal\\Work"


@pytest.mark.parametrize(
    "other",
    [
        "c:\\Users\\Ünal\\Work",
        "C:/Users/Ünal/Work",
        "c:\\users\\ünal\\work",
        "\\\\?\\C:\\Users\\Ünal\\Work",
    ],
)
def test_windows_paths_are_one_whatever_slashes_case_and_prefix(on, other):
    on("win32")
    assert paths.folder_key(other) == paths.folder_key(WORK)


def test_a_share_is_one_with_and_without_its_prefix(on):
    on("win32")
    assert paths.folder_key("\\\\?\\UNC\\host\\Share\\x") == paths.folder_key("//HOST/share/x")
    assert paths.folder_key("\\\\host\\share\\x") != paths.folder_key("\\host\\share\\x")


def test_macos_tells_neither_case_nor_encoding_of_accents_apart(on):
    on("darwin")
    decomposed = unicodedata.normalize("NFD", "/Users/é/Work")
    assert paths.folder_key(decomposed) == paths.folder_key("/users/É/work")
    assert paths.folder_key("/Users/a\\b") != paths.folder_key("/Users/a/b")


def test_linux_tells_all_apart(on):
    on("linux")
    names = ["/w/App", "/w/app", "/w\\app", unicodedata.normalize("NFD", "/w/é"), "/w/é"]
    assert [paths.folder_key(name) for name in names] == names


def test_a_file_of_windows_is_one_however_a_tool_writes_it():
    work = "C:\\work"
    written = ["src\\a.py", "SRC/a.py", ".\\src\\a.py", "lib\\..\\src\\a.py", "c:/work/src/A.py",
               "\\\\?\\C:\\work\\src\\a.py"]  # fmt: skip
    assert {paths.file_key(work, path) for path in written} == {"c:/work/src/a.py"}
    assert paths.file_key("\\\\host\\share\\w", "a.py") == paths.file_key("", "//HOST/share/w/A.py")


def test_a_file_of_another_system_keeps_its_case():
    written = ["src/a.py", "./src/a.py", "/work/src/a.py", "/work/lib/../src/a.py"]
    assert {paths.file_key("/work", path) for path in written} == {"/work/src/a.py"}
    assert paths.file_key("/work", "src/A.py") == "/work/src/A.py"


def test_shares_of_other_machines_are_known(on):
    on("win32")
    for path in ("\\\\host\\share", "//host/share", "\\\\?\\UNC\\host\\share", "\\\\.\\pipe\\x"):
        assert paths.is_remote(path)
    for path in (WORK, f"\\\\?\\{WORK}", "\\\\wsl$\\Debian\\home", "//WSL.localhost/x", "/x", ""):
        assert not paths.is_remote(path)


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_two_slashes_are_no_other_machine_elsewhere(on, system):
    on(system)
    assert not paths.is_remote("//host/share")
