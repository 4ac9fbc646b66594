"""The titles that agents give to sessions, of what they write beside requests and tool calls.

A title may quote a conversation: it is read when it is asked for, and stored nowhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UUID: Final = re.compile(rb'"uuid":\s*"([^"\\]+)"')
_SCALAR: Final = re.compile(r"^(name|summary):[ \t]*(.*?)[ \t]*$(?:\n[ \t]+(\S.*))?", re.MULTILINE)


def of_claude_code(session_id: str, pieces: Iterable[bytes]) -> str:
    """What the user called it, else what Claude Code did, else its summary.

    A transcript may begin with summaries of other sessions: their last record is not in it.
    """
    titles: dict[str, str] = {}
    summaries: list[tuple[bytes, str]] = []
    uuids: set[bytes] = set()
    for piece in pieces:
        uuids.update(_UUID.findall(piece))
        for record in _records(piece, b'-title"', b'"summary"'):
            kind = record.get("type")
            if kind == "summary":
                leaf = _text(record, "leafUuid").encode("utf-8", "replace")
                summaries.append((leaf, _text(record, "summary")))
            elif record.get("sessionId", session_id) == session_id:
                titles["custom"] = _text(record, "customTitle") or titles.get("custom", "")
                titles["ai"] = _text(record, "aiTitle") or titles.get("ai", "")
    own = [said for leaf, said in summaries if not leaf or not uuids or leaf in uuids]
    return titles.get("custom") or titles.get("ai") or (own[-1] if own else "")


def of_codex(session_id: str, pieces: Iterable[bytes]) -> str:
    """The last name of the thread, of the list of all threads or of the session's transcript."""
    found = ""
    for piece in pieces:
        for record in _records(piece, b'"thread_name"'):
            payload = record.get("payload", record)
            if isinstance(payload, dict):
                owner = payload.get("id", payload.get("thread_id", session_id))
                found = _text(payload, "thread_name") or found if owner == session_id else found
    return found


def of_gemini_cli(pieces: Iterable[bytes], *, by_line: bool) -> str:
    """The last summary of a transcript: of an object, or of lines that change one."""
    found = ""
    for piece in pieces:
        for record in _records(piece, b'"summary"') if by_line else _record(piece):
            changes = record.get("$set", record)
            found = _text(changes, "summary") or found if isinstance(changes, dict) else found
    return found


def of_copilot_cli(pieces: Iterable[bytes]) -> str:
    """The last title that an event tells."""
    found = ""
    for piece in pieces:
        for record in _records(piece, b'"session.title_changed"'):
            data = record.get("data")
            found = _text(data, "title") or found if isinstance(data, dict) else found
    return found


def of_workspace_yaml(pieces: Iterable[bytes]) -> str:
    """The `name` or else the `summary` of a session's `workspace.yaml`, each one line of text."""
    text = b"".join(pieces).decode("utf-8", "replace")
    found = {}
    for key, value, below in _SCALAR.findall(text):
        found[key] = _unquoted(below if value[:1] in {"|", ">"} else value)
    return found.get("name") or found.get("summary") or ""


def _records(lines: bytes, *parts: bytes) -> Iterator[dict[str, Any]]:
    """The objects in those lines that have one of some parts."""
    if any(part in lines for part in parts):
        for line in lines.splitlines():
            if any(part in line for part in parts):
                yield from _record(line)


def _record(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        record = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return
    if isinstance(record, dict):
        yield record


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _unquoted(value: str) -> str:
    if value in {"null", "~"}:
        return ""
    if value.startswith("'"):
        return value.strip("'").replace("''", "'")
    if value.startswith('"'):
        try:
            text: str = msgspec.json.decode(value, type=str)
        except ValueError:
            return value.strip('"')
        return text
    return value
