"""What the readers of transcripts share: finding files, decoding lines, times and paths."""

from __future__ import annotations

import contextlib
import functools
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar

import msgspec

from rad_lsp.core.paths import file_key
from rad_lsp.core.transcript import EPOCH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from rad_lsp.sources import Progress

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Tokens or lines; no agent writes more than JavaScript can count."""

Duration = Annotated[float, msgspec.Meta(ge=0, le=1e10)]
"""Milliseconds, of which some agents write fractions; nothing lasts for months."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time as RFC 3339 has it; `milliseconds` makes it a number."""

UNKNOWN: Final = "unknown"
"""The model of requests of which the transcript names none. It has no price."""

NO_MODEL: Final = f"The transcript does not name the model of some requests: they are {UNKNOWN}"

_FIRST_DAY: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH).days
_LAST_DAY: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH).days


@functools.cache  # to make one for each file would take 5 % of reading it
def _decoder(form: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(form)


def decode(lines: bytes, form: type[T], progress: Progress, kinds: Collection[str]) -> list[T]:
    """The records in whole lines. Those that can't be read are counted in `progress`.

    Not counted are records that lack the form because they are something else: their
    `type` is none of `kinds`. A blank line has no record; one in an earlier piece of the file may
    make the numbers of later lines too small. Raises nothing.
    """
    decoder: msgspec.json.Decoder[T] = _decoder(form)  # type: ignore[arg-type]  # it has a hash
    try:
        records = decoder.decode_lines(lines)
    except (ValueError, RecursionError):
        pass
    else:
        progress.lines += len(records)
        return records
    # One bad line must not cost the others, so now they are read one by one.
    records = []
    for line in lines.removesuffix(b"\n").split(b"\n"):
        progress.lines += 1
        if not line.strip():
            continue
        try:
            records += _decode(line, decoder)
        except (ValueError, RecursionError) as error:
            if may_be_of(line, kinds):
                progress.skip(progress.lines, str(error))
    return records


def _decode(line: bytes, decoder: msgspec.json.Decoder[T]) -> list[T]:
    """The record in a line; more than one where a line feed was lost."""
    # A crash leaves NUL bytes where something was not written; the next record follows them.
    line = line.strip(b"\0") or line
    try:
        return [decoder.decode(line)]
    except msgspec.ValidationError:
        raise
    except ValueError as error:
        with contextlib.suppress(ValueError):
            return decoder.decode_lines(line)
        import json  # rarely needed, and a status line is in a hurry

        # Half of a surrogate pair or a byte that is not UTF-8 is no reason to lose the figures.
        try:
            text = json.dumps(json.loads(line.decode(errors="replace")), ensure_ascii=False)
        except ValueError:
            raise error from None
        return [decoder.decode(text.encode(errors="replace"))]


class _Kind(msgspec.Struct, gc=False):
    type: str


def may_be_of(record: bytes | msgspec.Raw, kinds: Collection[str]) -> bool:
    """Whether a record that can't be read might be one of the kinds."""
    try:
        return msgspec.json.decode(record, type=_Kind).type in kinds
    except (ValueError, RecursionError):
        return True


def milliseconds(moment: datetime) -> int:
    """A time in milliseconds since the epoch, rounded down; `moment` can make a time of it.

    In other time zones there are moments before the first year and after the last.
    """
    since = moment - EPOCH
    days = since.days
    if not _FIRST_DAY <= days <= _LAST_DAY:
        return (_FIRST_DAY if days < 0 else _LAST_DAY) * 86_400_000
    # Dividing one timedelta by another would take three times as long.
    return days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def storable(name: str) -> str:
    """A name of a file as it can be stored: it need not be Unicode."""
    return name.encode(errors="replace").decode()


def text_hash(text: str) -> int:
    """A number of 63 bits that stands for a path or an id: the same on every machine and run."""
    import hashlib  # as above

    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


class ById(Generic[T]):
    """What a parser knows by ids that agents give, in a state that must not tell the ids.

    Ids are not hashed until the state is stored, as most are looked up before: `new` has what came
    since the parser was made, by id. What an earlier parser has left is known by hashes.
    """

    __slots__ = ("_before", "new")

    def __init__(self, before: dict[int, T]) -> None:
        self._before = before
        self.new: dict[str, T] = {}

    def get(self, identifier: str) -> T | None:
        """What has the id."""
        found = self.new.get(identifier)
        if found is None and self._before:
            return self._before.get(text_hash(identifier))
        return found

    def pop(self, identifier: str) -> T | None:
        """What has the id, which is forgotten."""
        before = self._before.pop(text_hash(identifier), None) if self._before else None
        return self.new.pop(identifier, before)

    def clear(self) -> None:
        """Forget all."""
        self._before = {}
        self.new.clear()

    def by_hash(self) -> dict[int, T]:
        """All, for the state."""
        return self._before | {text_hash(name): value for name, value in self.new.items()}


def file_hash(folder: str, path: str) -> int:
    """The number of a path that may be relative to a folder."""
    return text_hash(file_key(folder, path))


def hunks(diff: str) -> list[str]:
    """The lines of a unified diff behind the headers of its file."""
    return f"\n{diff}".partition("\n@@")[2].split("\n")


def added_and_removed(patch: Iterable[str]) -> tuple[int, int]:
    """How many lines of a unified diff's hunks are added, and how many removed.

    The headers of files must not be among them.
    """
    added = removed = 0
    for line in patch:
        if line.startswith("+"):
            added += 1
        elif line.startswith("-"):
            removed += 1
    return added, removed


def files(
    folders: Iterable[Path], suffix: str | tuple[str, ...], *, levels: int = 32
) -> Iterator[str]:
    """Files whose name ends so, in the folders and in `levels` levels of folders below.

    Each real file and folder comes once, whatever links lead to it. What can't be read is left
    out. Raises nothing.
    """
    looked: set[str] = set()
    links: list[str] = []
    for folder in folders:
        yield from _below(str(folder), os.path.realpath(folder), suffix, levels, looked, links)
    for link in links:
        real = os.path.realpath(link)
        has_come = real.endswith(suffix) and os.path.dirname(real) in looked  # noqa: PTH120
        if real not in looked and not has_come:
            looked.add(real)
            yield link


def _below(
    folder: str,
    real: str,
    suffix: str | tuple[str, ...],
    levels: int,
    looked: set[str],
    links: list[str],
) -> Iterator[str]:
    if real in looked:
        return
    looked.add(real)
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        try:
            if entry.name.endswith(suffix) and entry.is_file():
                if entry.is_symlink():
                    links.append(entry.path)
                else:
                    yield entry.path
            elif levels and entry.is_dir():
                # A directory of Windows may be a junction, which is_symlink does not tell.
                is_link = entry.is_symlink() or os.name == "nt"
                target = os.path.realpath(entry.path) if is_link else f"{real}{os.sep}{entry.name}"
                yield from _below(entry.path, target, suffix, levels - 1, looked, links)
        except OSError:
            continue
