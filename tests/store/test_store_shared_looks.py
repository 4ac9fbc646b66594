"""Stores of one machine, which need not look at all transcripts one after the other."""

from __future__ import annotations

import time

import pytest

from rad_lsp.service import sessions


@pytest.fixture
def machine():
    machine = sessions.open_machine()
    yield machine
    machine.close()


def test_what_another_store_has_looked_at_since_is_not_looked_at_again(
    machine, workspace, claude_code
):
    first = sessions.open_store(machine, workspace.root, None, {})
    second = sessions.open_store(machine, workspace.root, None, {})
    asked = time.monotonic()
    first.refresh(asked=asked)
    claude_code("late").prompt().answer()
    assert second.refresh(asked=asked).entries == ()
    assert [entry.id for entry in second.refresh(asked=time.monotonic()).entries] == ["late"]
    assert [entry.id for entry in first.refresh().entries] == ["late"]


def test_reports_are_of_one_workspace_and_always_looked_at(machine, workspace):
    store = sessions.open_store(machine, workspace.root, None, {})
    asked = time.monotonic()
    store.refresh(asked=asked)
    workspace.add("late")
    assert [entry.id for entry in store.refresh(asked=asked).entries] == ["late"]
