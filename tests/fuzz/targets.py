"""What takes input from elsewhere, each with an input that the dice choose, and what must hold.

Nothing raises but what is documented; what can't be read is counted; no figure is negative or not a
number; what is sent is JSON; and it makes no difference in which pieces the input came.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from rad_lsp import service, settings
from rad_lsp.core import figures
from rad_lsp.core.errors import (
    BadSessionId,
    BadSettings,
    NoSessions,
    SessionAmbiguous,
    SessionNotFound,
)
from rad_lsp.core.report import read as read_report
from rad_lsp.core.session import RADIUM
from rad_lsp.render import answers, export, history, markdown, text
from rad_lsp.render.status_line import status_line
from rad_lsp.server.transport import Frames, InvalidFrame
from rad_lsp.sources.radium import FOLDER
from rad_lsp.store.machine import Machine
from rad_lsp.store.snapshot import Snapshot
from rad_lsp.store.store import Store
from rad_lsp.tracking import SessionRecorder, ids
from rad_lsp.tracking.events import Reader
from tests.fuzz.dice import VALUES, altered, altered_bytes, altered_lines, pieces

NOW = datetime(2026, 12, 7, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "data"
SAMPLES = Path(__file__).parent / "samples"


def _found(*folders, suffix):
    """Files by their place in a home folder; one of each name is enough."""
    files = {}
    for folder in folders:
        for path in sorted(folder.rglob(f"*{suffix}")):
            files.setdefault(path.relative_to(folder), path.read_bytes())
    return sorted(files.items())


CASES = [path for path in (DATA / "cases").glob("*/home") if "cowork" not in str(path)]
TRANSCRIPTS = _found(*CASES, SAMPLES, suffix=".jsonl") + _found(SAMPLES, suffix=".json")
REPORTS = _found(*(path for path in DATA.iterdir() if (path / FOLDER).is_dir()), suffix=".json")
REPORTS = [(path, data) for path, data in REPORTS if len(data) < 20_000]


def transcripts(dice, folder):
    """A transcript of any agent: read at once, and in pieces as it grows."""
    place, sample = dice.choice(TRANSCRIPTS)
    cuts = dice.cuts()
    data = altered_lines(dice, sample)
    path = folder / place
    path.parent.mkdir(parents=True)
    with contextlib.closing(Machine({}, folder, None)) as grown:
        # What is not made of lines does not grow: it is written anew.
        parts = pieces(data, cuts) if path.suffix == ".jsonl" else [data]
        for part in parts:
            with path.open("ab") as file:
                file.write(part)
            _shown(grown, folder)
        before = _shown(grown, folder)
    with contextlib.closing(Machine({}, folder, None)) as fresh:
        assert _shown(fresh, folder) == before
        counted = dict(fresh.index.connection.execute("SELECT path, skipped FROM file"))
    (source,) = (one for one in grown.agents() if str(path) in one.paths())
    parser = source.parser(str(path))
    parser.feed(data)
    assert parser.progress.skipped >= len(parser.progress.first_skipped)
    if data.endswith(b"\n"):  # else the index reads the last line, but does not count it
        assert counted.get(str(path), 0) == parser.progress.skipped


def reports(dice, folder):
    """A report: read, shown, exported."""
    place, sample = dice.choice(REPORTS)
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(altered(dice, json.loads(sample)), indent=dice.choice([2, None])).encode()
    while not dice.is_used_up:
        data = altered_bytes(dice, data)
    path.write_bytes(data)
    with contextlib.closing(Machine({}, folder, None)) as machine:
        snapshot = _shown(machine, folder)
    assert len(snapshot.entries) + len(snapshot.skipped) == 1


def _shown(machine, folder):
    """The snapshot of all sessions, after each way in which they are shown."""
    store = Store(machine, folder, everywhere=True)
    snapshot = store.refresh()
    sessions = list(snapshot.sessions())
    for session in sessions:
        _is_sane(session)
        text.session(session, NOW)
        markdown.session(session, NOW)
        _is_json(msgspec.json.encode(answers.session(session, NOW, UTC)))
    page = service.history(snapshot, service.MAX_LIMIT)
    history.text(page)
    _is_json(msgspec.json.encode(answers.history(page, snapshot, NOW, UTC)))
    status = service.status(snapshot, NOW, UTC)
    shown = answers.status(status, "file:///w", NOW, UTC, template="{cost}", links="")
    _is_json(msgspec.json.encode(shown))
    for kind in ("json", "ndjson", "csv", "markdown"):
        lost = []
        chunks = export.chunks(sessions, kind, NOW, single=False, left_out=lost.append, zone=UTC)
        content = b"".join(chunks)
        assert lost == []
        content.decode("utf-8")
        if kind == "json":
            assert len(_is_json(content)) == len(sessions)
    return snapshot


def _is_json(data):
    """The value, once it is clear that any reader of JSON can have it."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(data.decode("utf-8"), parse_constant=refuse)


MAY_BE_NEGATIVE = {"lines_added", "lines_removed", "cost"}
"""In reports: the format has lines so, and costs are taken as they are stored."""


def _is_sane(session):
    for figure in figures.FIGURES:
        value = figure.value(session)
        if value is not None:
            assert math.isfinite(value), figure.name
            is_stored = session.source == RADIUM and figure.name in MAY_BE_NEGATIVE
            assert value >= 0 or is_stored, figure.name
    for usage in (*session.models, *session.engines):
        counts = (usage.requests, usage.input_tokens, usage.output_tokens, usage.cached_tokens)
        assert min(counts) >= 0
        if usage.cost is not None:
            assert math.isfinite(usage.cost)
            assert usage.cost >= 0 or session.source == RADIUM


EVENTS = [
    {
        "type": "request",
        "time": "2026-03-02T12:00:00Z",
        "duration": 2,
        "gen_ai.request.model": "asked-for",
        "gen_ai.response.model": "answering",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 500,
        "gen_ai.usage.cache_creation.input_tokens": 300,
        "rad.usage.cache_creation_1h.input_tokens": 100,
        "rad.cost": 0.5,
        "rad.tier": "flex",
    },
    {"type": "tool", "duration": 1.5, "gen_ai.tool.name": "t", "error.type": "timeout"},
    {"type": "tool.start", "gen_ai.tool.call.id": "a", "gen_ai.tool.name": "t"},
    {"type": "tool.end", "gen_ai.tool.call.id": "a"},
    {"type": "tool.start", "gen_ai.tool.call.id": "b"},
    {"type": "approval", "decision": "denied", "gen_ai.tool.call.id": "b"},
    {"type": "approval", "decision": "asked"},
]
EVENT_LINES = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)


def events(dice, folder):
    """A recorder's events: at once and in pieces."""
    cuts = dice.cuts()
    data = altered_lines(dice, EVENT_LINES)
    parts = pieces(data, cuts)
    one, other = (_recorded(folder / name, fed) for name, fed in (("a", [data]), ("b", parts)))
    assert one == other


def _recorded(folder, fed):
    """Counts and warnings of a session that was fed these bytes, whose report must be sane."""
    with SessionRecorder(folder, changes=False) as session:
        reader = Reader(lambda: session)
        for piece in fed:
            reader.feed(piece)
        reader.finish()
    data = session.path.read_bytes()
    found = read_report(data)
    metrics = _is_json(data)["metrics"]
    with contextlib.closing(Machine({}, folder, None)) as machine:
        (made,) = Store(machine, folder, [RADIUM]).refresh().sessions()
    _is_sane(made)
    calls = [metrics[name] for name in ("tool_calls", "failed_tool_calls", "tool_approvals_denied")]
    assert not hasattr(found, "code")
    return calls, metrics["model_usage"], metrics["warnings"]


BODIES = [b"{}", b"", b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}', "é😀".encode(), b"\r\n\r\n"]


def frames(dice, folder):  # noqa: ARG001
    """A stream of messages: at once and in pieces."""
    bodies = [dice.choice(BODIES) for _ in range(1 + dice.below(4))]
    data = b"".join(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies)
    cuts = dice.cuts()
    is_whole = dice.is_used_up
    while not dice.is_used_up:
        data = altered_bytes(dice, data)
    parts = pieces(data, cuts)
    assert _bodies([data]) == _bodies(parts)
    if is_whole:
        assert _bodies(parts) == (bodies, False)


def _bodies(parts):
    """The bodies that come out, and whether the stream broke."""
    found, splitter = [], Frames()
    try:
        for part in parts:
            for body in splitter.feed(part):
                found.append(body)  # noqa: PERF402  (those before a break count, too)
    except InvalidFrame:
        return found, True
    return found, False


TOML = b"""
timezone = "Europe/Berlin"
sources = ["radium", "codex"]
[status]
format = "{cost} {today_cost}"
[budget]
day = 10.0
week = 50
[prices."my-model"]
input = 1.0
output = 5.0
"""
EDITOR = {
    "timezone": "UTC",
    "sources": ["radium"],
    "statusBar": {"format": "{cost}", "visibility": "always"},
    "budget": {"session": 1, "day": None},
    "prices": {"m": {"input": 1.0, "output": 5.0}},
    "trace": {"server": "off"},
}


def configuration(dice, folder):
    """Settings of a workspace's file and of the editor."""
    path = folder / settings.WORKSPACE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    editor = altered(dice, EDITOR)
    lines = TOML.splitlines(keepends=True)
    for _ in range(dice.below(4)):
        number = dice.below(len(lines))
        lines[number] = altered_bytes(dice, lines[number])
    path.write_bytes(b"".join(lines))
    with contextlib.suppress(BadSettings):
        found = settings.load(folder, settings.from_editor(editor), "the editor")
        template = found.values.status.format
        status_line(_STATUS, template)
        zone = found.values.zone
        assert zone is None or NOW.astimezone(zone) == NOW


def _snapshot():
    with contextlib.closing(Machine({}, DATA / "history", None)) as machine:
        return Store(machine, DATA / "history", [RADIUM]).refresh()


_SNAPSHOT = _snapshot()
_STATUS = service.status(_SNAPSHOT, NOW, UTC)
NAMES = [*_SNAPSHOT.by_id, "latest", "latest~1", "a1b2", "3c6d...", *map(str, VALUES)]


def identifiers(dice, folder):  # noqa: ARG001
    """What is given as a session's id."""
    name = dice.choice(NAMES)
    while not dice.is_used_up:
        name = altered_bytes(dice, name.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    for snapshot in (_SNAPSHOT, Snapshot()):
        try:
            assert snapshot.resolve(name).id in snapshot.by_id
        except (NoSessions, SessionNotFound, SessionAmbiguous):
            continue
    with contextlib.suppress(BadSessionId):
        ids.check(name)
        assert Path(name).name == name


FIELDS = [
    "{cost}",
    "{session_id}",
    "{{",
    "}}",
    "{",
    "}",
    "{cost!r}",
    "{cost:>99999999}",
    "{0}",
    "{}",
]
FIELDS += ["{cost.__class__}", "{cost[0]}", "{today_cost}", " · ", "\x1b[2J", "{total_tokens}"]


def templates(dice, folder):  # noqa: ARG001
    """A template of the status line: it is refused, or it is filled in."""
    template = ""
    while not dice.is_used_up:
        more = dice.choice(FIELDS) if dice.below(3) else dice.bytes(5).decode("utf-8", "replace")
        template += more
    try:
        settings.checked({"status": {"format": template}}, "a file")
    except BadSettings:
        return
    assert len(status_line(_STATUS, template)) < 100 * (1 + len(template))


TARGETS = {
    target.__name__: target
    for target in (transcripts, reports, events, frames, configuration, identifiers, templates)
}


def run(target, dice, folder):
    """Let the dice choose an input for a target, in a folder that is empty again afterwards."""
    folder.mkdir()
    try:
        target(dice, folder)
    finally:
        shutil.rmtree(folder)
