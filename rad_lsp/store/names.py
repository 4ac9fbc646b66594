"""Names that many rows share: each is stored once and known by a number."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from rad_lsp.repository import project_of
from rad_lsp.store.index import Damaged, checksum

if TYPE_CHECKING:
    import sqlite3


_NAMED: Final = {
    "session": ("cwd", "project", "branch"),
    "request": ("model", "engine", "tier"),
    "usage": ("model", "engine", "tier"),
    "tool": ("name",),
}
"""The columns that hold numbers of names."""


class Names:
    """The numbers of names, within a transaction; an unknown name is added."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._numbers: dict[str, int] = {}
        self._projects: dict[str, int] = {}

    def __getitem__(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            row = self._db.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()
            number = self._numbers[text] = row[0] if row else self._add(text)
        return number

    def _add(self, text: str) -> int:
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM name").fetchone()
        number = int(last) + 1
        row = (number, text, checksum(number, text))
        self._db.execute("INSERT INTO name VALUES (?, ?, ?)", row)
        return number

    def project(self, folder: str) -> int:
        """The number of the repository that a folder lies in."""
        if folder not in self._projects:
            self._projects[folder] = self[project_of(folder) if folder else ""]
        return self._projects[folder]


def remove_unused(db: sqlite3.Connection) -> None:
    """Remove the names that no row has any more, and the prices of models among them."""
    used = " UNION ".join(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        for table, columns in _NAMED.items()
        for column in columns
    )
    db.execute(f"DELETE FROM name WHERE id NOT IN ({used})")
    db.execute("DELETE FROM price WHERE model NOT IN (SELECT text FROM name)")


def texts(db: sqlite3.Connection) -> dict[int, str]:
    """All names by their numbers. Raises Damaged."""
    rows = db.execute("SELECT id, text, checksum FROM name").fetchall()
    if not all(checksum(number, text) == check for number, text, check in rows):
        raise Damaged("a name is not as it was stored")
    return {number: text for number, text, _ in rows}


class Texts(dict[int, str]):
    """Names by their numbers, each looked up when it is first asked for. Raises Damaged."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def __missing__(self, number: int | None) -> str:
        row = self._db.execute("SELECT text FROM name WHERE id = ?", (number,)).fetchone()
        if row is None and number is not None:
            raise Damaged("a name is missing")
        text = self[number] = row[0] if row else ""  # type: ignore[index]  # (None is a key, too)
        return text


def named(texts: dict[int, str], number: int) -> str:
    """The name with a number. Raises Damaged when there is none."""
    try:
        return texts[number]
    except KeyError:
        raise Damaged("a name is missing") from None


def as_text(path: str | os.PathLike[str]) -> str:
    """A path as it is stored as a name: it need not be Unicode, and is one nowhere else."""
    return os.fsencode(path).decode(errors="replace")
