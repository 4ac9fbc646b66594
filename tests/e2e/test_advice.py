"""What the server tells editors to do can be done in an editor."""

from __future__ import annotations

import json
import re

import pytest

COMMAND = re.compile(r"'rad |`rad |\brad (doctor|stats|init)\b|--\w")


async def test_answers_name_no_command_of_a_terminal(connect, workspace):
    client = await connect()
    said = []
    for method in ("stats/session", "stats/compare"):
        with pytest.raises(Exception, match="session") as error:
            await client.ask(method, {"sessionB": "latest"} if method == "stats/compare" else {})
        said.append(str(error.value))
    said.append(await client.ask("stats/budget"))

    workspace.add("first")
    workspace.raw("torn.json", b"{")
    status = await client.status(lambda status: status["session"] and status["skipped"])
    assert "1 file skipped: see the list of problems" in status["tooltip"]
    said += [
        status,
        *[await client.ask(f"stats/{name}") for name in ("session", "cost", "budget", "limits")],
    ]
    with pytest.raises(Exception, match="The history lists the sessions") as error:
        await client.ask("stats/session", {"sessionId": "zzz"})
    said.append(str(error.value))

    assert not COMMAND.findall(json.dumps(said))
