"""One module per agent: each finds its sessions' files, reads them, and knows nothing else.

A module whose name has no underscore in front is an agent's: `claude_code` is the source
`claude-code`. Its `AGENT` is a class of `Source`, made from the environment and the user's home
folder. `radium` is the one whose files are reports; its source is made from a workspace.
"""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from rad_lsp.core.session import RADIUM as RADIUM
from rad_lsp.sources._places import Place as Place  # noqa: TC001  (the sources make them)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

    from rad_lsp.core.limits import Window
    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session
    from rad_lsp.core.transcript import Facts, RequestRecord, ToolRecord


AGENTS: Final = tuple(
    sorted(
        name.removesuffix(".py").replace("_", "-")
        for folder in __path__
        for name in os.listdir(folder)  # noqa: PTH208  (pkgutil takes as long to load as all this)
        if name.endswith(".py") and name[0] != "_" and name != f"{RADIUM}.py"
    )
)
"""The sources that read other agents' transcripts."""

NAMES: Final = (RADIUM, *AGENTS)
"""All sources."""


SHOWN: Final = 5
"""How many of the skipped lines are remembered."""


class Skipped(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A line of a transcript that can't be read, counted from 1, and why."""

    line: int
    reason: str


class Progress(msgspec.Struct, gc=False, array_like=True):
    """How many lines of a file have been read, and which of them could not be."""

    lines: int = 0
    skipped: int = 0
    first_skipped: list[Skipped] = msgspec.field(default_factory=list)

    def skip(self, line: int, reason: str) -> None:
        """The line, counted from 1, can't be read; later ones may have been noticed before."""
        self.skipped += 1
        self.first_skipped.append(Skipped(line, reason))
        self.first_skipped.sort(key=attrgetter("line"))
        del self.first_skipped[SHOWN:]


class State(msgspec.Struct, gc=False, array_like=True):
    """What a later parser of the same file goes on from.

    Later versions must be able to read it, or they lose the sessions whose transcript is gone:
    let new fields come last, with a default.
    """

    progress: Progress


class Parser(ABC):
    """Reads one file from its beginning, or from where an earlier parser stopped."""

    report: Session | Problem | None = None
    """The session that the file as a whole holds, or what is wrong with it; None of a transcript,
    whose sessions are made of facts, requests and tool calls."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.progress = state.progress
        """The lines from the beginning of the file."""
        self.facts: dict[str, Facts] = {}
        """By session id, what the file says from its beginning."""
        self.requests: dict[tuple[str, str], RequestRecord] = {}
        """By key and variant, those recorded since the parser was made.

        The last record of a request counts: the one with the most output tokens, of equal ones the
        later. The time is that of its first record.
        """
        self.tools: dict[int, ToolRecord | None] = {}
        """Tool calls that have ended since the parser was made, by their number within the file.

        A later record of a number takes the place of the earlier one; None takes that back.
        """
        self.windows: dict[tuple[str, str, int], Window] = {}
        """What is recorded of plan limits since the parser was made: of each window, by its limit
        and name, the last record of each hour since the epoch."""

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Read on: whole lines, or all of a file that is not made of lines.

        Raises nothing, whatever the bytes.
        """

    def _show(self, facts: Facts) -> None:
        """The file's facts are those of one session, once they tell a moment."""
        self.facts = {facts.session_id: facts} if facts.end else {}

    def _put_window(self, window: Window) -> None:
        """A plan's limit was recorded."""
        hour = int(window.recorded_at.timestamp() // 3600)
        place = window.limit, window.name, hour
        before = self.windows.get(place)
        if before is None or window.recorded_at >= before.recorded_at:
            self.windows[place] = window

    def state(self) -> bytes:
        """Where the parser stopped: a `State` for the source's next parser of the file."""
        return msgspec.msgpack.encode(self._state)


class Source(ABC):
    """Where the sessions of one agent come from."""

    name: ClassVar[str]
    label: ClassVar[str]
    """What people call the agent."""
    places: ClassVar[tuple[Place, ...]]
    """Where it keeps its files, on any machine."""
    resume: ClassVar[tuple[str, ...]] = ()
    """The words that go on with a session, before its id; none where the agent can't."""
    folders: tuple[Path, ...]
    """The folders whose changes tell of new sessions; they need not exist."""
    keeps_deleted: ClassVar[bool] = True
    """Whether a session goes on to count when its file has been deleted."""
    is_flat: ClassVar[bool] = False
    """Whether all files lie directly in the one folder."""

    @abstractmethod
    def paths(self) -> Iterator[str]:
        """Every file that may hold a session, each once.

        Raises OSError when a folder can't be read of which that must be told.
        """

    def stands_alone(self, path: str) -> bool:  # noqa: ARG002
        """Whether a path below the folders holds a session, whichever other files there are.

        Not that of a transcript: which of several files of a session count is told by all of them.
        """
        return False

    def ignores(self, path: str) -> bool:  # noqa: ARG002
        """Whether what changes at a path below the folders tells nothing of sessions."""
        return False

    def by_line(self, path: str) -> bool:  # noqa: ARG002
        """Whether a file grows by lines; else it is replaced as a whole."""
        return True

    def refuses(self, path: str) -> Problem | None:  # noqa: ARG002
        """Why a path below the folders is not read although it could be; None where it is read."""
        return None

    def titled_in(self, path: str) -> tuple[str, ...]:
        """The files that may hold the title of a transcript's session, the better ones first."""
        return (path,)

    def title(self, path: str, session_id: str, pieces: Iterable[bytes]) -> str:  # noqa: ARG002
        """The title that the agent keeps of a session in such a file; empty where there is none.

        The pieces are whole lines, or all of a file that is not read by line. Raises nothing.
        """
        return ""

    @abstractmethod
    def parser(self, path: str, state: bytes | None = None) -> Parser:
        """A parser for a file, from its beginning or from an earlier parser's state."""


def agent(name: str, environ: Mapping[str, str], home: Path) -> Source:
    """The source of one of `AGENTS`."""
    made: Source = _module(name).AGENT(environ, home)
    return made


def label(name: str) -> str:
    """What people call the agent of a source: `Claude Code` for `claude-code`."""
    found: str = _module(name).AGENT.label if name in NAMES else name
    return found


def resume(name: str) -> tuple[str, ...]:
    """The words that go on with a session of a source, before its id; none where nothing does."""
    found: tuple[str, ...] = _module(name).AGENT.resume if name in NAMES else ()
    return found


def folders(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Where all agents keep their transcripts; the folders need not exist."""
    return [folder for name in AGENTS for folder in agent(name, environ, home).folders]


def places() -> list[tuple[str, str, tuple[Place, ...]]]:
    """Name, label and places of all sources."""
    return [(name, label(name), _module(name).AGENT.places) for name in NAMES]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
