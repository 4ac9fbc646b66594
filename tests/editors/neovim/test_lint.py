"""The plugin's Lua is formatted as stylua does it, and luacheck has nothing to say."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.editors.neovim.conftest import missing

HOW = "run tests/editors/neovim/setup.sh"


@pytest.fixture
def plugin():
    pytest.importorskip("fcntl", reason="Neovim is driven through a pty, which Windows has not")
    from tests.editors.neovim.editor import PLUGIN

    return PLUGIN


def test_format(plugin):
    from tests.editors.neovim.editor import INSTALLED

    node = shutil.which("node")
    if not node or not (INSTALLED / "node_modules/@johnnymorganz/stylua").is_dir():
        missing("stylua", HOW)
    script = plugin.parents[1] / "tests/editors/neovim/stylua.cjs"
    done = subprocess.run(
        [node, script, "--check", plugin], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint(plugin):
    program = shutil.which("luacheck") or missing("luacheck", HOW)
    done = subprocess.run(
        [program, "--no-color", "-q", "."], cwd=plugin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
