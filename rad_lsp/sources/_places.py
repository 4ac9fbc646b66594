"""Where agents keep their files: one form for the sources, and for editors that ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(msgspec.Struct, frozen=True):
    """A folder of transcripts: `folder` below a root; in it they match the pattern `files`.

    The root is the folder that the environment's `variable` names, else `home` below the user's
    home. There is none where a name is missing. A variable that may name `several` has commas
    between them. Without both it is any workspace's.
    """

    folder: str
    files: str = "**/*.jsonl"
    home: str | None = None
    variable: str | None = None
    several: bool = False

    def named(self, environ: Mapping[str, str]) -> list[str]:
        """The folders that the environment names."""
        value = environ.get(self.variable, "") if self.variable else ""
        parts = value.split(",") if self.several else [value]
        return [part.strip() for part in parts if part.strip()]

    def paths(self, environ: Mapping[str, str], home: Path) -> list[Path]:
        """The folders of transcripts for an environment and a home folder; they need not exist."""
        roots = [_expanded(part, home) for part in self.named(environ)]
        if not roots and self.home is not None:
            roots = [home / self.home]
        return [root / self.folder for root in roots]


def _expanded(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith(("~/", "~\\")) else Path(path)
