"""requirements.lock pins all that pyproject.toml names, by hashes and without addresses."""

from __future__ import annotations

import re
import tomllib

import pytest


def distribution(requirement):
    """The name in a requirement such as `coverage[toml]>=7.6`, as PEP 503 normalises it."""
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def lock(request):
    return (request.config.rootpath / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pinned(lock):
    """For each distribution, the text of its entry: the version, then the hashes."""
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    return {distribution(entry): entry for entry in entries}


def test_it_contains_no_address(lock):
    assert "://" not in lock


def test_every_dependency_is_pinned(request, pinned):
    path = request.config.rootpath / "pyproject.toml"
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    project = settings["project"]
    named = {
        distribution(requirement)
        for group in (
            settings["build-system"]["requires"],
            project["dependencies"],
            *project["optional-dependencies"].values(),
        )
        for requirement in group
    }
    assert named - set(pinned) == {project["name"]}


def test_every_entry_has_a_version_and_hashes(pinned):
    entry = re.compile(r"[a-z0-9-]+==[\w.]+( ; .+)? \\\n +--hash=sha256:[0-9a-f]{64}")
    assert [name for name, text in pinned.items() if not entry.match(text)] == []
