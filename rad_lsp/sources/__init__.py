"""One module per agent: each finds its sessions' files, reads them, and knows nothing else.

A module whose name has no underscore in front is an agent's: `claude_code` is the source
`claude-code`. Its `AGENT` is a class of `Transcripts`, made from the environment and the user's
home folder. `radium` is the one whose files are reports.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rad_lsp.core.transcript import Facts, Seen


RADIUM: Final = "radium"

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


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a file holds, and a number that changes when the file does."""

    fingerprint: int
    content: Session | Problem


class Source(Protocol):
    """Where the sessions of one agent come from."""

    name: ClassVar[str]
    folder: Path
    """The folder whose changes tell of new sessions; it need not exist."""

    def scan(self) -> list[tuple[str, int]]:
        """Name and fingerprint of every file that should hold a session.

        Raises OSError when the folder can't be read.
        """

    def fingerprint(self, path: str) -> int:
        """A number that changes when the file does; 0 when it can't be had."""

    def read(self, path: str) -> Reading | None:
        """The session in a file or what keeps it from being read; None when the file is gone."""


class Skipped(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A line of a transcript that can't be read, counted from 1, and why."""

    line: int
    reason: str


class Parser(Protocol):
    """Reads one transcript from its beginning, or from where an earlier parser stopped."""

    facts: dict[str, Facts]
    """By session id, what the file says from its beginning."""
    requests: dict[tuple[str, str], Seen]
    """By key and variant, those seen since the parser was made.

    The last record of a request counts: the one with the most output tokens, of equal ones the
    later. The time is that of its first record.
    """
    skipped: int
    """Lines that could not be read, from the beginning of the file."""
    first_skipped: list[Skipped]
    """The first few of them."""

    def feed(self, lines: bytes) -> None:
        """Read on. `lines` are whole lines; of a file that is no lines, all of it.

        Raises nothing, whatever the bytes.
        """

    def state(self) -> bytes:
        """What a later parser of the same file goes on from.

        Later versions must be able to read it, or they lose the sessions whose transcript is
        gone: let new fields come last, with a default.
        """


class Transcripts(Protocol):
    """Where the transcripts of one agent come from."""

    name: ClassVar[str]
    folders: tuple[Path, ...]
    """The folders whose changes tell of new sessions; they need not exist."""

    def paths(self) -> Iterator[str]:
        """Every transcript, each file once. A folder that can't be read has none."""

    def by_line(self, path: str) -> bool:
        """Whether a transcript grows by lines; else it is replaced as a whole."""

    def parser(self, path: str, state: bytes | None = None) -> Parser:
        """A parser for a transcript, from its beginning or from an earlier parser's state."""


def agent(name: str, environ: Mapping[str, str], home: Path) -> Transcripts:
    """The transcripts of one of `AGENTS`."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    made: Transcripts = module.AGENT(environ, home)
    return made


def folders(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Where all agents keep their transcripts; the folders need not exist."""
    return [folder for name in AGENTS for folder in agent(name, environ, home).folders]
