"""Errors that a user can mend: one line for people, and data for programs."""

from __future__ import annotations

import pytest

from rad_lsp.core import errors


@pytest.mark.parametrize(
    ("error", "kind", "message", "data"),
    [
        (
            errors.NoWorkspace(),
            "NoWorkspace",
            "No Radium workspace found. Run 'rad init' to create one.",
            {},
        ),
        (
            errors.NoSessions(),
            "NoSessions",
            "No sessions found. Run an agent session first, or see 'rad doctor'.",
            {},
        ),
        (
            errors.SessionNotFound("x", []),
            "SessionNotFound",
            "No session 'x' found. 'rad stats history' lists the sessions.",
            {"sessionId": "x", "candidates": []},
        ),
        (
            errors.SessionNotFound("x", ["xa"]),
            "SessionNotFound",
            "No session 'x' found. Did you mean 'xa'?",
            {"sessionId": "x", "candidates": ["xa"]},
        ),
        (
            errors.SessionNotFound("x", ["xa", "xb", "xc"]),
            "SessionNotFound",
            "No session 'x' found. Did you mean 'xa', 'xb' or 'xc'?",
            {"sessionId": "x", "candidates": ["xa", "xb", "xc"]},
        ),
        (
            errors.SessionNotFound("", []),
            "SessionNotFound",
            "The session id is empty. 'rad stats history' lists the sessions.",
            {"sessionId": "", "candidates": []},
        ),
        (
            errors.SessionAmbiguous("x", ["xa", "xb"], 2),
            "SessionAmbiguous",
            "'x' is the beginning of 2 session ids: xa, xb. Give more of it.",
            {"sessionId": "x", "candidates": ["xa", "xb"]},
        ),
        (
            errors.SessionAmbiguous("x", ["xa", "xb"], 1234),
            "SessionAmbiguous",
            "'x' is the beginning of 1,234 session ids: xa, xb and 1,232 more. Give more of it.",
            {"sessionId": "x", "candidates": ["xa", "xb"]},
        ),
        (
            errors.NoPreviousSession("x"),
            "NoPreviousSession",
            "There is no session of the same agent before 'x'.",
            {"sessionId": "x"},
        ),
        (
            errors.SessionUnreadable("/w/a.json", "it has been deleted"),
            "SessionUnreadable",
            "/w/a.json can't be read: it has been deleted.",
            {"path": "/w/a.json", "reason": "it has been deleted"},
        ),
        (
            errors.OutputExists("o.csv"),
            "OutputExists",
            "o.csv exists already, and was not to be overwritten.",
            {"path": "o.csv"},
        ),
        (
            errors.OutputNotWritable("o.csv", "no space left on device"),
            "OutputNotWritable",
            "o.csv can't be written: no space left on device.",
            {"path": "o.csv", "reason": "no space left on device"},
        ),
        (
            errors.BadSettings("a.toml", "timezone: no"),
            "BadSettings",
            "a.toml: timezone: no",
            {"origin": "a.toml", "reason": "timezone: no"},
        ),
        (
            errors.BadSessionId("a/b", "it has a slash"),
            "BadSessionId",
            "'a/b' can't be a session's id: it has a slash. Choose another, or leave it out.",
            {"sessionId": "a/b", "reason": "it has a slash"},
        ),
        (
            errors.SessionExists("mine"),
            "SessionExists",
            (
                "Session 'mine' is recorded already, or being recorded by another program. "
                "Choose another id, or leave it out."
            ),
            {"sessionId": "mine"},
        ),
    ],
)
def test_an_error_is_a_sentence_and_its_parts(error, kind, message, data):
    assert isinstance(error, errors.RadError)
    assert (error.kind, str(error), error.data) == (kind, message, data)


@pytest.mark.parametrize(
    "error",
    [
        errors.SessionNotFound("\x1b[2J\n", ["\x07\n"]),
        errors.SessionAmbiguous("\n", ["\x1b[2J\n", "\n\n"], 2),
        errors.NoPreviousSession("\x1b[2J\n"),
        errors.SessionUnreadable("/w/\n\x1b.json", "gone"),
        errors.OutputExists("\n\x1b"),
        errors.BadSessionId("\x1b\n" * 200, "it is too long"),
        errors.SessionExists("\n\x1b"),
        errors.OutputNotWritable("\n\x1b", "full"),
        errors.BadSettings("\n\x1b", "no"),
        errors.BadSettings("x" * 100_000, "no"),
        errors.SessionNotFound("x" * 100_000, ["y" * 100_000]),
        errors.BadSettings("a.toml", "Object contains unknown field `\n\x1b`"),
        errors.SessionUnreadable("a.json", '`metrics.model_usage["\n\x1b"]` is missing'),
    ],
)
def test_an_error_is_one_line_whatever_the_names(error):
    assert str(error).isprintable()
    assert len(str(error)) < 10_000
