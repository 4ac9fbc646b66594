"""Settings: where they may come from, which one wins, and what a mistake does."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from lsprotocol import types

from rad_lsp import settings
from tests.e2e.conftest import EDITORS, HOSTILE, capabilities_of, harmless

LONG = "{cost} of {total_cost} in {total_sessions}"


def shows(text):
    return lambda status: status["text"] == text


def without_budgets(client):
    """The messages on settings: those on budgets that are passed come, too."""
    return [message for message in client.messages if " budget of " not in message.message]


@pytest.mark.parametrize("editor", EDITORS)
async def test_an_editors_settings_hold_from_the_start_and_change_at_once(
    connect, workspace, editor
):
    workspace.add("first")
    client = await connect(editor=editor, settings={"statusBar": {"format": LONG}})
    assert (await client.status())["text"] == "$0.1275 of $0.1275 in 1"
    client.configures({"statusBar": {"format": "{tool_calls} calls"}})
    await client.status(shows("231 calls"))
    client.configures({"statusBar": {"format": ""}})
    await client.status(shows("$0.1275 · 92.6%"))


async def test_settings_taken_away_are_the_defaults_again(connect, workspace):
    workspace.add("first")
    client = await connect(settings={"statusBar": {"format": LONG}})
    assert (await client.status())["text"] == "$0.1275 of $0.1275 in 1"
    client.configures(None)
    await client.status(shows("$0.1275 · 92.6%"))


async def test_initialization_options_serve_clients_that_tell_nothing_else(connect, workspace):
    workspace.add("first")
    client = await connect(initialization_options={"statusBar": {"format": "{cost}!"}})
    assert (await client.status())["text"] == "$0.1275!"


async def test_a_client_may_send_its_settings(connect, workspace):
    workspace.add("first")
    client = await connect(editor=types.ClientCapabilities())
    assert (await client.status())["text"] == "$0.1275 · 92.6%"
    settings = {"radLsp": {"statusBar": {"format": "{session_id}"}}}
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))
    await client.status(shows("first"))


async def test_the_nearest_setting_wins(connect, workspace, user_settings, workspace_settings):
    def passed(limit):
        return lambda status: f"The session's budget of ${limit:.4f}" in status["tooltip"]

    workspace.add("first")
    client = await connect(settings={})
    await client.status(shows("$0.1275 · 92.6%"))
    user = user_settings('status.format = "user"\nbudget.session = 0.1\n')
    await client.status(shows("user"))
    own = workspace_settings("budget.session = 0.05")
    await client.status(passed(0.05))
    client.configures({"statusBar": {"format": "editor"}, "budget": {"session": 0.01}})
    status = await client.status(passed(0.01))
    assert status["text"] == "editor"
    client.configures({})
    client.statuses.clear()
    await client.status(passed(0.05))
    own.unlink()
    status = await client.status(passed(0.1))
    assert status["text"] == "user"
    user.unlink()
    await client.status(shows("$0.1275 · 92.6%"))
    assert without_budgets(client) == []


async def test_the_tooltip_tells_what_set_which_setting(
    connect, workspace, user_settings, workspace_settings
):
    workspace.add("first")
    user = user_settings('timezone = "UTC"\nsources = ["radium"]\n[budget]\nday = 20\nweek = 50\n')
    own = workspace_settings("budget.day = 10")
    client = await connect(settings={"timezone": "Europe/Berlin"})
    tooltip = (await client.status())["tooltip"].replace("\\", "")
    lines = [line.strip() for line in tooltip.splitlines()]
    assert f"{user}: sources, budget.week" in lines
    assert f"{own}: budget.day" in lines
    assert "The editor's radLsp settings: timezone" in lines


async def test_what_a_workspace_may_not_set_changes_nothing_and_is_said_once(
    connect, user_settings, workspace_settings, claude_code
):
    claude_code("first", start="2030-01-01T00:00:00+00:00").answer(1000, 100)
    user = user_settings("budget.session = 0.001")
    client = await connect()
    before = await client.status(lambda status: status["session"] is not None)
    client.statuses.clear()
    own = workspace_settings(
        f'timezone = "UTC"\nsources = []\nstatus.format = {json.dumps(HOSTILE)}\n'
        "budget.session = 1000\n"
        '[prices."claude-sonnet-4-5-20250929"]\ninput = 0\noutput = 0\n'
    )
    (message,) = await client.until(lambda: without_budgets(client))
    assert message.type == types.MessageType.Warning
    assert message.message.startswith(f"{own}: sources, status, prices, budget.session ignored. ")
    assert message.message.endswith(f"belongs in {user}")
    after = await client.status(lambda status: "timezone" in status["tooltip"])
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"tooltip"}
    assert after["severity"] == "warning"
    claude_code("first", start="2030-01-01T00:00:10+00:00").answer(1000, 100)
    await client.status(lambda status: status["session"] != before["session"])
    assert len(without_budgets(client)) == 1
    assert harmless(client.statuses)


@pytest.mark.parametrize(
    "text",
    [
        f"{json.dumps(HOSTILE)} = 1",
        f"timezone = {json.dumps(HOSTILE)}",
        f"budget.{json.dumps(HOSTILE)} = 1",
        f"budget = {json.dumps(HOSTILE)}",
        f"[{HOSTILE}",
    ],
    ids=["key", "time zone", "budget", "no budget", "no TOML"],
)
async def test_a_mistake_in_a_workspace_is_said_in_harmless_words(
    connect, workspace, workspace_settings, text
):
    workspace.add("first")
    own = workspace_settings(text)
    client = await connect()
    message = (await client.message()).message
    assert message.startswith(f"{own}: ")
    assert harmless(message)
    assert harmless(await client.status())
    assert client.log_messages == []


async def test_a_hostile_name_of_a_folder_is_said_in_harmless_words(connect, workspace, tmp_path):
    folder = tmp_path / ("\x1b[2J\u202e" + "x" * 100)
    workspace.root.rename(folder)
    (folder / settings.WORKSPACE_FILE).write_text("sources = []\n")
    client = await connect([folder])
    assert harmless((await client.message()).message)
    assert harmless(await client.status(folder=folder) | {"workspaceUri": ""})


async def test_a_budget_that_is_passed_is_a_warning(connect, workspace, workspace_settings, midday):
    workspace.add("first", end_time=datetime.now(UTC).isoformat())
    workspace_settings(f'timezone = "{midday}"')
    client = await connect(settings={"budget": {"session": 0.1}})
    status = await client.status()
    assert status["severity"] == "warning"
    assert "session's budget of $0.1000 is passed: $0.1275" in status["tooltip"]
    client.configures({"budget": {"session": 0.2, "day": 0.2, "week": 0.2, "month": 0.2}})
    status = await client.status(lambda status: status["severity"] == "ok")
    assert "is passed" not in status["tooltip"]
    for period in ("day", "week", "month"):
        client.configures({"budget": {period: 0.1}})
        await client.status(lambda s, period=period: f"The {period}'s budget" in s["tooltip"])
    client.configures({})
    workspace_settings(f'timezone = "{midday}"\n[budget]\nmonth = 0.01')
    status = await client.status(lambda status: "budget of $0.0100" in status["tooltip"])
    assert status["severity"] == "warning"


async def test_the_time_zone_decides_what_is_today(connect, workspace):
    now = datetime.now(UTC)
    # The other half of the day than now's, and a zone in which those halves are two days.
    if now.hour < 12:
        ended, other = now.replace(hour=12, minute=0), "Etc/GMT+12"
    else:
        ended, other = now.replace(hour=11, minute=59), "Etc/GMT-12"
    workspace.add("first", end_time=ended.isoformat())
    client = await connect(settings={"timezone": "UTC"})
    assert (await client.status())["today"]["sessions"] == 1
    client.configures({"timezone": other})
    await client.status(lambda status: status["today"]["sessions"] == 0)
    history = await client.ask("stats/history", {"since": now.strftime("%Y-%m-%d")})
    assert history["total"] in {0, 1}


EDITOR_MISTAKES = [
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"statusBar": {"format": "{nothing}"}}, "format"),
    ({"statusBar": {"format": "{cost.__class__}"}}, "format"),
    ({"budget": {"day": "much"}}, "budget.day"),
    ({"budget": {"dya": 5}}, "dya"),
    ({"sources": ["nobody"]}, "sources"),
]


async def test_a_mistake_in_the_editor_names_the_key_and_keeps_the_last_good_settings(
    connect, workspace
):
    workspace.add("first", total_cost=0)
    client = await connect(settings={"statusBar": {"format": "good 0 {cost}"}})
    await client.status(shows("good 0 $0.0000"))
    for number, (mistake, named) in enumerate(EDITOR_MISTAKES, 1):
        client.messages.clear()
        client.configures(mistake)
        message = (await client.message()).message
        assert named in message
        assert "radLsp" in message
        assert "\n" not in message
        workspace.add("first", total_cost=number)
        await client.status(shows(f"good {number - 1} ${number}.0000"))
        client.configures({"statusBar": {"format": f"good {number} {{cost}}"}})
        await client.status(shows(f"good {number} ${number}.0000"))
        assert len(client.messages) == 1


FILE_MISTAKES = [
    ('timezone = "Mars"', "timezone"),
    ("colour = 1", "colour"),
    ("status.format = 5", "status.format"),
    ("[status", "config.toml"),
    ('otlp.endpoint = "http://x"', "otlp"),
]


async def test_a_mistake_in_a_file_names_it_and_is_said_once(connect, workspace, user_settings):
    workspace.add("first", total_cost=0)
    user_settings('status.format = "good 0 {cost}"')
    client = await connect()
    await client.status(shows("good 0 $0.0000"))
    for number, (mistake, named) in enumerate(FILE_MISTAKES, 1):
        client.messages.clear()
        user_settings(mistake)
        message = await client.message()
        assert message.type in {types.MessageType.Warning, types.MessageType.Error}
        assert "config.toml" in message.message
        assert named in message.message
        for cost in (10 * number, 10 * number + 1):
            workspace.add("first", total_cost=cost)
            await client.status(shows(f"good {number - 1} ${cost}.0000"))
        assert len(client.messages) == 1
        user_settings(f'status.format = "good {number} {{cost}}"')
        await client.status(shows(f"good {number} ${cost}.0000"))


async def test_a_mistake_that_comes_back_is_said_again(connect, workspace, workspace_settings):
    workspace_settings("colour = 1")
    client = await connect()
    await client.message()
    workspace_settings("budget.session = 0.1")
    workspace.add("first")
    await client.status(lambda status: status["severity"] == "warning")
    workspace_settings("colour = 1")
    await client.until(lambda: len(without_budgets(client)) == 2)


async def test_what_is_ignored_is_not_said_again_after_a_mistake(
    connect, workspace, workspace_settings
):
    workspace_settings("sources = []")
    client = await connect()
    await client.message()
    workspace_settings("sources = []\ncolour = 1")
    await client.until(lambda: len(client.messages) == 2)
    workspace_settings("sources = []\nbudget.session = 0.1")
    workspace.add("first")
    await client.status(lambda status: status["severity"] == "warning")
    assert len(without_budgets(client)) == 2


async def test_a_mistake_in_the_users_file_is_said_once_for_all_folders(
    connect, workspace, tmp_path, user_settings
):
    user_settings("colour = 1\n")
    other = tmp_path / "other"
    (other / ".radium" / "_internals" / "sessions").mkdir(parents=True)
    client = await connect([workspace.root, other])
    await client.status(folder=workspace.root)
    await client.status(folder=other)
    workspace.add("first")
    await client.sessions("first", folder=workspace.root)
    assert ["colour" in message.message for message in client.messages] == [True]


async def test_a_key_the_editor_misspells_is_pointed_out(connect, workspace):
    workspace.add("first")
    client = await connect(editor="neovim", settings={"timezoen": "UTC"})
    assert "timezoen" in (await client.message()).message


async def test_keys_that_only_concern_the_client_are_no_mistake(connect, workspace):
    workspace.add("first")
    settings = {
        "statusBar": {"visibility": "never", "format": "{cost}"},
        "server": {"path": "/x", "args": []},
        "interpreter": ["python"],
        "trace": {"server": "off"},
        "budget": {"session": None, "day": None},
        "timezone": "",
        "sources": None,
    }
    client = await connect(settings=settings)
    assert (await client.status())["text"] == "$0.1275"
    assert client.messages == []


async def test_a_client_that_cannot_be_asked_is_not_asked(connect, workspace):
    workspace.add("first")
    capabilities = capabilities_of("visual-studio-code")
    capabilities.workspace.configuration = False
    client = await connect(editor=capabilities, settings={"statusBar": {"format": "asked"}})
    assert (await client.status())["text"] == "$0.1275 · 92.6%"


async def test_settings_that_a_busy_client_tells_late_hold_all_the_same(
    connect, workspace, patched
):
    workspace.add("first")
    impatient = "from rad_lsp.server.features import lifecycle\nlifecycle.ANSWER_SECONDS = 0\n"
    settings = {"statusBar": {"format": "{tool_calls} calls"}}
    client = await connect(settings=settings, env=patched(impatient), busy=True)
    await client.status(shows("$0.1275 · 92.6%"))
    client.tells.set()
    await client.status(shows("231 calls"))
