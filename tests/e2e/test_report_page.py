"""The report page as a client of ours gets it."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from pygls.exceptions import JsonRpcException

from tests.e2e.conftest import PATIENCE

WITHOUT_CHARTS = """
from importlib import metadata
version = metadata.version
def missing(name):
    if name == "vl-convert-python":
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = missing
"""


def plain(page):
    """The data of a page, but for when it was made."""
    block = re.findall(r'data-encoding="plain">([^<]*)<', page)[0]
    return json.loads(block) | {"generated": ""}


async def test_it_is_the_page_that_the_command_writes(connect, workspace, claude_code, rad):
    claude_code("mine").answer(tools=["a"]).result("a")
    workspace.add("report")
    client = await connect()
    answer = await client.ask("stats/report")
    assert list(answer) == ["html"]
    written = rad("report", "-o", "-", cwd=workspace.root).stdout
    assert plain(answer["html"]) == plain(written)
    (data,) = (await client.ask("stats/report", {"content": "data"})).values()
    assert json.loads(data) | {"generated": ""} == plain(written)


async def test_all_projects_and_a_period_are_chosen_as_in_commands(connect, claude_code, tmp_path):
    claude_code("mine").answer()
    client = await connect()
    other = claude_code("other", tmp_path / "elsewhere", start="2026-04-01T12:00:00+00:00")

    async def ids(**params):
        answer = await client.ask("stats/report", {"content": "data", **params})
        return json.loads(answer["data"])["sessions"]["id"]

    assert await ids() == ["mine"]
    assert await ids(allProjects=True) == ["mine"]
    other.answer()
    async with asyncio.timeout(PATIENCE):
        while len(await ids(allProjects=True)) < 2:  # noqa: ASYNC110  (until the server has seen it)
            await asyncio.sleep(0.05)
    assert await ids(allProjects=True) == ["other", "mine"]
    assert await ids(allProjects=True, until="2026-03-31") == ["mine"]
    assert await ids(since="2026-04-01") == []
    with pytest.raises(JsonRpcException, match="since, until"):
        await ids(since="yesterday")


async def test_without_what_draws_charts_the_error_says_what_to_install(connect, patched):
    client = await connect(env=patched(WITHOUT_CHARTS))
    with pytest.raises(JsonRpcException, match="run pipx install --force") as caught:
        await client.ask("stats/report")
    assert "ChartsMissing" in str(caught.value.data)
    assert await client.ask("stats/report", {"content": "data"})
