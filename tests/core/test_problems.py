"""What is wrong with a session's file, as values."""

from __future__ import annotations

import msgspec

from rad_lsp.core.problems import Problem


def test_a_problem_goes_on_behind_a_colon():
    assert Problem("empty", "The file is empty").reason == "the file is empty"
    assert Problem("other", "").reason == ""


def test_what_a_problem_quotes_is_printable_and_short():
    found = Problem("other", "\x1b]0;title\x07\u202e\n\ud800" + "x" * 100_000)
    assert found.message.isprintable()
    assert len(found.message) < 10_000
    packed = msgspec.msgpack.encode(["other", "\x1b[2J"])
    assert msgspec.msgpack.decode(packed, type=Problem).message == "\\x1b[2J"


def test_a_problem_is_an_error_of_the_whole_file_where_nothing_else_is_said():
    found = Problem("empty", "The file is empty")
    assert (found.severity, found.path, found.span) == ("error", (), None)
