from __future__ import annotations

import sys

import pytest

A = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
B = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture
def complete(rad):
    """What bash offers for the last of some words."""

    def run(words, **options):
        env = {
            "_RAD_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        done = rad(env=env, **options)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return run


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rad stats session 3c", [A]),
        ("rad stats session ", [A, B]),
        ("rad stats session zzz", []),
        ("rad stats session --session-id a1", [B]),
        ("rad stats model 3c", [A]),
        ("rad stats export 3c", [A]),
        ("rad stats compare a", [B]),
        ("rad stats compare 3c a", [B]),
    ],
)
def test_session_ids_are_offered_newest_first(complete, golden, words, offered):
    assert complete(words, cwd=golden("history")) == [f"plain,{name}" for name in offered]


def test_session_ids_of_the_named_workspace_are_offered(complete, golden):
    words = f"rad stats session -w {golden('history').as_posix()} 3c"
    assert complete(words) == [f"plain,{A}"]


def test_commands_are_offered(complete):
    names = "budget compare cost daily engine export history hourly model monthly session tools"
    assert complete("rad stats ") == [f"plain,{name}" for name in (*names.split(), "weekly")]


def test_formats_are_offered(complete):
    assert complete("rad stats export --format ") == [
        f"plain,{name}" for name in ("json", "ndjson", "csv", "markdown")
    ]


def test_without_a_workspace_no_id_is_offered(complete):
    assert complete("rad stats session ") == []


def test_a_corrupt_report_does_not_disturb(complete, workspace):
    workspace.add("mine")
    workspace.raw("bad.json", b"{")
    assert complete("rad stats session ", cwd=workspace.root) == ["plain,mine"]


NOT_LITERAL = (
    "one\ntwo\x1b[31m",
    "a$(touch x)b",
    "a`touch x`",
    "a;touch x",
    "a&b",
    "a|b",
    "a>b",
    "a b",
    "a'b",
    'a"b',
    "a\\b",
    "a*",
    "a!b",
    "a,b",
    "a:b",
    "a/b",
    "~a",
    "=a",
    "{a,b}",
    "#a",
    "-rf",
    "--force",
    "\N{FULLWIDTH DOLLAR SIGN}b",
    "mine\n",
)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_an_id_that_a_shell_may_not_take_literally_is_not_offered(
    rad, workspace, report_bytes, shell
):
    workspace.add("mine.1_2-3")
    for number, name in enumerate(NOT_LITERAL):
        workspace.raw(f"{number}.json", report_bytes(session_id=name))
    env = {
        "_RAD_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "rad stats session ",
        "COMP_CWORD": "" if shell == "fish" else "3",
    }
    offered = rad(cwd=workspace.root, env=env).stdout
    assert "mine.1_2-3" in offered
    assert len(offered.splitlines()) == {"bash": 1, "zsh": 3, "fish": 1}[shell]


def test_zsh_shows_the_cost_of_a_session(rad, golden):
    env = {
        "_RAD_COMPLETE": "zsh_complete",
        "COMP_WORDS": "rad stats session 3c",
        "COMP_CWORD": "3",
    }
    assert rad(cwd=golden("history"), env=env).stdout.split() == ["plain", A, "$0.1250"]


def test_fish_shows_the_cost_of_a_session(rad, golden):
    env = {
        "_RAD_COMPLETE": "fish_complete",
        "COMP_WORDS": "rad stats session 3c",
        "COMP_CWORD": "3c",
    }
    shown = rad(cwd=golden("history"), env=env).stdout
    assert A in shown
    assert "$0.1250" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="these shells are at home on POSIX")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(rad, shell):
    done = rad(env={"_RAD_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0
    assert f"_RAD_COMPLETE={shell}_complete" in done.stdout
