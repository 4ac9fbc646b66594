"""A small language client, by which `rad demo` shows what an editor gets."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Self

import msgspec

from rad_lsp.core.errors import RadError

if TYPE_CHECKING:
    from pathlib import Path

_NO_ANSWER = "The server did not answer. Run 'rad-lsp' to see why."

_SECONDS = 30
"""How long to wait for a message from the server."""


class Client:
    """Starts `rad-lsp` on a workspace and talks to it over stdio."""

    def __init__(self, workspace: Path) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-P", "-m", "rad_lsp", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._ids = 0
        self._heard: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()
        self._workspace = workspace

    def __enter__(self) -> Self:
        try:
            folder = {"uri": self._workspace.as_uri(), "name": self._workspace.name}
            params: dict[str, Any] = {
                "processId": None,
                "rootUri": None,
                "capabilities": {},
                "workspaceFolders": [folder],
            }
            self.request("initialize", params)
            self.notify("initialized", {})
        except BaseException:
            self._server.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is None:
            self.request("shutdown", None)
            self.notify("exit", None)
        else:
            self._server.kill()
        self._server.wait(_SECONDS)
        for stream in (self._server.stdin, self._server.stdout):
            if stream:
                stream.close()

    def request(self, method: str, params: Any) -> Any:
        """The result of a request. Raises RadError for an error or without an answer in time."""
        self._ids += 1
        self._send({"id": self._ids, "method": method, "params": params})
        while (message := self._next()).get("id") != self._ids or "method" in message:
            if "id" not in message:
                self._heard.append(message)
        if "error" in message:
            raise RadError(f"The server answered: {message['error']['message']}")
        return message["result"]

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def wait_for(self, method: str) -> Any:
        """The params of the next notification of a method. Raises RadError when none comes."""
        while (message := self._next()).get("method") != method:
            pass
        return message["params"]

    def heard(self, method: str) -> list[Any]:
        """The params of a method's notifications that came while `request` waited."""
        heard, self._heard = self._heard, []
        return [message["params"] for message in heard if message["method"] == method]

    def _send(self, message: dict[str, Any]) -> None:
        body = msgspec.json.encode({"jsonrpc": "2.0", **message})
        try:
            if self._server.stdin:
                self._server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
                self._server.stdin.flush()
        except OSError:
            raise RadError(_NO_ANSWER) from None

    def _next(self) -> dict[str, Any]:
        try:
            message = self._inbox.get(timeout=_SECONDS)
        except queue.Empty:
            message = None
        if message is None:
            raise RadError(_NO_ANSWER)
        return message

    def _read(self) -> None:
        out = self._server.stdout
        while out and (header := out.readline()):
            length = int(header.partition(b":")[2])
            out.readline()
            self._inbox.put(msgspec.json.decode(out.read(length), type=dict[str, Any]))
        self._inbox.put(None)
