"""Events of a session as JSON lines, from an agent in any language.

Attributes have the names of OpenTelemetry's semantic conventions for generative AI. Those that
the conventions lack begin with `rad.`.
"""

from __future__ import annotations

import functools
import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeAlias

import msgspec
from msgspec import Meta, Struct

from rad_lsp.core import wording
from rad_lsp.core.errors import reason
from rad_lsp.tracking import recorder
from rad_lsp.tracking.ledger import UNKNOWN, CallUsage, Decision

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rad_lsp.tracking.ledger import Ledger
    from rad_lsp.tracking.recorder import SessionRecorder

LONGEST_LINE: Final = 2**20
"""The most bytes of an event."""

_MOST_NAMED: Final = 10
"""Bad lines that have a warning each; the others are only counted."""

_MOST_OPEN: Final = 10_000
"""Tool calls that may run at the same time. More would be ones whose end was never sent."""

_CHUNK: Final = 2**16

_BOM: Final = b"\xef\xbb\xbf"
"""Some programs on Windows begin a file of UTF-8 with it, or each piece that they append."""

_POLL: Final = 0.1
"""Seconds between two reads of new events."""

_YEAR: Final = 366 * 24 * 3600

Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=recorder.MOST_TOKENS)]
Time: TypeAlias = Annotated[
    datetime, Meta(tz=True, description="When it ended, RFC 3339; by default when it is read.")
]
Seconds: TypeAlias = Annotated[
    float, Meta(ge=0, le=_YEAR, description="How many seconds it took; 0 by default.")
]
Failure: TypeAlias = Annotated[
    Name, Meta(description="What kind of error it ended with; without it, it succeeded.")
]
CallId: TypeAlias = Annotated[Name, Meta(min_length=1, description="Joins tool.start and its end.")]


class Request(Struct, frozen=True, gc=False, tag="request", tag_field="type", kw_only=True):
    """A request to a model that has ended. Input includes tokens read from and written to caches.

    When both models are given, it counts for the one that answered.
    """

    time: Time | None = None
    duration: Seconds = 0.0
    model: Name = msgspec.field(name="gen_ai.request.model", default="")
    answered_by: Name = msgspec.field(name="gen_ai.response.model", default="")
    engine: Name = msgspec.field(name="gen_ai.provider.name", default="")
    input_tokens: Count = msgspec.field(name="gen_ai.usage.input_tokens", default=0)
    output_tokens: Count = msgspec.field(name="gen_ai.usage.output_tokens", default=0)
    cache_read_tokens: Count = msgspec.field(name="gen_ai.usage.cache_read.input_tokens", default=0)
    cache_creation_tokens: Count = msgspec.field(
        name="gen_ai.usage.cache_creation.input_tokens", default=0
    )
    cache_creation_1h_tokens: Annotated[
        Count, Meta(description="Those written to the cache that are kept for an hour.")
    ] = msgspec.field(name="rad.usage.cache_creation_1h.input_tokens", default=0)
    cost: (
        Annotated[float, Meta(ge=0, le=1e12, description="USD, if the provider says it.")] | None
    ) = msgspec.field(name="rad.cost", default=None)
    tier: Annotated[
        Name, Meta(description="Another service tier than the standard one: batch, flex, …")
    ] = msgspec.field(name="rad.tier", default="")
    error: Failure | None = msgspec.field(name="error.type", default=None)


class Tool(Struct, frozen=True, gc=False, tag="tool", tag_field="type", kw_only=True):
    """A tool call that has ended."""

    time: Time | None = None
    duration: Seconds = 0.0
    tool: Name = msgspec.field(name="gen_ai.tool.name", default="")
    error: Failure | None = msgspec.field(name="error.type", default=None)


class ToolStart(Struct, frozen=True, gc=False, tag="tool.start", tag_field="type", kw_only=True):
    """A tool call begins; its `tool.end` may come after those of others."""

    id: CallId = msgspec.field(name="gen_ai.tool.call.id")
    time: (
        Annotated[
            datetime,
            Meta(tz=True, description="When it began, RFC 3339; by default when it is read."),
        ]
        | None
    ) = None
    tool: Name = msgspec.field(name="gen_ai.tool.name", default="")


class ToolEnd(Struct, frozen=True, gc=False, tag="tool.end", tag_field="type", kw_only=True):
    """The end of a tool call that has begun."""

    id: CallId = msgspec.field(name="gen_ai.tool.call.id")
    time: Time | None = None
    error: Failure | None = msgspec.field(name="error.type", default=None)


class Approval(Struct, frozen=True, gc=False, tag="approval", tag_field="type", kw_only=True):
    """The user was asked for permission, or has allowed or denied something.

    With a call's id, `denied` ends that call: it counts neither as a tool call nor as a failure.
    """

    decision: Decision
    id: CallId | None = msgspec.field(name="gen_ai.tool.call.id", default=None)
    time: Time | None = None


Event: TypeAlias = Request | Tool | ToolStart | ToolEnd | Approval

_decode = msgspec.json.Decoder(Event).decode


def schema() -> dict[str, Any]:
    """The JSON Schema of an event."""
    made = msgspec.json.schema(Event)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Event", **made}


class Reader:
    """Adds events to a session as they come in. A bad line becomes a warning in its report.

    `begin` gives the session, and is called at the first line that is not blank. No more than
    `LONGEST_LINE` bytes are kept in memory.
    """

    def __init__(self, begin: Callable[[], SessionRecorder]) -> None:
        self._begin_session = begin
        self._rest = b""
        self._skipping = False
        self._line = 0
        self._bad = 0
        self._calls: dict[str, object] = {}

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the events. Raises what `begin` raises, whatever the bytes."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._end_line(self._rest + line)
            self._rest = b""
        if len(self._rest) + len(rest) > LONGEST_LINE:
            self._skipping = True
        self._rest = b"" if self._skipping else self._rest + rest

    def finish(self) -> None:
        """Read what follows the last line break: no more bytes will come."""
        if self._rest or self._skipping:
            self.feed(b"\n")

    @functools.cached_property
    def _ledger(self) -> Ledger:
        return self._begin_session().ledger

    def _end_line(self, line: bytes) -> None:
        self._line += 1
        too_long = self._skipping or len(line) > LONGEST_LINE
        self._skipping = False
        if too_long:
            self._reject(f"it is longer than {LONGEST_LINE:,} bytes")
        elif line.strip():
            try:
                self._add(_decode(line.removeprefix(_BOM).decode("utf-8")))
            except UnicodeDecodeError:
                self._reject("it is not valid UTF-8")
            except (ValueError, RecursionError) as error:
                self._reject(str(error))

    def _reject(self, reason: str) -> None:
        self._bad += 1
        if self._bad <= _MOST_NAMED:
            self._ledger.warn(f"Line {self._line:,} of the events is left out: {reason}")
        else:
            lines = wording.counted(self._bad - _MOST_NAMED, "more line")
            self._ledger.warn(f"{lines} of the events can't be read", "more lines")

    def _add(self, event: Event) -> None:
        """Add an event to the session. Raises ValueError for one that can't be true."""
        if isinstance(event, Request):
            self._request(event)
        elif isinstance(event, Tool):
            start, end = self._interval(event.time, event.duration)
            failed = bool(event.error)
            self._ledger.add_tool(start, end, event.tool, failed=failed, moment=event.time)
        elif isinstance(event, ToolStart):
            self._begin(event)
        elif isinstance(event, ToolEnd):
            call = self._begun(event.id)
            end = self._elapsed(event.time)
            self._ledger.end_tool(call, end, failed=bool(event.error), moment=event.time)
        elif event.decision == "denied" and event.id is not None and event.id in self._calls:
            call = self._begun(event.id)
            self._ledger.deny(call, self._elapsed(event.time), event.time)
        else:
            self._ledger.approve(event.decision, event.time)

    def _request(self, event: Request) -> None:
        tokens = CallUsage(
            event.input_tokens,
            event.output_tokens,
            event.cache_read_tokens,
            event.cache_creation_tokens,
            event.cache_creation_1h_tokens,
            event.cost,
        )
        if objection := tokens.objection():
            raise ValueError(objection)
        made = recorder.request(
            event.time or self._ledger.clock.moment(),
            event.answered_by or event.model or UNKNOWN,
            event.engine or UNKNOWN,
            event.tier,
            tokens,
        )
        start, end = self._interval(event.time, event.duration)
        self._ledger.add_request(start, end, made, failed=bool(event.error))

    def _begin(self, event: ToolStart) -> None:
        if event.id in self._calls:
            raise ValueError(f"the tool call {event.id!r} has begun already")
        if len(self._calls) >= _MOST_OPEN:
            raise ValueError(f"{_MOST_OPEN:,} tool calls have begun and not ended")
        call = self._calls[event.id] = object()
        self._ledger.begin(call, "tool", self._elapsed(event.time), event.tool)

    def _begun(self, call_id: str) -> object:
        call = self._calls.pop(call_id, None)
        if call is None:
            raise ValueError(f"no tool call {call_id!r} has begun")
        return call

    def _interval(self, time: datetime | None, duration: float) -> tuple[int, int]:
        end = self._elapsed(time)
        return end - int(duration * 1e9), end

    def _elapsed(self, time: datetime | None) -> int:
        return self._ledger.clock.elapsed() if time is None else self._ledger.clock.elapsed_at(time)


class Tail:
    """Reads a file of events while an agent appends to it, in a `with` statement.

    At the end of the statement the rest of the file is read.
    """

    def __init__(self, path: Path, session: SessionRecorder) -> None:
        self._file = path.open("rb", buffering=0)
        self._ledger = session.ledger
        self._reader = Reader(lambda: session)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._read()
        self._reader.finish()
        self._file.close()

    def _follow(self) -> None:
        while not self._stop.wait(_POLL):
            self._read()

    def _read(self) -> None:
        try:
            # The agent has emptied the file to start again.
            if os.fstat(self._file.fileno()).st_size < self._file.tell():
                self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                self._reader.feed(chunk)
        except OSError as error:
            self._ledger.warn(f"The events can't be read: {reason(error)}", "events")
