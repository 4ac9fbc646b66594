"""What the client said, asked by name."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pytest_lsp import client_capabilities

from rad_lsp.server.client import EXPORT_SESSION, OPEN_COMPARISON, ClientCapabilities

ASKED = [
    "answers_configuration",
    "registers_configuration",
    "watches_files",
    "watches_relative_patterns",
    "answers_messages",
    "shows_progress",
    "pulls_diagnostics",
    "refreshes_diagnostics",
    "refreshes_lenses",
    "refreshes_hints",
    "nests_symbols",
    "deletes_files",
    "confirms_edits",
    "reads_markdown",
]
EDITORS = {
    "visual-studio-code": {
        "answers_messages",
        "answers_configuration",
        "registers_configuration",
        "watches_files",
        "shows_progress",
        "refreshes_lenses",
        "nests_symbols",
        "deletes_files",
        "confirms_edits",
        "reads_markdown",
    },
    "neovim": {
        "answers_messages",
        "answers_configuration",
        "watches_relative_patterns",
        "shows_progress",
        "pulls_diagnostics",
        "refreshes_hints",
        "nests_symbols",
        "deletes_files",
        "reads_markdown",
    },
    "emacs": {
        "answers_configuration",
        "watches_files",
        "shows_progress",
        "nests_symbols",
        "reads_markdown",
    },
}


@pytest.fixture
def introduced():
    def introduced(capabilities, **params):
        client = ClientCapabilities()
        client.introduce(types.InitializeParams(capabilities=capabilities, **params))
        return client

    return introduced


def yes(client):
    return {name for name in ASKED if getattr(client, name)}


@pytest.mark.parametrize("editor", EDITORS)
def test_editors_are_asked_only_for_what_they_offer(introduced, editor):
    assert yes(introduced(client_capabilities(editor))) == EDITORS[editor]


def test_a_client_that_says_nothing_offers_nothing(introduced):
    assert yes(ClientCapabilities()) == yes(introduced(types.ClientCapabilities())) == set()
    assert ClientCapabilities().commands == ClientCapabilities().linked == frozenset()


def test_a_client_of_ours_names_its_commands(introduced):
    ours = {"radStats": {"version": 1, "commands": [OPEN_COMPARISON, EXPORT_SESSION, "other", 5]}}
    client = introduced(types.ClientCapabilities(experimental=ours))
    assert client.commands >= {OPEN_COMPARISON, EXPORT_SESSION}
    assert 5 not in client.commands
    assert client.linked == client.commands


def test_a_client_of_ours_need_not_follow_links(introduced):
    ours = {"radStats": {"version": 1, "commands": [OPEN_COMPARISON], "links": False}}
    client = introduced(types.ClientCapabilities(experimental=ours))
    assert (client.commands, client.linked) == ({OPEN_COMPARISON}, frozenset())


@pytest.mark.parametrize(
    "experimental",
    [None, {}, [], 5, "text", {"radStats": None}, {"radStats": {"commands": "all"}},
     {"radStats": {"commands": {"a": 1}}}, {"radStats": []}],
)  # fmt: skip
def test_what_is_not_of_the_contracts_shape_is_no_command(introduced, experimental):
    client = introduced(types.ClientCapabilities(experimental=experimental))
    assert client.commands == frozenset()


def test_initialization_options_are_kept(introduced):
    options = {"timezone": "UTC"}
    assert introduced(types.ClientCapabilities(), initialization_options=options).options == options
    assert introduced(types.ClientCapabilities()).options is None
