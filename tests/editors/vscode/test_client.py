"""The extension without VS Code: its types, strings, unit tests and package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile

import pytest

from rad_lsp.sources import NAMES, label
from tests.editors.vscode import workbench


@pytest.fixture(scope="module")
def sources(installed, tmp_path_factory):  # noqa: ARG001  (skips)
    return workbench.client_copy(tmp_path_factory.mktemp("sources") / "vscode")


def test_where_there_are_no_sessions_every_agent_is_named_that_is_looked_for():
    strings = json.loads((workbench.CLIENT / "package.nls.json").read_text(encoding="utf-8"))
    for welcome in ("welcome.sessions", "welcome.nothing"):
        assert not [name for name in map(label, NAMES) if name not in strings[welcome]]


def test_types_are_those_of_the_server(sources, tmp_path):
    schema = tmp_path / "schema.json"
    command = [sys.executable, "-m", "rad_lsp", "--schema"]
    schema.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    done = workbench.npm(sources, "run", "types:check", "--", "--schema", str(schema))
    assert done.returncode == 0, done.stderr


def test_stale_types_are_found(sources, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(
        json.dumps(
            {
                "title": "another contract",
                "version": 2,
                "$defs": {},
                "requests": {},
                "notifications": {},
            }
        )
    )
    done = workbench.npm(sources, "run", "types:check", "--", "--schema", str(schema))
    assert done.returncode == 1
    assert "stale" in done.stderr


@pytest.mark.parametrize("check", ["lint", "format:check"])
def test_sources_pass(sources, check):
    done = workbench.npm(sources, "run", check)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_promise_that_nobody_waits_for_and_another_style_are_found(sources):
    added = sources / "src" / "added.ts"
    added.write_text('export function added(): void {\n  fetch("x");\n}\n', encoding="utf-8")
    try:
        lint = workbench.npm(sources, "run", "lint")
        style = workbench.npm(sources, "run", "format:check")
    finally:
        added.unlink()
    assert lint.returncode == 1
    assert "no-floating-promises" in lint.stdout
    assert style.returncode == 1
    assert "added.ts" in style.stdout + style.stderr


def test_unit_tests_pass(sources):
    done = workbench.npm(sources, "test")
    assert done.returncode == 0, done.stdout + done.stderr


def test_package_holds_what_it_needs_and_nothing_else(vsix):
    with zipfile.ZipFile(vsix) as package:
        names = {name.removeprefix("extension/") for name in package.namelist()}
        icon = package.read("extension/media/icon.png")
    assert {"dist/extension.js", "dist/client.js", "l10n/bundle.l10n.json"} <= names
    assert {"package.nls.json", "readme.md", "changelog.md", "LICENSE.txt"} <= names
    assert not {name for name in names if name.startswith(("src/", "test/", "pictures/", "node_"))}
    assert not {name for name in names if name.endswith(".map")}
    assert icon[16:24] == (128).to_bytes(4, "big") * 2
    assert vsix.stat().st_size < 400_000


def test_development_build_leads_the_debugger_to_the_sources(sources):
    done = workbench.npm(sources, "run", "build")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("extension", "client"):
        built = sources / "dist" / f"{name}.js"
        assert built.read_text(encoding="utf-8").endswith(f"//# sourceMappingURL={name}.js.map\n")
        origins = json.loads(built.with_suffix(".js.map").read_text(encoding="utf-8"))["sources"]
        own = {
            (built.parent / origin).resolve() for origin in origins if "node_modules" not in origin
        }
        assert own
        assert own <= {path.resolve() for path in (sources / "src").rglob("*.*")}
    launch = json.loads((workbench.REPOSITORY / ".vscode/launch.json").read_text(encoding="utf-8"))
    assert (
        "${workspaceFolder}/editors/vscode/dist/**/*.js" in launch["configurations"][0]["outFiles"]
    )


def test_shop_window_names_the_agents():
    manifest = json.loads((workbench.CLIENT / "package.json").read_text(encoding="utf-8"))
    texts = json.loads((workbench.CLIENT / "package.nls.json").read_text(encoding="utf-8"))
    for agent in ("Claude Code", "Codex", "Gemini CLI", "Copilot CLI"):
        assert agent in texts["description"]
        assert agent.lower() in manifest["keywords"]
    assert "AI" in manifest["categories"]


def test_product_has_one_name():
    manifest = json.loads((workbench.CLIENT / "package.json").read_text(encoding="utf-8"))
    texts = json.loads((workbench.CLIENT / "package.nls.json").read_text(encoding="utf-8"))
    assert {manifest["name"], texts["displayName"], texts["category"]} == {"rad-lsp"}
    editors = workbench.CLIENT.parent
    files = [
        path
        for kind in ("*.ts", "*.json", "*.md", "*.lua", "*.txt", "*.mjs")
        for path in editors.rglob(kind)
        if not {"node_modules", "dist"} & set(path.parts)
    ]
    others = re.compile(r"Radium Sessions|radium-sessions|\bRadium: |['\"`]rad: ")
    texts_of = {path: path.read_text(encoding="utf-8") for path in files}
    assert "rad-lsp" in texts_of[workbench.CLIENT / "README.md"].splitlines()[0]
    assert "rad-lsp" in texts_of[editors / "neovim" / "README.md"].splitlines()[0]
    assert "rad-lsp" in texts_of[editors / "neovim" / "doc" / "rad_lsp.txt"].splitlines()[0]
    assert {str(path) for path, text in texts_of.items() if others.search(text)} == set()


def test_lock_file_names_no_host():
    lock = json.loads((workbench.CLIENT / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_no_setting_counts_from_a_folder_before_it_is_trusted():
    manifest = json.loads((workbench.CLIENT / "package.json").read_text(encoding="utf-8"))
    settings = manifest["contributes"]["configuration"]["properties"]
    restricted = manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert restricted == list(settings)


def test_settings_of_programs_come_from_the_machine():
    manifest = json.loads((workbench.CLIENT / "package.json").read_text(encoding="utf-8"))
    settings = manifest["contributes"]["configuration"]["properties"]
    programs = ("radLsp.server.path", "radLsp.server.args", "radLsp.interpreter")
    assert {settings[name]["scope"] for name in programs} == {"machine-overridable"}
    assert all("markdownDescription" in setting for setting in settings.values())
