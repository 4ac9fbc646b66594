"""What is wrong with a session's file, as values."""

from __future__ import annotations

from rad_lsp.core.problems import Problem


def test_a_problem_goes_on_behind_a_colon():
    assert Problem("empty", "The file is empty").reason == "the file is empty"
    assert Problem("other", "").reason == ""


def test_a_problem_is_an_error_of_the_whole_file_where_nothing_else_is_said():
    found = Problem("empty", "The file is empty")
    assert (found.severity, found.path, found.span) == ("error", (), None)
