"""Tests in real editors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # xdist looks for the marker in the same hook
def pytest_collection_modifyitems(items):
    """Keep an editor's tests on one worker: two at once slow each other down, and share windows."""
    for item in items:
        if HERE in item.path.parents:
            editor = item.path.relative_to(HERE).parts[0]
            item.add_marker(pytest.mark.xdist_group(editor))


@pytest.fixture(autouse=True, scope="session")
def one_worker(request):
    """Fail where xdist does not heed the groups; it does so by a suffix of a test's id."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        mine = [item for item in request.session.items if HERE in item.path.parents]
        assert all("@" in item.nodeid for item in mine), "pytest-xdist heeds no groups"
