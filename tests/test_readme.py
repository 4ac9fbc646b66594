"""Texts for people name what is there: rooms, dependencies, commands, ways to install."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

import rad_lsp
from rad_lsp.cli.main import rad


@pytest.fixture(scope="module")
def readme(request):
    return (request.config.rootpath / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def package(request):
    return request.config.rootpath / "rad_lsp"


@pytest.fixture(scope="module")
def named(request):
    """The files and folders that the architecture names, below `rad_lsp`."""
    text = (request.config.rootpath / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, after = text.partition("```text\nrad_lsp/\n")
    found = set()
    room = ""
    for line in after.partition("\neditors/")[0].splitlines():
        names = re.findall(r"\w+(?:\.py|/)", line)
        if re.match(r" {2}\w", line):
            room, *names = names
            found.add(room)
        found |= {f"{room}{name}" for name in names}
    return found


def modules(folder):
    """The names of modules and packages in a folder, as the architecture writes them."""
    packages = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    return packages | {path.name for path in folder.glob("*.py") if path.name != "__init__.py"}


def test_the_architecture_names_every_room(named, package):
    assert modules(package) <= named


def test_the_architecture_names_every_module_of_the_store(named, package):
    assert {f"store/{name}" for name in modules(package / "store")} <= named


def test_what_the_architecture_names_is_there(named, package):
    assert [name for name in sorted(named) if not (package / name).exists()] == []


def test_every_dependency_has_a_line_that_tells_what_it_is_for(readme, package):
    settings = tomllib.loads((package.parent / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["charts"]]
    wanted = [re.split(r"[^\w.-]", line)[0] for line in named]
    table = readme.partition("| dependency | what it is for |\n| --- | --- |\n")[2]
    lines = re.findall(r"^\| (\S+) \| \S.* \|$", table.partition("\n\n")[0], flags=re.MULTILINE)
    assert sorted(lines) == sorted(wanted)


def commands(command, path):
    """The commands below a group, by what is typed for them."""
    if not isinstance(command, click.Group):
        return {path}
    context = click.Context(command)
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return set().union(*(commands(found[name], f"{path} {name}") for name in found))


def test_every_command_has_a_line(request):
    text = (request.config.rootpath / "docs" / "commands.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(rad(?: [a-z]+)+)", text, flags=re.MULTILINE)
    assert sorted(lines) == sorted(commands(rad, "rad"))


MOST_WORDS = 1_800


def test_the_readme_is_short_enough_to_be_read(readme):
    assert len(readme.split()) < MOST_WORDS


def test_links_between_texts_lead_somewhere(request):
    root = request.config.rootpath
    broken = []
    for file in [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("editors/*/README.md")]:
        text = file.read_text(encoding="utf-8")
        for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)", text):
            place = file.parent / target if target else file
            there = place.read_text(encoding="utf-8") if anchor else ""
            headings = re.findall(r"^#+ (.*)$", there, re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
            if not place.exists() or (anchor and anchor not in slugs):
                broken.append((str(file.relative_to(root)), target, anchor))
    assert broken == []


def test_each_threat_names_a_test_that_there_is(request):
    root = request.config.rootpath
    text = (root / "SECURITY.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for row in rows:
        (path, name) = re.findall(r"`(tests/\S+\.py)::(\w+)`", row)[-1]
        assert f"def {name}(" in (root / path).read_text(encoding="utf-8"), row


TEXTS = {".json", ".lua", ".md", ".ts", ".txt"}


def test_every_text_tells_the_one_way_to_install_that_works(request):
    root = request.config.rootpath
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, check=True).stdout
    told = set()
    for name in listed.decode().splitlines():
        if not name.startswith("tests/") and Path(name).suffix in TEXTS:
            text = (root / name).read_text(encoding="utf-8")
            command = (
                r"(?:pipx|uv tool) (?:install|upgrade) (?:--force (?:'[^']*'|\.)|[^\s`.,\n]*\.?)"
            )
            told |= set(re.findall(command, text))
    assert told == {*rad_lsp.INSTALL, *rad_lsp.INSTALL_ANEW, *rad_lsp.INSTALL_CHARTS}
