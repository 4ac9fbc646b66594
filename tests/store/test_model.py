"""Whatever happens to files and index, the answers are those of a model that knows no index.

More of it: `pytest tests/store/test_model.py --hypothesis-profile long`.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections import Counter, defaultdict
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rad_lsp.core.period import ALWAYS
from rad_lsp.store.index import FILE
from rad_lsp.store.machine import Machine
from rad_lsp.store.store import Store

TRANSCRIPTS = ("a", "b", "c")
REPORTS = ("r1", "r2")
FILES = ("r1.json", "r2.json", "copy.json")
HARMS = ("bytes", "page", "cut", "all")
INPUT = 100
"""Tokens of each answer of `claude`."""


class Answer:
    """A request that a transcript tells of: `number` is the same in all of its copies."""

    def __init__(self, number, output):
        self.number, self.output = number, output


class Call:
    """A tool call, and the request that asked for it."""

    output = 10

    def __init__(self, number, *, failed):
        self.number, self.failed = number, failed


class Model:
    """What the store must answer, from plain lists of what was written."""

    def __init__(self):
        self.written = {}  # transcripts that are there
        self.known = {}  # what was in each transcript when it was read last
        self.reports = {}  # by file name: id, moment, tool calls; None of one that is torn

    def look(self):
        """All files are read."""
        self.known |= {name: list(records) for name, records in self.written.items()}

    @property
    def transcripts(self):
        """Those that tell of anything: a session whose transcript is gone stays."""
        return {name: records for name, records in self.known.items() if records}

    def requests(self):
        """By number, the most output tokens that a copy has."""
        found = defaultdict(int)
        for records in self.transcripts.values():
            for one in records:
                found[one.number] = max(found[one.number], one.output)
        return found

    def own_requests(self):
        """Of each session, how many requests no other one has, and how many it has at most."""
        numbers = {name: {one.number for one in all_} for name, all_ in self.transcripts.items()}
        holders = Counter(number for found in numbers.values() for number in found)
        return {
            name: (sum(holders[number] == 1 for number in found), len(found))
            for name, found in numbers.items()
        }

    def calls(self):
        """Of each session with a transcript: how many tool calls there were, and failed."""
        calls = {
            name: [one for one in records if isinstance(one, Call)]
            for name, records in self.transcripts.items()
        }
        return {name: (len(of), sum(one.failed for one in of)) for name, of in calls.items()}

    def counting(self):
        """Of each id the newest report: of equal ones the first path."""
        found = {}
        for name in sorted(self.reports, reverse=True):
            report = self.reports[name]
            if report and (report[0] not in found or report[1] >= found[report[0]][1]):
                found[report[0]] = report
        return {session_id: calls for session_id, _, calls in found.values()}


class Sessions(RuleBasedStateMachine):
    """Files change, processes come and go, are killed, and find their index damaged."""

    claude: Any
    report_bytes: Any
    price_list: Any
    """Set by the test, as a machine is made without arguments."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.projects = self.folder / "user" / ".claude" / "projects"
        self.projects.mkdir(parents=True)
        self.sessions = self.folder / "work" / ".radium" / "_internals" / "sessions"
        self.sessions.mkdir(parents=True)
        self.model = Model()
        self.moment = 0
        self.is_new = True
        self.is_rebuilt = False
        self.start()

    def teardown(self):
        if hasattr(self, "folder"):
            self.machine.index.close()
            shutil.rmtree(self.folder)

    def start(self):
        """Another process begins."""
        prices = self.price_list("1")
        data = self.folder / "data"
        self.machine = Machine({}, self.folder / "user", data, price_list=prices)
        self.store = Store(self.machine, self.folder / "work", everywhere=True)

    # What is written

    def line(self, name, record):
        self.moment += 1
        if isinstance(record, Answer):
            return [self.claude.answer(record.number, name, at=self.moment, output=record.output)]
        return self.claude.called(record.number, name, is_error=record.failed)

    def put(self, name, records, mode):
        lines = [line for record in records for line in self.line(name, record)]
        with (self.projects / f"{name}.jsonl").open(mode) as file:
            file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        self.is_new = True

    @rule(
        name=st.sampled_from(TRANSCRIPTS),
        answers=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=4),
    )
    def answer(self, name, answers):
        """Low numbers come again: as chunks of an answer in one session, as copies in another."""
        records = [Answer(*drawn) for drawn in answers]
        self.put(name, records, "ab")
        self.model.written.setdefault(name, []).extend(records)

    @rule(name=st.sampled_from(TRANSCRIPTS), failed=st.booleans())
    def call(self, name, failed):
        self.moment += 1
        record = Call(1000 + self.moment, failed=failed)
        self.put(name, [record], "ab")
        self.model.written.setdefault(name, []).append(record)

    @rule(name=st.sampled_from(TRANSCRIPTS), answers=st.lists(st.integers(0, 12), max_size=3))
    def rewrite(self, name, answers):
        records = [Answer(number, 5) for number in answers]
        (self.projects / f"{name}.jsonl").unlink(missing_ok=True)
        self.put(name, records, "wb")
        self.model.written[name] = records

    @precondition(lambda self: self.model.written)
    @rule(data=st.data())
    def delete(self, data):
        name = data.draw(st.sampled_from(sorted(self.model.written)))
        (self.projects / f"{name}.jsonl").unlink()
        del self.model.written[name]
        self.is_new = True

    @rule(
        file=st.sampled_from(FILES),
        session_id=st.sampled_from(REPORTS),
        day=st.integers(1, 3),
        calls=st.integers(0, 9),
    )
    def report(self, file, session_id, day, calls):
        content = self.report_bytes(
            session_id=session_id,
            generated_at=f"2026-01-0{day}T00:00:00Z",
            tool_calls=calls,
            successful_tool_calls=calls,
            failed_tool_calls=0,
        )
        (self.sessions / f"{file}.new").write_bytes(content)
        (self.sessions / f"{file}.new").replace(self.sessions / file)
        self.model.reports[file] = (session_id, day, calls)
        self.is_new = True

    @rule(file=st.sampled_from(FILES))
    def tear_report(self, file):
        (self.sessions / file).write_bytes(b'{"metrics": {')
        self.model.reports[file] = None
        self.is_new = True

    @rule(file=st.sampled_from(FILES))
    def delete_report(self, file):
        (self.sessions / file).unlink(missing_ok=True)
        self.model.reports.pop(file, None)
        self.is_new = True

    # What happens to processes and their index

    @rule()
    def look(self):
        self.refresh()
        self.model.look()
        self.is_new = False

    @rule()
    def restart(self):
        self.machine.index.close()
        self.start()

    @rule()
    def rebuild(self):
        if self.is_rebuilt:  # what the index before the last one knows is taken over first
            self.model.look()
        self.machine.rebuild()
        self.is_rebuilt = True

    @rule(after=st.integers(1, 40))
    def kill(self, after):
        """What a kill leaves is what is on the disk when it comes: here a copy of that."""
        data, left = self.folder / "data", self.folder / "left"
        gone = self.gone()

        def statement(_text):
            nonlocal after
            after -= 1
            if after == 0:
                shutil.copytree(data, left)

        self.machine.index.connection.set_trace_callback(statement)
        self.store.refresh()
        self.machine.index.close()
        if after > 0:
            self.model.look()
            self.is_new = False
        else:
            shutil.rmtree(data)
            left.rename(data)
        self.start()
        self.settle(gone)

    @rule(seed=st.integers(0, 2**32), kind=st.sampled_from(HARMS))
    def damage(self, seed, kind):
        self.machine.index.close()
        damage(self.folder / "data" / FILE, random.Random(seed), kind)  # noqa: S311
        self.start()
        # It is noticed in what a question needs; the tool calls of a session are not always.
        self.asked(lambda: self.store.tool_totals(("source",), ALWAYS, UTC))
        self.settle(self.gone())

    def gone(self):
        """The sessions that only the index knows."""
        return {*self.model.transcripts} - {*self.model.written}

    def settle(self, may_be_lost):
        """All files are read; of a session that only the index knew, as much may be left as is."""
        found = self.requests()
        self.model.look()
        self.is_new = False
        for name in may_be_lost - found.keys():
            self.model.known.pop(name, None)

    def requests(self):
        """By session, once what is new has been read."""
        return {
            session.id: sum(usage.requests for usage in session.models)
            for session in self.refresh().sessions()
        }

    def refresh(self):
        """A snapshot, once all files have been read."""
        self.is_rebuilt = False
        return self.store.refresh()

    def asked(self, question):
        """The answer to a question that is asked once the index has been found or made whole."""

        def ask():
            self.store.update()
            return question()

        return self.machine.guarded(ask)

    # What must hold

    @invariant()
    def the_answers_are_those_of_the_model(self):
        if not hasattr(self, "folder") or self.is_new:
            return
        snapshot = self.refresh()
        assert self.machine.index.trouble == ""
        sessions = {session.id: session for session in snapshot.sessions()}
        reports, calls = self.model.counting(), self.model.calls()
        assert sessions.keys() == {*calls, *reports}
        assert snapshot.total == len(sessions)
        for name, expected in reports.items():
            assert sessions[name].tool_calls == expected
        for name, expected in calls.items():
            assert (sessions[name].tool_calls, sessions[name].failed_tool_calls) == expected
        own = self.model.own_requests()
        counted = {name: sum(usage.requests for usage in sessions[name].models) for name in own}
        for name, (least, most) in own.items():
            assert least <= counted[name] <= most
        requests = self.model.requests()
        assert sum(counted.values()) == len(requests)
        output = sum(requests.values())
        usages = [usage for name in own for usage in sessions[name].models]
        assert sum(usage.output_tokens for usage in usages) == output
        assert sum(usage.input_tokens for usage in usages) == INPUT * len(requests)
        cost = sum(sessions[name].cost or 0 for name in own)
        assert cost == pytest.approx((INPUT * len(requests) + output) * 1e-6)
        self._totals_agree(requests, output)
        unread = sum(report is None for report in self.model.reports.values())
        doubled = sum(report is not None for report in self.model.reports.values()) - len(reports)
        codes = Counter(skipped.problem.code for skipped in snapshot.skipped)
        assert codes.pop("duplicate", 0) == doubled
        assert sum(codes.values()) == unread

    def _totals_agree(self, requests, output):
        totals = self.asked(lambda: self.store.usage_totals(("source",), ALWAYS, UTC))
        found = [total for total in totals if total.key == ("claude-code",)]
        assert sum(total.requests for total in found) == len(requests)
        assert sum(total.tokens.output for total in found) == output
        tools = self.asked(lambda: self.store.tool_totals(("source",), ALWAYS, UTC))
        tools = [total for total in tools if total.key == ("claude-code",)]
        calls = self.model.calls().values()
        assert sum(total.ok + total.failed for total in tools) == sum(of for of, _ in calls)
        assert sum(total.failed for total in tools) == sum(failed for _, failed in calls)


def damage(path, dice, kind):
    """Change some bytes of a file, a page of it, cut off its end, or replace all of it."""
    data = bytearray(path.read_bytes())
    if kind == "bytes":
        for _ in range(dice.choice([1, 1, 3, 30])):
            data[dice.randrange(len(data))] = dice.randrange(256)
    elif kind == "page":
        page = dice.randrange(len(data) // 4096)
        data[page * 4096 : (page + 1) * 4096] = dice.randbytes(4096)
    elif kind == "cut":
        del data[dice.randrange(len(data)) :]
    else:
        data = dice.randbytes(len(data))
    path.write_bytes(data)


def test_the_store_answers_as_a_model_without_an_index(claude, report_bytes, price_list):
    made = {"claude": claude, "report_bytes": staticmethod(report_bytes), "price_list": price_list}
    machine = type("Drawn", (Sessions,), made)
    some = settings().max_examples * 3 // 10
    run_state_machine_as_test(machine, settings=settings(max_examples=some, stateful_step_count=30))
