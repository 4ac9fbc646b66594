"""A real server process, and a client that keeps what the server says."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
from itertools import pairwise

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

from rad_lsp.core.wording import is_hidden
from rad_lsp.server.protocol import converter

PATIENCE = 30
"""Seconds after which a message that has not come is taken for lost."""

EDITORS = ("visual-studio-code", "neovim", "emacs")
HOSTILE = "\x1b]0;title\x07\x1b[2J\u202e\x9b" + "x" * 50_000
"""What no editor may be sent to be shown: a terminal's escapes, a bidi mark, too many letters."""

LONG = 20_000
"""Characters that a text which is shown may have."""

OUR_COMMANDS = (
    "radLsp.openSession",
    "radLsp.showCost",
    "radLsp.openComparison",
    "radLsp.exportSession",
    "radLsp.showNotice",
)
SERVER = [sys.executable, "-m", "rad_lsp", "--stdio"]


class Client(LanguageClient):
    """Collects what the server says, so that nothing is missed while the test looks elsewhere."""

    introduced: types.InitializeResult

    def __init__(self, **kwargs):
        super().__init__(converter_factory=converter, **kwargs)
        self.statuses = []
        self.registrations = []
        self.notices = []  # messages that the user can answer
        self.shown = []
        self.answer = None  # what the user chooses; by default nothing
        self.refreshes = []
        self.pushed = {}
        self.tells = asyncio.Event()  # else it is too busy to tell its settings
        self.tells.set()
        self._news = asyncio.Event()

    def heard(self, *_):
        """Something came in; whoever waits looks again."""
        self._news.set()

    def shows(self, params):
        """What the user wants to see."""
        self.shown.append(params)
        self.heard()

    async def until(self, found):
        """What `found()` gives, as soon as it gives anything."""
        return await self.within(PATIENCE, found)

    async def within(self, seconds, found):
        """The same, for a test whose point is that nothing comes."""
        async with asyncio.timeout(seconds):
            while True:
                self._news.clear()
                if value := found():
                    return value
                await self._news.wait()

    async def status(self, wanted=lambda _: True, folder=None):
        """The first status that is as wanted, among those that came and those to come."""

        def found():
            for status in self.statuses:
                mine = folder is None or status["workspaceUri"] == folder.as_uri()
                if mine and wanted(status):
                    return status
            return None

        return await self.until(found)

    async def sessions(self, *ids, folder=None):
        """The first status after which exactly these sessions are there, newest first."""

        def newest(status):
            last = status["session"]["sessionId"] if status["session"] else None
            return (status["totals"]["sessions"], last) == (len(ids), ids[0] if ids else None)

        return await self.status(newest, folder)

    async def diagnostics_of(self, uri, wanted=lambda _: True):
        """The diagnostics of a file, once they are as wanted."""

        def found():
            known = self.pushed.get(uri)
            return (known,) if known is not None and wanted(known) else None

        return (await self.until(found))[0]

    async def message(self):
        """The first message that is shown to the user."""
        return (await self.until(lambda: self.messages))[0]

    async def ask(self, method, params=None):
        """The answer to a request of the wire contract, as plain values."""
        async with asyncio.timeout(PATIENCE):
            return await self.protocol.send_request_async(method, params)

    def opens(self, uri, text):
        document = types.TextDocumentItem(uri=uri, language_id="json", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(document))

    def changes(self, uri, *changes, version=2):
        """Change an open document: to a text, or in ranges of it."""
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(uri=uri, version=version),
                [
                    types.TextDocumentContentChangeWholeDocument(text=change)
                    if isinstance(change, str)
                    else types.TextDocumentContentChangePartial(range=change[0], text=change[1])
                    for change in changes
                ],
            )
        )

    def closes(self, uri):
        document = types.TextDocumentIdentifier(uri=uri)
        self.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def says_changed(self, *uris, kind=types.FileChangeType.Changed):
        """Tell what an editor's own file watcher sees."""
        changes = [types.FileEvent(uri=uri, type=kind) for uri in uris]
        self.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes))

    def changes_folders(self, added=(), removed=()):
        event = types.WorkspaceFoldersChangeEvent(
            added=[as_folder(folder) for folder in added],
            removed=[as_folder(folder) for folder in removed],
        )
        self.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(event=event)
        )

    def configures(self, settings):
        """Change the editor's settings and tell the server, as VS Code does."""
        self.set_configuration({"radLsp": settings})
        self.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))


def harmless(value):
    """Whether all texts are short, and none changes a terminal or hides anything."""
    if isinstance(value, dict):
        return all(map(harmless, value.values()))
    if isinstance(value, list | tuple):
        return all(map(harmless, value))
    if not isinstance(value, str):
        return True
    lines = value.split("\n")
    return len(value) < LONG and not any(map(is_hidden, "".join(lines)))


def as_folder(path):
    return types.WorkspaceFolder(uri=path.as_uri(), name=path.name)


def range_of(*numbers):
    """A range from its four numbers."""
    line, character, end_line, end_character = numbers
    return types.Range(types.Position(line, character), types.Position(end_line, end_character))


def make_client(settings=None):
    client = Client(configuration=None if settings is None else {"": {"radLsp": settings}})

    def status(params):
        client.statuses.append(params)
        client.heard()

    def pushed(params):
        client.diagnostics[params.uri] = client.pushed[params.uri] = params.diagnostics
        client.heard()

    def shown(params):
        client.messages.append(params)
        client.heard()

    async def asked(params):
        client.notices.append(params)
        shown(params)
        return await client.answer(params) if client.answer else None

    def registered(params):
        client.registrations.extend(params.registrations)
        client.heard()

    def progressed(params):
        client.progress_reports.setdefault(params.token, []).append(params.value)
        client.heard()

    async def configured(params):
        await client.tells.wait()
        return [client.get_configuration(section=item.section) for item in params.items]

    features = {
        **DEFAULT_CLIENT_FEATURES,
        types.WORKSPACE_CONFIGURATION: configured,
        "stats/status": status,
        types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: pushed,
        types.WINDOW_SHOW_MESSAGE: shown,
        types.WINDOW_SHOW_MESSAGE_REQUEST: asked,
        "stats/show": functools.partial(client.shows),
        types.CLIENT_REGISTER_CAPABILITY: registered,
        types.PROGRESS: progressed,
    }
    for method in (
        types.WORKSPACE_CODE_LENS_REFRESH,
        types.WORKSPACE_INLAY_HINT_REFRESH,
        types.WORKSPACE_DIAGNOSTIC_REFRESH,
    ):

        def refreshed(_params, method=method):
            client.refreshes.append(method)
            client.heard()

        features[method] = refreshed
    register_lsp_features(client, features)
    return client


def capabilities_of(editor, commands=(), **changes):
    """What an editor says it can do; `changes` set keys of its top level."""
    found = client_capabilities(editor) if isinstance(editor, str) else editor
    if commands:
        found.experimental = {"radStats": {"version": 1, "commands": list(commands)}}
    for name, value in changes.items():
        setattr(found, name, value)
    return found


async def started(folders, capabilities, settings=None, env=None, *, busy=False, **params):
    """A client whose server has the folders open."""
    client = make_client(settings)
    await ClientServerConfig(
        server_command=SERVER, client_factory=lambda: client, server_env=env
    ).start()
    if busy:
        client.tells.clear()
    async with asyncio.timeout(PATIENCE):
        client.introduced = await client.initialize_session(
            types.InitializeParams(
                capabilities=capabilities,
                workspace_folders=[as_folder(folder) for folder in folders],
                **params,
            )
        )
    return client


async def stop(client):
    if not client.stopped:
        async with asyncio.timeout(PATIENCE):
            await client.shutdown_session()
    await client.stop()
    by_folder = {}
    for status in client.statuses:
        by_folder.setdefault(status["workspaceUri"], []).append(status)
    for statuses in by_folder.values():
        for before, after in pairwise(statuses):
            assert before != after, "a status was sent though nothing in it had changed"


@pytest.fixture
async def connect(workspace):
    """Starts a server and a client; by default on the test's workspace, as VS Code would."""
    clients = []

    async def connected(
        folders=None, editor="visual-studio-code", settings=None, env=None, **params
    ):
        capabilities = capabilities_of(editor)
        folders = (workspace.root,) if folders is None else folders
        variables = {**os.environ, **env} if env else None
        client = await started(folders, capabilities, settings, variables, **params)
        clients.append(client)
        return client

    yield connected
    for client in clients:
        await stop(client)


@pytest.fixture
async def client(connect):
    """A client whose server has the test's own workspace open."""
    return await connect()


@pytest.fixture
def uri(workspace):
    """The URI of a report in the workspace, by session id."""
    return lambda session_id: (workspace.sessions / f"{session_id}.json").as_uri()


@pytest.fixture
def patched(tmp_path):
    """Environment variables of a server in which a piece of Python has run first."""

    def patched(code):
        folder = tmp_path / "patch"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        return {"PYTHONPATH": path.rstrip(os.pathsep)}

    return patched


class Library:
    """A workspace that tests only read; `add` while it is made."""

    def __init__(self, root, report_bytes):
        self.root = root
        self.sessions = root / ".radium" / "_internals" / "sessions"
        self.sessions.mkdir(parents=True)
        self._report_bytes = report_bytes

    def add(self, session_id, **changes):
        path = self.sessions / f"{session_id}.json"
        changes = {"start_time": "2025-12-01T09:00:00Z", **changes}
        path.write_bytes(self._report_bytes(session_id=session_id, **changes))
        return path

    def compact(self, session_id, data):
        text = json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":"))
        path = self.sessions / f"{session_id}.json"
        path.write_bytes(text.encode())
        return path

    def uri(self, session_id):
        return (self.sessions / f"{session_id}.json").as_uri()

    def text(self, session_id):
        return (self.sessions / f"{session_id}.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def library(tmp_path_factory, report_bytes):
    """Sessions for a whole module of tests: newest `third`, then `second`, then `first`.

    `emoji` and `emoji-compact` have keys beyond the Basic Multilingual Plane; `torn` is unreadable.
    """
    made = Library(tmp_path_factory.mktemp("library"), report_bytes)
    made.add("first", end_time="2025-12-05T10:00:00Z", total_cost=0.1275)
    made.add("second", end_time="2025-12-06T10:00:00Z", tool_calls=0, successful_tool_calls=0,
             failed_tool_calls=0)  # fmt: skip
    made.add("third", end_time="2025-12-07T10:00:00Z", files_changed=4)
    model = {"requests": 1, "input_tokens": 1_234_567, "output_tokens": 5, "cached_tokens": 0}
    emoji = report_bytes(
        session_id="emoji",
        start_time="2025-12-01T09:00:00Z",
        end_time="2025-12-01T10:00:00Z",
        model_usage={"😀 é 名": {**model, "estimated_cost": 0.1275}},
    )
    text = json.dumps(json.loads(emoji), ensure_ascii=False, indent=2)
    (made.sessions / "emoji.json").write_text(text, encoding="utf-8")
    made.compact("emoji-compact", emoji.replace(b'"emoji"', b'"emoji-compact"'))
    (made.sessions / "torn.json").write_bytes(b'{"metrics": {')
    return made


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """The environment of a server that outlives a test: a home without settings."""
    home = str(tmp_path_factory.mktemp("home"))
    names = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA")
    return {**os.environ, **dict.fromkeys(names, home)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(library, own_home):
    """A client on the library, for a module whose tests only ask."""
    client = await started([library.root], capabilities_of("visual-studio-code"), env=own_home)
    await client.status()
    yield client
    await stop(client)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=EDITORS)
async def each_editor(request, library, own_home):
    """The same, once for each editor."""
    client = await started([library.root], capabilities_of(request.param), env=own_home)
    client.editor = request.param
    await client.status()
    yield client
    await stop(client)


async def appears(found):
    """Wait until `found()` gives something, such as a file that another process makes."""
    async with asyncio.timeout(PATIENCE):
        while not (value := found()):  # noqa: ASYNC110  (files send no messages)
            await asyncio.sleep(0.005)
    return value


def replace(path, data):
    """Write a report as Radium does: beside, then renamed into place."""
    temporary = path.with_name(f"{path.stem}.tmp.6f1c2a52-0d5c-4c7e-9a43-1b8e2c9d7f10")
    temporary.write_bytes(data)
    return temporary.replace(path)
