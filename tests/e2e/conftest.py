"""A real server process, and a client that keeps what the server says."""

from __future__ import annotations

import asyncio
import sys

import pytest
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import register_lsp_features

from rad_lsp.server.protocol import converter

PATIENCE = 30
"""Seconds after which a message that has not come is taken for lost."""


class Client(LanguageClient):
    """Collects every `stats/status`, so that none is missed while the test looks elsewhere."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.statuses = []
        self.registrations = []
        self._news = asyncio.Event()

    def heard(self, status):
        self.statuses.append(status)
        self._news.set()

    async def status(self, wanted=lambda _: True):
        """The first status that is as wanted, among those that came and those to come."""
        seen = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                for status in self.statuses[seen:]:
                    if wanted(status):
                        return status
                seen = len(self.statuses)
                self._news.clear()
                await self._news.wait()

    async def ask(self, method, params=None):
        """The answer to a request of the wire contract, as plain values."""
        async with asyncio.timeout(PATIENCE):
            return await self.protocol.send_request_async(method, params)


def make_client():
    client = Client(converter_factory=converter)
    register_lsp_features(client)

    @client.feature("stats/status")
    def heard(status):
        client.heard(status)

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params):
        client.registrations.extend(params.registrations)

    for refresh in (
        types.WORKSPACE_CODE_LENS_REFRESH,
        types.WORKSPACE_INLAY_HINT_REFRESH,
    ):
        client.feature(refresh)(lambda *_: None)

    return client


SERVER = [sys.executable, "-m", "rad_lsp", "--stdio"]


@pytest.fixture
async def connect(workspace):
    """Starts a server and a client; by default on the test's workspace, as VS Code would."""
    clients = []

    async def connected(folders=(workspace.root,), editor="visual-studio-code", **params):
        config = ClientServerConfig(server_command=SERVER, client_factory=make_client)
        client = await config.start()
        clients.append(client)
        capabilities = client_capabilities(editor) if isinstance(editor, str) else editor
        client.initialized = await client.initialize_session(
            types.InitializeParams(
                capabilities=capabilities,
                workspace_folders=[
                    types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name)
                    for folder in folders
                ],
                **params,
            )
        )
        return client

    yield connected
    for client in clients:
        if not client.stopped:
            await client.shutdown_session()
        await client.stop()


@pytest.fixture
async def client(connect):
    """A client whose server has the test's own workspace open."""
    return await connect()


@pytest.fixture
def uri(workspace):
    """The URI of a report in the workspace, by session id."""
    return lambda session_id: (workspace.sessions / f"{session_id}.json").as_uri()
