"""The paths that URIs name, on each system."""

from __future__ import annotations

import pytest

from rad_lsp.core import paths
from rad_lsp.server.uris import path_of, uri_of


@pytest.fixture
def on(monkeypatch):
    """Paths are those of a system."""
    return lambda system: monkeypatch.setattr(paths, "SYSTEM", system)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/Users/x", "C:\\Users\\x"),
        ("file:///C:/Users/x", "C:\\Users\\x"),
        ("FILE:///c%3a/Users/%C3%BC%20n", "C:\\Users\\ü n"),
        ("file://localhost/c:/x", "C:\\x"),
        ("file://host/share/x", "\\\\host\\share\\x"),
        ("file:////host/share/x", "\\\\host\\share\\x"),
        ("file://wsl%24/Debian/home", "\\\\wsl$\\Debian\\home"),
    ],
)
def test_a_uri_of_windows_is_a_path_as_windows_writes_it(on, uri, path):
    on("win32")
    assert path_of(uri) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/x", "/home/x"),
        ("file://localhost/home/x", "/home/x"),
        ("file:///c%3A/x", "/c:/x"),
        ("file:///a%5Cb", "/a\\b"),
        ("file:///%ff.csv", "/\udcff.csv"),
        ("file:///a;b", "/a;b"),
        ("file://host/share/x", None),
    ],
)
def test_elsewhere_a_uri_is_the_path_of_its_bytes(on, uri, path):
    on("linux")
    assert path_of(uri) == path


@pytest.mark.parametrize("uri", ["", "untitled:1", "http://x/y", "file://", "file:///a%00", "//[x"])
@pytest.mark.parametrize("system", ["linux", "win32"])
def test_what_names_no_file_has_no_path(on, system, uri):
    on(system)
    assert path_of(uri) is None


def test_a_path_is_that_of_its_uri(tmp_path):
    path = str(tmp_path / "a b;c#é%")
    assert path_of(uri_of(path)) == path
