"""What the server can be set to: VS Code offers it, and users of each editor are told of it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from rad_lsp import settings, sources
from rad_lsp.core.budget import Budget
from rad_lsp.core.price import Override
from rad_lsp.settings import Settings, StatusSettings

ROOT = Path(__file__).parents[2]
VSCODE = ROOT / "editors" / "vscode"
SERVERS = {
    "timezone",
    "weekStart",
    "sources",
    "prices",
    *(f"statusBar.{name}" for name in StatusSettings.__struct_fields__),
    *(f"budget.{name}" for name in Budget.__struct_fields__),
}
"""The server's settings by the names that editors have for them, below `radLsp`."""

COMMANDS = {"scope"}
"""What only commands look at: a server answers for the folder that is open."""


@pytest.fixture(scope="module")
def offered():
    """The settings of the VS Code client, by their names below `radLsp`."""
    manifest = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))
    properties = manifest["contributes"]["configuration"]["properties"]
    return {name.removeprefix("radLsp."): schema for name, schema in properties.items()}


def nested(names_and_values):
    """Values by dotted names as an editor sends them."""
    made = {}
    for name, value in names_and_values:
        *parents, last = name.split(".")
        into = made
        for parent in parents:
            into = into.setdefault(parent, {})
        into[last] = value
    return made


def told(file):
    return (ROOT / file).read_text(encoding="utf-8")


def test_names_of_settings_here_are_all_that_there_are():
    names = {"statusBar": "status", "weekStart": "week_start"}
    tables = [name.partition(".")[0] for name in SERVERS]
    assert {names.get(name, name) for name in tables} | COMMANDS == set(Settings.__struct_fields__)


def test_the_first_day_of_a_week_can_be_set_in_an_editor():
    assert settings.from_editor({"weekStart": "sunday"}) == {"week_start": "sunday"}


def test_vs_code_offers_all_settings_of_the_server(offered):
    clients = {"statusBar.visibility", "server.path", "server.args", "interpreter", "trace.server"}
    assert offered.keys() == SERVERS | clients


def test_defaults_of_vs_code_set_nothing(offered):
    defaults = nested((name, schema["default"]) for name, schema in offered.items())
    assert settings.from_editor(defaults) == {}


def test_vs_code_offers_each_source(offered):
    assert set(offered["sources"]["items"]["enum"]) == set(sources.NAMES)
    assert len(offered["sources"]["items"]["enumDescriptions"]) == len(sources.NAMES)


def test_vs_code_offers_each_rate_of_a_price(offered):
    price = offered["prices"]["additionalProperties"]
    fields = msgspec.structs.fields(Override)
    assert price["properties"].keys() == {field.name for field in fields}
    assert set(price["required"]) == {field.name for field in fields if field.required}


def test_vs_code_takes_the_figures_that_a_format_may_name(offered):
    pattern = offered["statusBar.format"]["pattern"]
    assert all(re.search(pattern, f"a {{{name}}} b") for name in settings.FIGURES)
    assert not re.search(pattern, "{joy}")


@pytest.mark.parametrize("file", ["editors/vscode/package.nls.json", "editors/vscode/README.md"])
def test_users_of_vs_code_are_told_of_sources_and_rates(file):
    text = told(file)
    names = {*sources.NAMES, *Override.__struct_fields__}
    assert {name for name in names if f"`{name}`" not in text and f'"{name}' not in text} == set()


def test_users_of_vs_code_are_told_of_each_setting(offered):
    text = told("editors/vscode/README.md").replace("`, `.", "`, `radLsp.budget.")
    assert {name for name in offered if f"`radLsp.{name}`" not in text} == set()


def test_users_of_neovim_are_told_of_settings_that_the_server_takes():
    help_ = told("editors/neovim/doc/rad_lsp.txt")
    section = r"^7\. Settings of the server(.*?)^={70}"
    (text,) = re.findall(section, help_, re.DOTALL | re.MULTILINE)
    words = {*re.findall(r"[\w-]+", text)}
    assert {name.rpartition(".")[2] for name in SERVERS} <= words
    assert {*sources.NAMES, *Override.__struct_fields__} <= words


def test_the_example_of_a_settings_file_sets_all_that_there_is():
    example = r"^```toml\n(timezone = .*?)^```"
    (block,) = re.findall(example, told("docs/settings.md"), re.DOTALL | re.MULTILINE)
    values = tomllib.loads(block)
    settings.checked(values, "docs/settings.md")
    assert values.keys() == set(Settings.__struct_fields__)
    assert values["budget"].keys() == set(Budget.__struct_fields__)
    (price,) = values["prices"].values()
    assert price.keys() == set(Override.__struct_fields__)
    found = {*re.findall(r"radLsp\.([\w.]+\w)", block)}
    assert found == {name for name in SERVERS if not name.startswith("budget.")} | {"budget"}
