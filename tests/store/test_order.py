"""Figures follow from the files alone, whenever and in whichever pieces they were read."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from rad_lsp.store.machine import Machine
from rad_lsp.store.store import Store
from tests.store.damages import PriceList

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def moment(seconds):
    return (NOON + timedelta(seconds=seconds)).isoformat()


def records(dice, record, number, at):
    """A prompt, or an answer that may ask for a tool whose result may come first."""
    if dice.random() < 0.25:
        return [record | {"type": "user", "timestamp": moment(at), "message": {"content": "x"}}]
    use = [{"type": "tool_use", "id": f"tool_{number}", "name": "Edit"}]
    message = {
        "id": f"msg_{number}",
        "model": f"m{number % 2}",
        "stop_reason": dice.choice(["end_turn", "tool_use", None]),
        "usage": {"input_tokens": 100 + number, "output_tokens": dice.choice([5, 10, 20])},
        "content": use if dice.random() < 0.6 else [],
    }
    ids = {"requestId": f"req_{number}"} if number % 4 else {}
    told = [record | ids | {"type": "assistant", "timestamp": moment(at), "message": message}]
    if message["content"] and dice.random() < 0.8:
        later = moment(at + dice.choice([0, 3, -5, 40]))
        result = {"type": "tool_result", "tool_use_id": f"tool_{number}", "content": "done"}
        content = {"content": [result]}
        told.append(record | {"type": "user", "timestamp": later, "message": content})
    return told


def forks(dice, cwd):
    """Transcripts by name; most begin with a copy of another, and times may go back."""
    made = {}
    goes_back = dice.random() < 0.7
    for name in "abcd"[: dice.randint(2, 4)]:
        record = {"sessionId": name, "cwd": cwd}
        other = dice.choice(list(made.values())) if made and dice.random() < 0.8 else []
        lines = [line | record for line in other[: dice.randint(0, len(other))]]
        begin = dice.randrange(3000)
        for minute in range(dice.randint(1, 8)):
            at = begin + 60 * minute + (dice.randint(-200, 200) if goes_back else 0)
            lines += records(dice, record, dice.randrange(40), at)
        made[name] = lines
    return {
        name: b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        for name, lines in made.items()
    }


@pytest.mark.parametrize("seed", range(40))
def test_forks_that_grow_by_pieces_come_to_what_they_come_to_at_once(home, tmp_path, seed):
    dice = random.Random(seed)  # noqa: S311  (transcripts, no secrets)
    left = forks(dice, str(tmp_path))
    folder = home.projects / "p"
    folder.mkdir(parents=True)
    machine = Machine({}, home.root, tmp_path / "data", price_list=PriceList())
    store = Store(machine, tmp_path)
    while left:
        name = dice.choice(list(left))
        size = dice.choice([1, 50, 200, 1000, 10**6])
        with (folder / f"{name}.jsonl").open("ab") as file:
            file.write(left[name][:size])
        left[name] = left[name][size:]
        if not left[name]:
            del left[name]
        if dice.random() < 0.6:
            store.refresh()
    by_pieces = {session.id: session for session in store.refresh().sessions()}
    machine.close()
    at_once = Store(Machine({}, home.root, None, price_list=PriceList()), tmp_path).refresh()
    assert by_pieces == {session.id: session for session in at_once.sessions()}
