"""One module per agent: each finds its sessions' files, reads them, and knows nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a file holds, and a number that changes when the file does."""

    fingerprint: int
    content: Session | Problem


class Source(Protocol):
    """Where the sessions of one agent come from."""

    name: ClassVar[str]
    folder: Path
    """The folder whose changes tell of new sessions; it need not exist."""

    def paths(self) -> Iterator[str]:
        """Every file that should hold a session. Raises OSError when the folder can't be read."""

    def fingerprint(self, path: str) -> int:
        """A number that changes when the file does; 0 when it can't be had."""

    def read(self, path: str) -> Reading | None:
        """The session in a file or what keeps it from being read; None when the file is gone."""
