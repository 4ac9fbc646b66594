"""Reports and transcripts that are read by themselves."""

from __future__ import annotations

import pytest

from rad_lsp.core.price import Override
from rad_lsp.core.problems import Problem
from rad_lsp.service import Prices, documents

SONNET = "claude-sonnet-4-5-20250929"


@pytest.fixture
def read():
    """Reads a transcript as a document."""

    def read(transcript):
        path = str(transcript.path)
        source = documents.transcript_source(path)
        assert source is not None
        return documents.Transcript(source, path, transcript.path.read_bytes())

    return read


def lines(transcript):
    """Where each line begins and ends."""
    start = 0
    for line in transcript.path.read_bytes().splitlines(keepends=True):
        yield start, start + len(line)
        start += len(line)


def test_a_transcript_is_known_by_its_folder_and_suffix(claude_code, codex, tmp_path):
    path = claude_code("a").prompt().path
    assert documents.transcript_source(str(path)) == "claude-code"
    assert documents.transcript_source(str(codex("b").answer().path)) == "codex"
    assert documents.transcript_source(str(path.with_suffix(".txt"))) is None
    assert documents.transcript_source(str(tmp_path / "a.jsonl")) is None


def test_the_desktop_app_s_logs_are_no_transcripts(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    local = tmp_path / "Claude" / "local-agent-mode-sessions" / "org" / "account" / "local_1"
    transcript = local / ".claude" / "projects" / "-work" / "a.jsonl"
    assert documents.transcript_source(str(transcript)) == "claude-code"
    assert documents.transcript_source(str(local / "audit.jsonl")) is None


def test_a_transcripts_session_costs_what_the_prices_say(claude_code, read):
    found = read(claude_code("a").prompt().answer().answer())
    assert found.session_id == "a"
    assert found.session(Prices()).cost == pytest.approx(0.009)
    dear = Prices({SONNET: Override(1000, 10_000)})
    assert found.session(dear).cost == pytest.approx(4)


def test_a_line_has_a_session_of_only_its_own_requests(claude_code, read):
    transcript = claude_code("a").prompt().answer().answer(input=2000)
    prompt, first, second = lines(transcript)
    found, dear = read(transcript), Prices({SONNET: Override(1000, 10_000)})
    assert found.session_of_line(*prompt, dear) is None
    assert found.session_of_line(*first, dear).cost == pytest.approx(2)
    assert found.session_of_line(*second, dear).cost == pytest.approx(3)


def test_lines_that_can_not_be_read_are_named(claude_code, read):
    found = read(claude_code("a").prompt().raw(b'{"type":\n').answer())
    assert [skipped.line for skipped in found.skipped] == [2]


def test_a_transcript_without_a_session_says_so(claude_code):
    path = str(claude_code("a").prompt().path)
    found = documents.Transcript("claude-code", path, b"")
    assert found.session_id == ""
    assert isinstance(found.session(Prices()), Problem)


def test_bytes_are_read_of_files_only(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    assert documents.read_bytes(str(tmp_path / "a.json")) == b"{}"
    assert documents.read_bytes(str(tmp_path / "b.json")) is None
    assert isinstance(documents.read_bytes(str(tmp_path)), Problem)
