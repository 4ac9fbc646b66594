"""README.md names what is there: rooms and modules, dependencies and commands."""

from __future__ import annotations

import re
import tomllib

import click
import pytest

from rad_lsp.cli.main import rad


@pytest.fixture(scope="module")
def readme(request):
    return (request.config.rootpath / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def package(request):
    return request.config.rootpath / "rad_lsp"


@pytest.fixture(scope="module")
def named(readme):
    """The files and folders that the architecture names, below `rad_lsp`."""
    _, _, after = readme.partition("```text\nrad_lsp/\n")
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
    wanted = [re.split(r"[^\w.-]", line)[0] for line in settings["project"]["dependencies"]]
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


def test_every_command_has_a_line(readme):
    lines = re.findall(r"^\| `(rad(?: [a-z]+)+)", readme, flags=re.MULTILINE)
    assert sorted(lines) == sorted(commands(rad, "rad"))


def test_each_threat_names_a_test_that_there_is(request):
    root = request.config.rootpath
    text = (root / "SECURITY.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for row in rows:
        (path, name) = re.findall(r"`(tests/\S+\.py)::(\w+)`", row)[-1]
        assert f"def {name}(" in (root / path).read_text(encoding="utf-8"), row
