"""Advice in the words of a terminal and in those of an editor."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rad_lsp.core import advice

ALL = {name: one for name, one in vars(advice).items() if isinstance(one, advice.Advice)}


@pytest.mark.parametrize("name", ALL)
def test_advice_for_editors_names_no_command_of_the_terminal(name):
    assert str(ALL[name]) == ALL[name].terminal
    assert "rad " not in ALL[name].editor
    assert "--" not in ALL[name].editor


def test_program_that_speaks_to_editors_does_so_in_all_it_says():
    code = (
        "from rad_lsp.core import advice, errors; advice.speak_to_editors();"
        "print(errors.NoWorkspace()); print(errors.NoWorkspace(elsewhere=2))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "No workspace found. Open a folder in which an agent has worked.",
        "No sessions in this folder. There are 2 sessions in other folders: open one of them.",
    ]
