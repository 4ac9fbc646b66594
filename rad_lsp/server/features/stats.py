"""The requests of the wire contract, `stats/*`."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcRequestCancelled

from rad_lsp import service, wire
from rad_lsp.core import period
from rad_lsp.core.errors import SessionUnreadable
from rad_lsp.core.problems import Problem
from rad_lsp.render import answers
from rad_lsp.render import export as exports
from rad_lsp.render import overview as overviews
from rad_lsp.server.registry import request
from rad_lsp.server.uris import path_of
from rad_lsp.service import budget as budgets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from rad_lsp.core.period import Period
    from rad_lsp.core.session import Session
    from rad_lsp.core.usage import Kind
    from rad_lsp.server.context import Context
    from rad_lsp.server.folder import Folder
    from rad_lsp.service import Snapshot

logger = logging.getLogger(__name__)


@request("stats/session", wire.SessionParams)
async def session(context: Context, params: wire.SessionParams) -> wire.SessionStats:
    """One session in full: by id, by its file, or the most recent."""
    if params.uri is not None and params.session_id is not None:
        raise JsonRpcInvalidParams("uri: goes without sessionId")
    if params.uri is not None:
        read = await _by_uri(context, params.uri)
        for each in context.folders:
            await each.ready()
        selected = context.folders.shown(read)
        holding = context.folders.of(read) or next(iter(context.folders), None)
        zone = holding.settings.values.zone if holding else None
    else:
        folder, snapshot = await snapshot_of(context, params)
        selected = service.session(snapshot, params.session_id)
        zone = folder.settings.values.zone
    prices = context.folders.prices_of(selected)
    savings = await asyncio.to_thread(service.savings, selected, prices)
    selected = await asyncio.to_thread(service.one_row_per_model, selected, prices)
    title_of = context.folders.titles.known.of
    return answers.session(selected, datetime.now(UTC), zone, savings, title_of)


@request("stats/model", wire.UsageParams)
async def model(context: Context, params: wire.UsageParams) -> wire.UsageResult:
    """Usage per model."""
    return await _usage(context, params, "model")


@request("stats/engine", wire.UsageParams)
async def engine(context: Context, params: wire.UsageParams) -> wire.UsageResult:
    """Usage per engine."""
    return await _usage(context, params, "engine")


@request("stats/cost", wire.CostParams)
async def cost(context: Context, params: wire.CostParams) -> wire.CostResult:
    """The tokens and rates that a cost is made of."""
    folder, snapshot = await snapshot_of(context, params)
    within = period_of(folder, params.since, params.until)
    arguments = (snapshot, folder.settings.prices, params.session_id, within)
    table = await asyncio.to_thread(service.cost, *arguments)
    return answers.cost(table, *_named(context, folder, snapshot, params.session_id))


@request("stats/budget", wire.BudgetParams)
async def budget(context: Context, params: wire.BudgetParams) -> wire.BudgetResult:
    """All budgets that are set, and how far each will go."""
    folder, snapshot = await snapshot_of(context, params)
    settings = folder.settings.values
    arguments = (snapshot, folder.sessions.root, settings, datetime.now(UTC))
    found = await folder.sessions.ask(lambda store: budgets.overview(store, *arguments))
    return answers.budget(found, settings.zone)


@request("stats/history", wire.HistoryParams)
async def history(context: Context, params: wire.HistoryParams) -> wire.History:
    """A page of sessions, newest first."""
    folder, snapshot = await snapshot_of(context, params)
    within = period_of(folder, params.since, params.until)
    if params.project is not None:
        snapshot = snapshot.of_project(params.project)
    page = service.history(snapshot, params.limit, params.offset, within)
    titles = context.folders.titles
    if params.titles:
        await titles.read(page.sessions)
    zone = folder.settings.values.zone
    return answers.history(page, snapshot, datetime.now(UTC), zone, titles.known.of)


@request("stats/overview", wire.OverviewParams)
async def overview(context: Context, params: wire.OverviewParams) -> wire.OverviewResult:
    """Today, this week and this month, and what is left."""
    folder, _ = await snapshot_of(context, params)
    found = await folder.sessions.overview()
    zone, title_of = folder.settings.values.zone, context.folders.titles.known.of
    root = str(folder.sessions.root)
    return overviews.result(found, datetime.now(UTC), zone, root, title_of)


@request("stats/limits", wire.LimitsParams)
async def limits(context: Context, params: wire.LimitsParams) -> wire.LimitsResult:
    """Plan limits of the user's accounts."""
    folder, _ = await snapshot_of(context, params)
    found = await folder.sessions.plan_limits()
    return answers.limits(found, datetime.now(UTC), folder.settings.values.zone)


@request("stats/compare", wire.CompareParams)
async def compare(context: Context, params: wire.CompareParams) -> wire.SessionComparison:
    """Session B against session A, or against the session of its agent before it."""
    folder, snapshot = await snapshot_of(context, params)
    comparison = service.compare(snapshot, params.session_a, params.session_b)
    zone, title_of = folder.settings.values.zone, context.folders.titles.known.of
    return answers.comparison(comparison, datetime.now(UTC), zone, title_of)


@request("stats/export", wire.ExportParams)
async def export(context: Context, params: wire.ExportParams) -> wire.Export:
    """Sessions as text, or written to a file that the user named; can be cancelled."""
    folder, snapshot = await snapshot_of(context, params)
    within = period_of(folder, params.since, params.until)
    selected = service.selected(snapshot, params.session_id, within)
    zone = folder.settings.values.zone
    job = _Export(selected, params.format, zone, single=params.session_id is not None)
    target = _output(folder, params.output)
    root = folder.sessions.root
    if target is None:
        await context.room()
    async with context.progress.shown("Exporting sessions", lambda: job.sessions, job.stop):
        run = asyncio.to_thread(job.run, target, root, overwrite=params.overwrite)
        running = asyncio.create_task(run)
        try:
            size, content = await asyncio.shield(running)
        except asyncio.CancelledError:
            # It may have just finished: then the file exists, and that is the answer.
            job.stop()
            size, content = await running
    return wire.Export(
        format=params.format,
        sessions=job.sessions,
        bytes=size,
        uri=UNSET if target is None else target.as_uri(),
        content=content,
    )


class _Export:
    """An export that runs in a thread, counts the sessions it has written and can be stopped."""

    def __init__(
        self, sessions: Iterable[Session], kind: wire.Format, zone: tzinfo | None, *, single: bool
    ) -> None:
        self.sessions = 0
        self._stopped = threading.Event()
        now = datetime.now(UTC)
        self._chunks = exports.chunks(
            self._counted(sessions), kind, now, single=single, left_out=self._left_out, zone=zone
        )

    def stop(self) -> None:
        """Let the export end soon, without leaving a file."""
        self._stopped.set()

    def run(
        self, target: Path | None, workspace: Path, *, overwrite: bool
    ) -> tuple[int, str | UnsetType]:
        """Export; returns the size in bytes, and the content if there is no target."""
        if target is not None:
            size = service.write(target, self._chunks, overwrite=overwrite, workspace=workspace)
            return size, UNSET
        content = b"".join(self._chunks)
        return len(content), content.decode("utf-8")

    def _counted(self, sessions: Iterable[Session]) -> Iterator[Session]:
        for session in sessions:
            if self._stopped.is_set():
                raise JsonRpcRequestCancelled
            self.sessions += 1
            yield session

    def _left_out(self, error: SessionUnreadable) -> None:
        self.sessions -= 1
        logger.warning("Left out of an export: %s", error)


async def _usage(context: Context, params: wire.UsageParams, kind: Kind) -> wire.UsageResult:
    folder, snapshot = await snapshot_of(context, params)
    within = period_of(folder, params.since, params.until)
    arguments = (snapshot, kind, params.session_id, within, folder.settings.prices)
    table = await asyncio.to_thread(service.usage, *arguments)
    return answers.usage(table, *_named(context, folder, snapshot, params.session_id))


def _named(
    context: Context, folder: Folder, snapshot: Snapshot, reference: str | None
) -> tuple[str | None, str | None]:
    """The whole id and the label of the session that is asked for; None where all are."""
    if reference is None:
        return None, None
    session = snapshot.resolve(reference)
    return session.id, context.folders.label(session, folder.settings.values.zone)


async def snapshot_of(context: Context, params: wire.Params) -> tuple[Folder, Snapshot]:
    """The folder that is asked about, and its sessions or those of all projects."""
    folder = context.folders.pick(params.workspace_uri)
    snapshot = await folder.ready()
    if isinstance(params, wire.ScopeParams) and params.all_projects:
        snapshot = await folder.sessions.ask(lambda store: store.recall(), all_projects=True)
    return folder, snapshot


def period_of(folder: Folder, since: str | None, until: str | None) -> Period:
    """The period that params name, in a folder's time zone. Raises JsonRpcInvalidParams."""
    now = datetime.now(UTC)
    try:
        return period.parse(since, until, now, folder.settings.values.zone)
    except ValueError as error:
        raise JsonRpcInvalidParams(f"since, until: {error}") from None


async def _by_uri(context: Context, uri: str) -> Session:
    document = await context.documents.read(uri)
    if document is None:
        path = context.documents.path(uri)
        if path is None:
            raise JsonRpcInvalidParams("uri: is not that of a session report")
        raise SessionUnreadable(path, "there is no such file")
    if isinstance(document.content, Problem):
        raise SessionUnreadable(document.path, document.content.reason)
    return context.folders.shown(document.content)


def _output(folder: Folder, output: str | None) -> Path | None:
    """The file that the user named: a file URI, or a path relative to the workspace folder."""
    if output is None:
        return None
    if output.lower().startswith("file:"):
        path = path_of(output)
        if not path:
            raise JsonRpcInvalidParams("output: is not the absolute URI of a file here, in UTF-8")
        return Path(path)
    if not output or "\0" in output:
        raise JsonRpcInvalidParams("output: is not a path")
    return folder.path / output
