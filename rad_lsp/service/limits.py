"""Plan limits: what agents record of them, and what goes on where they record nothing.

Claude Code tells its limits only to its status line. `rad status` keeps them, for each session in
a file of its own in the user's data folder: the index can be made anew, and they can't.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from rad_lsp import atomic, places, settings
from rad_lsp.core import limits, wording
from rad_lsp.core.limits import Overview, Window
from rad_lsp.core.period import local
from rad_lsp.regular import read_small
from rad_lsp.sources import AGENTS, claude_code
from rad_lsp.store import limits as stored
from rad_lsp.store.store import counter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime, tzinfo
    from pathlib import Path

    from rad_lsp.core.limits import Block, Limit
    from rad_lsp.core.price import Override
    from rad_lsp.service import Machine
    from rad_lsp.service.told import Things

_Told: TypeAlias = dict[str, Window | str]
"""What a session told last: by their names windows, and why others can't be read."""

_CLAUDE: Final = claude_code.ClaudeCode.name
_SESSION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""What can be the name of a file everywhere."""

_SUFFIX: Final = ".json"
_MAX_BYTES: Final = 64 * 1024
_MOST_FILES: Final = 50
_OLD_SECONDS: Final = 8 * 86_400
"""Longer than any window of Claude Code lasts."""


def keep(rate_limits: Any, session_id: str, now: datetime) -> None:
    """Keep what Claude Code tells of its plan's limits in `rate_limits` of its status line.

    A session repeats what it was told last, perhaps for hours, while another one uses the plan:
    so what has not changed keeps its time. Nothing happens where it can't be kept.
    """
    if rate_limits is None or not _SESSION_ID.fullmatch(session_id):
        return
    path = _folder() / f"{session_id}{_SUFFIX}"
    before = _read(path)
    told: _Told = {name: one for name, one in before.items() if isinstance(one, Window)}
    for name, window in claude_code.windows(rate_limits, now).items():
        earlier = told.get(name)
        if not (isinstance(earlier, Window) and _repeats(window, earlier)):
            told[name] = window
    if told == before:
        return
    with suppress(OSError):
        places.make_folder(path.parent)
        if not before:
            _remove_old(path.parent)
        atomic.write(path, [msgspec.json.encode(told)], overwrite=True, sync=False)


def status(machine: Machine, now: datetime) -> tuple[Limit, ...]:
    """The limits for a status line: what is stored already of windows that may be current."""
    since = now - limits.STATUS_SPAN
    windows = _of_claude(_kept())
    with suppress(sqlite3.DatabaseError):
        windows += stored.newest(machine.index.connection, AGENTS, now, since)
    return tuple(limits.at(window, now) for window in limits.newest(windows, now))


def notices(machine: Machine, now: datetime, zone: tzinfo | None) -> list[tuple[Things, str]]:
    """For each window that is nearly used up what tells it from all others, and a sentence."""
    return [
        (limits.claims(limit), _reached(limit, threshold, zone))
        for limit in status(machine, now)
        if (threshold := limits.threshold(limit)) is not None
    ]


def overview(
    machine: Machine,
    now: datetime,
    own_prices: Mapping[str, Override],
    sources: Collection[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Overview:
    """All limits, of the named sources or of all, and running blocks where none is current.

    Reads what is new in all transcripts first; `progress` is told the number of files read so far.
    Limits are those of the user's accounts, so sessions count wherever they worked.
    """
    names = [name for name in AGENTS if sources is None or name in sources]

    def look() -> Overview:
        machine.update(machine.agents(names), count=counter(progress))
        return _overview(machine, now, own_prices, names)

    return machine.guarded(look)


def _reached(limit: Limit, threshold: int, zone: tzinfo | None) -> str:
    """`80% of the week limit of codex is used: 83.0%, until the reset at …`, as a sentence."""
    window = limit.window
    name = limits.span(window.minutes, window.name)
    ends = window.ends_at
    reset = "" if ends is None else f", until the reset at {wording.moment(local(ends, zone))}"
    return (
        f"{threshold}% of the {name} limit of {window.source} is used: "
        f"{wording.percent(limit.used_percent)}{reset}."
    )


def _overview(
    machine: Machine, now: datetime, own_prices: Mapping[str, Override], names: list[str]
) -> Overview:
    db = machine.index.connection
    told = _kept() if _CLAUDE in names else []
    windows = limits.newest([*_of_claude(told), *stored.newest(db, names, now)], now)
    found = tuple(
        limits.at(window, now, None if window.minutes else stored.first(db, window))
        for window in windows
    )
    current = {limit.window.source for limit in found if limit.state == "current"}
    others = [name for name in names if name not in current]
    blocks = tuple(_blocks(machine, others, now, own_prices))
    running = {block.source for block in blocks}
    return Overview(
        found,
        blocks,
        tuple(name for name in stored.with_sessions(db, others) if name not in running),
        tuple(_ignored(db, names, told, now)),
    )


def _blocks(
    machine: Machine, names: Collection[str], now: datetime, prices: Mapping[str, Override]
) -> Iterator[Block]:
    from rad_lsp.core.period import Period
    from rad_lsp.store.query import Scope
    from rad_lsp.store.totals import Sums, When

    db, named = machine.index.connection, machine.named(names)
    for name in names:
        since = limits.running_block(stored.request_times(db, name), now)
        if since is not None:
            block = When(Period(since, since + limits.BLOCK))
            for total in Sums(db, Scope(frozenset({name}), named=named), prices).usage([], block):
                yield limits.Block(name, since, total.requests, total.tokens, total.money)


def _ignored(
    db: sqlite3.Connection, names: Collection[str], told: Iterable[_Told], now: datetime
) -> Iterator[str]:
    """Sentences on records that are left out."""
    later = stored.dated_after(db, names, now)
    later += sum(window.recorded_at > limits.latest_possible(now) for window in _of_claude(told))
    if later:
        yield f"records dated after now are left out, of {later:,} hours"
    reasons = {
        f"{_CLAUDE} {name}: {one}"
        for kept in told
        for name, one in kept.items()
        if isinstance(one, str)
    }
    yield from sorted(reasons)


def _of_claude(told: Iterable[_Told]) -> list[Window]:
    return [one for kept in told for one in kept.values() if isinstance(one, Window)]


def _repeats(window: Window | str, earlier: Window) -> bool:
    """Whether a record says nothing new. One that a wrong clock dated later is no earlier one."""
    return (
        isinstance(window, Window)
        and earlier.recorded_at <= window.recorded_at
        and msgspec.structs.replace(window, recorded_at=earlier.recorded_at) == earlier
    )


def _kept() -> list[_Told]:
    """What all sessions told last."""
    try:
        names = sorted(os.listdir(_folder()))  # noqa: PTH208  (a status line is in a hurry)
    except OSError:
        return []
    return [_read(_folder() / name) for name in names if name.endswith(_SUFFIX)]


def _read(path: Path) -> _Told:
    """What a session told last; nothing where that can't be read."""
    try:
        return msgspec.json.decode(read_small(str(path), _MAX_BYTES), type=_Told)
    except (OSError, ValueError, RecursionError):
        return {}


def _remove_old(folder: Path) -> None:
    """Remove the files of sessions that no window lasts from, and of the oldest beyond many."""
    files = sorted((path.stat().st_mtime, path) for path in folder.glob(f"*{_SUFFIX}"))
    for number, (written, path) in enumerate(reversed(files), 2):
        if number > _MOST_FILES or time.time() - written > _OLD_SECONDS:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    return settings.data_folder() / "limits"
