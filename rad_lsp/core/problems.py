"""What can be wrong with a session's file: one `Problem` each, with a code that stays the same.

Errors keep a report from being read. Warnings point out figures that contradict each other;
the figures stay as they are written (session format, "Known quirks of real reports"). What is
for information tells how far a figure may be trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from rad_lsp.core.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY: Final = "empty"
TRUNCATED: Final = "truncated"
NOT_JSON: Final = "not-json"
NOT_UTF8: Final = "not-utf8"
TOO_DEEP: Final = "too-deep"
TOO_LARGE: Final = "too-large"
MISSING_KEY: Final = "missing-key"
WRONG_TYPE: Final = "wrong-type"
OUT_OF_RANGE: Final = "out-of-range"
NOT_A_FILE: Final = "not-a-file"
NO_PERMISSION: Final = "no-permission"
UNREADABLE: Final = "unreadable"
LINK: Final = "link"
DUPLICATE: Final = "duplicate"

TOOL_CALLS_MISMATCH: Final = "tool-calls-mismatch"
END_BEFORE_START: Final = "end-before-start"
COST_MISMATCH: Final = "cost-mismatch"
ID_MISMATCH: Final = "id-mismatch"
IN_FUTURE: Final = "in-future"

UNPRICED: Final = "unpriced"
LOWER_BOUND: Final = "lower-bound"
UNKNOWN_OUTCOME: Final = "unknown-outcome"
DELETED: Final = "deleted"
INCOMPLETE: Final = "incomplete"

MAX_LISTED: Final = 100
"""How many problems of one file are listed: more than that nobody reads."""

Severity = Literal["error", "warning", "information"]


class Problem(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Something wrong with a session's file.

    `message` is one sentence without a full stop, made printable. `path` names the value in
    question and `span` its bytes, as a `document.Path` and a `document.Span`; both stay empty when
    the fault lies with the file as a whole.
    """

    code: str
    message: str
    severity: Severity = "error"
    path: tuple[str | int, ...] = ()
    span: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        # It may quote the file, and leaves by many ways.
        msgspec.structs.force_setattr(self, "message", printable(self.message))

    @property
    def reason(self) -> str:
        """The sentence as it goes on behind a colon."""
        return self.message[:1].lower() + self.message[1:]


def listed(found: Sequence[Problem], more: int = 0) -> tuple[Problem, ...]:
    """The first problems of a file; the last one says how many there are besides.

    `more` are those that are not among the ones that were found.
    """
    more += max(0, len(found) - MAX_LISTED)
    if not more:
        return tuple(found)
    shown = found[:MAX_LISTED]
    message = f"There are {more:,} more problems, which are not listed"
    return (*shown, Problem(INCOMPLETE, message, "information", shown[-1].path, shown[-1].span))
