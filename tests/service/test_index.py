"""The index of transcripts, as `rad doctor` and `rad index` see it."""

from __future__ import annotations

import pytest

from rad_lsp.service import index, sessions


@pytest.fixture
def machine():
    machine = sessions.open_machine()
    yield machine
    machine.close()


def test_the_state_of_an_index_on_disk(machine):
    assert machine.index.path.is_file()
    assert (machine.index.size > 0, machine.health()) == (True, "ok")


def test_each_agent_has_its_folders(machine):
    agents = machine.agents()
    assert "claude-code" in [agent.name for agent in agents]
    assert all(agent.folders for agent in agents)


def test_a_rebuild_reads_all_transcripts_and_counts_the_sessions(machine, claude_code, codex):
    claude_code("a").prompt().answer()
    codex("b").answer()
    read = []
    assert index.rebuild(machine, read.append) == 2
    assert read
    assert index.rebuild(machine) == 2


def test_lines_that_can_not_be_read_are_counted_with_the_first_of_them(machine, claude_code):
    transcript = claude_code("a").prompt().raw(b'{"type":\n').raw(b"[\n").answer()
    index.rebuild(machine)
    (unreadable,) = index.unreadable(machine)
    assert unreadable.path == str(transcript.path)
    assert (unreadable.lines, unreadable.first_line) == (2, 2)
    assert unreadable.reason
