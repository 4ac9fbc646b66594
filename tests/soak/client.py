"""A client that asks at random, and keeps count of what is answered."""

from __future__ import annotations

import time
from collections import Counter

from tests.contract.conftest import PATIENCE, Raw


class Client:
    """Asks the server of some roots; not more than a few requests are open at a time."""

    MOST_OPEN = 20

    def __init__(self, dice, roots, environment):
        self._dice = dice
        self._roots = roots
        self._asked = Counter()
        self._answered = Counter()
        self._open = set()
        self._edited = {}
        self._statuses = {}
        self._number = 0
        self._raw = Raw(env=environment)
        self._raw.initialize(*roots)
        self.process_id = self._raw.process_id
        self._requests = [
            ("stats/session", lambda: {"sessionId": self._id()}),
            ("stats/model", dict),
            ("stats/engine", lambda: {"since": "30d"}),
            ("stats/cost", lambda: {"sessionId": self._id()}),
            ("stats/limits", dict),
            ("stats/overview", dict),
            ("stats/budget", dict),
            ("stats/history", self._page),
            ("stats/compare", lambda: {"sessionB": "latest"}),
            ("stats/export", lambda: {"format": self._dice.choice(["csv", "json", "markdown"])}),
            ("textDocument/codeLens", lambda: {"textDocument": self._document()}),
            ("textDocument/diagnostic", lambda: {"textDocument": self._document()}),
            ("textDocument/documentSymbol", lambda: {"textDocument": self._document()}),
            ("textDocument/hover", self._place),
            ("workspace/symbol", lambda: {"query": "s"}),
            ("no/such", dict),
        ]

    def _id(self):
        return self._dice.choice(["latest", "latest~3", "s1", "s2", "s", "nobody"])

    def _page(self):
        scope = {name: self._dice.choice([True, False]) for name in ("titles", "allProjects")}
        return {"limit": self._dice.randrange(1, 100), **scope}

    def _uri(self):
        root = self._dice.choice(self._roots)
        number = self._dice.randrange(25)
        return (root / ".radium" / "_internals" / "sessions" / f"s{number}.json").as_uri()

    def _document(self):
        return {"uri": self._uri()}

    def _place(self):
        line = self._dice.randrange(40)
        return {"textDocument": self._document(), "position": {"line": line, "character": 8}}

    def act(self):
        """Ask, cancel, edit, or tell of a change."""
        kind = self._dice.random()
        if kind < 0.75 and len(self._open) < self.MOST_OPEN:
            method, params = self._dice.choice(self._requests)
            self._send(method, params())
        elif kind < 0.85:
            known = sorted(self._open) or [self._number]
            self._raw.notify("$/cancelRequest", {"id": self._dice.choice(known)})
        elif kind < 0.95:
            self._edit()
        else:
            change = {"uri": self._uri(), "type": self._dice.randrange(1, 4)}
            self._raw.notify("workspace/didChangeWatchedFiles", {"changes": [change]})
        self.hear()

    def _send(self, method, params):
        if method.startswith("stats/"):
            params["workspaceUri"] = self._dice.choice(self._roots).as_uri()
        self._number += 1
        self._asked[self._number] += 1
        self._open.add(self._number)
        self._raw.send({"id": self._number, "method": method, "params": params})

    def _edit(self):
        uri = self._uri()
        if uri in self._edited:
            self._edited[uri] += 1
            if self._dice.random() < 0.5:
                self._close(uri)
                return
            document = {"uri": uri, "version": self._edited[uri]}
            changes = [{"text": '{"metrics": {}}'}]
            params = {"textDocument": document, "contentChanges": changes}
            self._raw.notify("textDocument/didChange", params)
            return
        self._edited[uri] = 1
        document = {"uri": uri, "languageId": "json", "version": 1, "text": "{"}
        self._raw.notify("textDocument/didOpen", {"textDocument": document})

    def _close(self, uri):
        del self._edited[uri]
        self._raw.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def fill_pools(self):
        """Let the server start all threads that it may have for answers."""
        for _ in range(self.MOST_OPEN):
            self._send("stats/export", {"format": "json"})

    def close_documents(self):
        for uri in list(self._edited):
            self._close(uri)

    def hear(self):
        """Take what has come so far."""
        for message in self._raw.come():
            if message.get("method") == "stats/status":
                self._statuses[message["params"]["workspaceUri"]] = message["params"]
            elif "method" in message and "id" in message:
                self._raw.send({"id": message["id"], "result": None})
            elif "method" not in message:
                self._answered[message["id"]] += 1
                self._open.discard(message["id"])

    def replies_agree(self):
        """Wait until all is answered; each request must have one reply."""
        end = time.monotonic() + PATIENCE
        while self._open and time.monotonic() < end:
            self.hear()
            time.sleep(0.01)
        lost = self._asked - self._answered
        doubled = self._answered - self._asked
        assert not lost, f"Without a reply: {dict(lost)}"
        assert not doubled, f"With more than one reply: {dict(doubled)}"
        return len(self._asked)

    def ask(self, method, root, **params):
        """The result of a request on a root."""
        reply = self._raw.ask(method, {"workspaceUri": root.as_uri(), **params})
        assert "result" in reply, reply
        return reply["result"]

    def status(self, root):
        """The last status of a root."""
        self.hear()
        return self._statuses[root.as_uri()]

    def end(self):
        """Say goodbye; returns the exit code."""
        self._raw.ask("shutdown")
        self._raw.notify("exit")
        return self._raw.ended()

    def kill(self):
        self._raw.kill()
