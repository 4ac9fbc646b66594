"""Settings from TOML files: the user's, and the little that a workspace's may say.

A workspace may come from a stranger, as a cloned repository does: it sets the time zone, and
budgets that are stricter than the user's. A flag or an editor's setting beats both files (spec
"Settings"). Every key is checked.
"""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from rad_lsp.core.budget import Budget, ProjectBudget
from rad_lsp.core.errors import BadSettings, reason
from rad_lsp.core.period import Weekday
from rad_lsp.core.price import Override
from rad_lsp.core.wording import listed, printable
from rad_lsp.regular import NotRegularFile, TooLarge, read_small
from rad_lsp.sources import NAMES

if TYPE_CHECKING:
    from datetime import tzinfo

WORKSPACE_FILE: Final = Path(".radium", "rad-lsp.toml")
_OWN: Final = ("week_start", "scope", "sources", "status", "prices")
"""What only the user sets."""

_OWN_BUDGET: Final = ("warn_at", "projects")
"""What of the budgets only the user sets: a workspace has no say in when to warn, nor in others."""

FIGURES: Final = (
    "cost",
    "success_rate",
    "tool_calls",
    "wall_time",
    "tokens",
    "session_id",
    "source",
    "today_cost",
    "today_sessions",
    "total_cost",
    "total_sessions",
    "limit_5h",
    "limit_week",
)
"""What a status template may name."""

_NAME: Final = "rad-lsp"
_MAX_BYTES: Final = 64 * 1024
"""Of a settings file."""

_MOST_DOTS: Final = 100
"""In a line. Reading a key of thousands of parts takes seconds."""

_CLIENT_ONLY: Final = frozenset({"server", "interpreter", "trace"})


class StatusSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the status line reads."""

    format: str = "{cost} · {success_rate}"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings that a file may hold, with their defaults."""

    timezone: str | None = None
    week_start: Weekday = "monday"
    sources: tuple[str, ...] | None = None
    scope: Literal["workspace", "all"] = "workspace"
    """Whether commands are about all projects without being told."""
    status: StatusSettings = StatusSettings()
    budget: Budget = Budget()
    prices: dict[str, Override] = {}
    """By model, in USD per million tokens."""

    @property
    def zone(self) -> tzinfo | None:
        """The user's time zone; None is the local one."""
        return zone(self.timezone) if self.timezone else None


def home() -> Path:
    """The user's home folder; where none is known, a place where nothing can be."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.devnull)


def user_file() -> Path:
    """The user's settings file; it need not exist."""
    return _user_folder("XDG_CONFIG_HOME", ".config", "user_config_dir") / "config.toml"


def data_folder() -> Path:
    """Where the index of transcripts is kept; it need not exist."""
    return _user_folder("XDG_DATA_HOME", ".local/share", "user_data_dir")


def _user_folder(variable: str, below: str, elsewhere: str) -> Path:
    if sys.platform == "linux":
        # By the XDG specification. Loading platformdirs would take a quarter of a status line.
        return Path(os.environ.get(variable, "").strip() or home() / below, _NAME)
    import platformdirs

    return Path(getattr(platformdirs, elsewhere)(_NAME, appauthor=False))


class Loaded(msgspec.Struct, frozen=True):
    """The settings in force, and where they come from.

    `origins` tells for keys such as `budget.day` what set them: the path of a file, or the origin
    of the nearest settings; other keys have their defaults. `ignored` is a sentence without a full
    stop on what a workspace's file may not set, else empty.
    """

    values: Settings
    origins: dict[str, str] = {}
    ignored: str = ""

    def told(self) -> list[str]:
        """For each origin what it set: `/w/.radium/rad-lsp.toml: timezone, budget.day`."""
        keys: dict[str, list[str]] = {}
        for key, origin in self.origins.items():
            keys.setdefault(origin, []).append(key)
        return [f"{printable(origin)}: {listed(names)}" for origin, names in keys.items()]


def load(workspace: Path | None, nearest: dict[str, Any], origin: str) -> Loaded:
    """The settings in force: `nearest` (from `origin`), workspace file, user file, defaults.

    Raises BadSettings, naming file and key.
    """
    checked(nearest, origin)
    own = user_file()
    merged = _parse(own)
    checked(merged, str(own))
    origins = _origins(merged, str(own))
    ignored = ""
    if workspace is not None and not _is_same(file := workspace / WORKSPACE_FILE, own):
        values, keys = _of_workspace(file, merged.get("budget", {}))
        if keys:
            ignored = (
                f"{file}: {', '.join(keys)} ignored. A workspace sets only the time zone and "
                f"stricter budgets; the rest belongs in {own}"
            )
        merged = _merged(merged, values)
        origins |= _origins(values, str(file))
    merged = _merged(merged, nearest)
    origins |= _origins(nearest, origin)
    return Loaded(checked(merged, origin), origins, ignored)


def _is_same(file: Path, other: Path) -> bool:
    """Whether both are one file, as with a link to it."""
    try:
        return file.samefile(other)
    except OSError:
        return False


def _of_workspace(file: Path, budget: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a workspace's file sets, and the keys in it that it may not set.

    `budget` is the user's, which it may only make stricter. Raises BadSettings.
    """
    values = _parse(file)
    ignored = [key for key in _OWN if values.pop(key, None) is not None]
    stricter = values.get("budget", {})
    if isinstance(stricter, dict):
        others = [key for key in _OWN_BUDGET if stricter.pop(key, None) is not None]
        ignored += [f"budget.{key}" for key in others]
    checked(values, str(file))
    for name in [name for name in stricter if stricter[name] > budget.get(name, math.inf)]:
        del stricter[name]
        ignored.append(f"budget.{name}")
    return values, ignored


def from_editor(values: Any) -> dict[str, Any]:
    """An editor's `radLsp.*` as a settings file would have it.

    What is null or empty is not set; what only concerns the client is left out.
    """
    if not isinstance(values, dict):
        return {}
    found = {key: value for key, value in values.items() if key not in _CLIENT_ONLY}
    if "weekStart" in found:
        found["week_start"] = found.pop("weekStart")
    bar = found.pop("statusBar", None)
    if isinstance(bar, dict):
        found["status"] = {key: value for key, value in bar.items() if key != "visibility"}
    return _pruned(found)


def _pruned(values: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, value in values.items():
        inner = _pruned(value) if isinstance(value, dict) else value
        if inner not in (None, "", [], {}):
            kept[key] = inner
    return kept


def checked(values: dict[str, Any], origin: str) -> Settings:
    """Settings from plain values. Raises BadSettings, naming `origin` and the key."""
    try:
        settings = msgspec.convert(values, Settings)
        if settings.timezone is not None:
            zone(settings.timezone)
        _check_sources(settings.sources or ())
        if settings.status != StatusSettings():
            fields_of(settings.status.format)
    except (msgspec.ValidationError, ValueError) as error:
        reason, _, where = str(error).partition(" - at `$")
        key = where.strip("`.")
        if "prices[...]" in key:
            key = key.replace("[...]", f'."{_wrong(values["prices"], Override)}"')
        elif "projects[...]" in key:
            name = _wrong(values["budget"]["projects"], ProjectBudget)
            key = key.replace("[...]", f'."{name}"')
        raise BadSettings(origin, f"{key}: {reason}" if key else reason) from None
    return settings


def _wrong(table: dict[str, Any], form: type[msgspec.Struct]) -> str:
    """The first key of a table whose value is at fault: what checks them names only the table."""
    return next(key for key, value in table.items() if not _is(value, form))


def _is(value: Any, form: type[msgspec.Struct]) -> bool:
    try:
        msgspec.convert(value, form)
    except msgspec.ValidationError:
        return False
    return True


def fields_of(template: str) -> list[str]:
    """The figures that a status template names.

    Raises ValueError for one that is no figure, and for the attribute and index access of
    `str.format`, which could reach anything.
    """
    import string

    names = []
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{error} - at `$.status.format`") from None
    for _, name, spec, conversion in parsed:
        if name is None:
            continue
        if name not in FIGURES or spec or conversion:
            written = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise ValueError(
                f"{{{written}}} is no figure; known are {', '.join(FIGURES)} - at `$.status.format`"
            )
        names.append(name)
    return names


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name. Raises ValueError."""
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not an IANA time zone such as Europe/Berlin - at `$.timezone`"
        ) from None


def _check_sources(sources: tuple[str, ...]) -> None:
    for source in sources:
        if source not in NAMES:
            known = ", ".join(NAMES)
            raise ValueError(f"{source!r} is no source; known are {known} - at `$.sources`")


def _parse(file: Path) -> dict[str, Any]:
    try:
        text = read_small(str(file), _MAX_BYTES).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except NotRegularFile:
        raise BadSettings(str(file), "it is not a regular file") from None
    except TooLarge:
        raise BadSettings(str(file), f"it has more than {_MAX_BYTES:,} bytes") from None
    except OSError as error:
        raise BadSettings(str(file), reason(error)) from None
    except UnicodeDecodeError:
        raise BadSettings(str(file), "it is not valid UTF-8") from None
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise BadSettings(str(file), "it is nested too deeply")
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(str(file), str(error)) from None
    except RecursionError:
        raise BadSettings(str(file), "it is nested too deeply") from None


def _merged(farther: dict[str, Any], nearer: dict[str, Any]) -> dict[str, Any]:
    """Settings of two origins, of which the nearer ones win.

    Tables are merged by their keys. A price is whole: it takes no rate from a farther one.
    """
    merged: dict[str, Any] = {}
    for path, value in (_by_path(farther) | _by_path(nearer)).items():
        table = merged
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return merged


def _origins(values: dict[str, Any], origin: str) -> dict[str, str]:
    """The origin of values, by their keys, such as `budget.day`."""
    return {".".join(path): origin for path in _by_path(values)}


def _by_path(values: dict[str, Any], within: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """All that is set by itself, by the keys that lead to it."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in values.items():
        path = (*within, key)
        if isinstance(value, dict) and within != ("prices",):
            found |= _by_path(value, path)
        else:
            found[path] = value
    return found
