"""What the user can do next, in the words of a terminal and in those of an editor.

A program speaks to one of the two for as long as it runs: `rad` to terminals, `rad-lsp` to editors.
"""

from __future__ import annotations

from typing import Final

_in_editor = False


def speak_to_editors() -> None:
    """From now on, all advice of this process is in the words of an editor."""
    global _in_editor  # noqa: PLW0603  (one program, one kind of reader)
    _in_editor = True


class Advice:
    """A sentence or a part of one; in a text it reads as the program's reader needs it."""

    def __init__(self, *, terminal: str, editor: str) -> None:
        self.terminal = terminal
        self.editor = editor

    def __str__(self) -> str:
        return self.editor if _in_editor else self.terminal


NO_WORKSPACE: Final = Advice(
    terminal="No Radium workspace found. Run 'rad init' to create one.",
    editor="No workspace found. Open a folder in which an agent has worked.",
)
RUN_SESSION: Final = Advice(
    terminal="Run an agent session first, or see 'rad doctor'.",
    editor="Run an agent session in this folder first.",
)
LIST_SESSIONS: Final = Advice(
    terminal="'rad stats history' lists the sessions.",
    editor="The history lists the sessions.",
)
LOOK_ELSEWHERE: Final = Advice(
    terminal="in other folders: add --all-projects.",
    editor="in other folders: open one of them.",
)
SEE_SKIPPED: Final = Advice(terminal="rad doctor", editor="see the list of problems")
SEE_COST: Final = Advice(terminal="rad stats cost", editor="see the cost")
SEE_SESSION: Final = Advice(terminal="rad stats session", editor="see the session")
RECORD_LIMITS: Final = Advice(
    terminal="to 'rad status', once that is its status line.",
    editor="only to its status line: the documentation says how rad-lsp can be that.",
)
SET_BUDGET: Final = Advice(
    terminal="Add [budget] and, below it, day = 20 to your settings; 'rad doctor' names the file.",
    editor='Set "radLsp.budget.day": 20 in the settings of your editor.',
)
