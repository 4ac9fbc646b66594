"""JSON-RPC by the wire contract: every request gets exactly one answer.

pygls leaves several kinds of requests unanswered and puts tracebacks into errors; this subclass
corrects that. It relies on a few of pygls' private names, so pygls is pinned to one minor version.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from lsprotocol import types
from lsprotocol.types import ErrorCodes, LSPErrorCodes
from pygls.exceptions import JsonRpcException
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    default_converter,
    lsp_method,
)

from rad_lsp import wire
from rad_lsp.core.wording import printable
from rad_lsp.server.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable
    from concurrent.futures import Future

    from cattrs import Converter
    from pygls.io_ import Writer
    from pygls.lsp.server import LanguageServer

    from rad_lsp.server.outbox import Outbox


logger = logging.getLogger(__name__)

MAX_IN_PROGRESS: Final = 128
"""Requests that are answered at the same time; the others wait, and take no memory meanwhile."""

_FINISH_SECONDS: Final = 5.0
"""How long the process waits, at its end, for requests that it has cancelled."""

_ROOM_SECONDS: Final = 0.05

_DOCUMENTS: Final = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
)

_CALL_KEYS: Final = ("jsonrpc", "id", "method", "params")
_INTERNAL: Final = "Internal error; the server's log has more"


class RequestFailed(JsonRpcException):
    """A request that can't be answered for a reason that the user can remove."""

    CODE = LSPErrorCodes.RequestFailed


def converter() -> Converter:
    """A converter for the types of LSP; params and results of other methods stay plain values."""
    made: Converter = default_converter()  # type: ignore[no-untyped-call]
    for message in (JsonRPCRequestMessage, JsonRPCNotification, JsonRPCResponseMessage):
        names = tuple(field.name for field in message.__attrs_attrs__)
        made.register_structure_hook(
            message,
            lambda data, kind, names=names: kind(**{name: data.get(name) for name in names}),
        )
    return made


class RadProtocol(LanguageServerProtocol):
    """Handles messages, and sends exactly one answer to each request.

    `stop` is called with the exit code of the process when the client ends it or is gone.
    """

    stop: Callable[[int], None]
    _initialize_seen = False
    _intake: Intake | None = None
    _in_progress = 0

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        # pygls would keep each open document as well, and count the characters before each edit.
        for method in _DOCUMENTS:
            self.fm.builtin_features.pop(method)

    def connect(self, loop: asyncio.AbstractEventLoop, outbox: Outbox) -> Intake:
        """Send messages by an outbox; returns what takes those of the client."""

        def has_room() -> bool:
            return outbox.has_room() and self._in_progress < MAX_IN_PROGRESS

        self.set_writer(cast("Writer", outbox))
        self._intake = Intake(loop, self.receive, has_room)
        outbox.on_room = self._intake.resume
        return self._intake

    async def room(self) -> None:
        """Wait until the client has read most of what was sent, before a large answer is made."""
        while not cast("Outbox", self.writer).has_room():  # noqa: ASYNC110  (a thread makes room)
            await asyncio.sleep(_ROOM_SECONDS)

    def receive(self, body: bytes) -> None:
        """Handle one message, valid or not. Raises nothing."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self._refuse_malformed(None, ErrorCodes.ParseError, body, "it is not valid JSON")
            return
        if self._refuses(message, body):
            return
        is_request = "method" in message and "id" in message
        if "method" in message:  # a response has none
            message = {key: message[key] for key in _CALL_KEYS if key in message}
        if not is_request and message.get("method") != types.EXIT:
            late = self._shutdown or ("method" in message and not self._initialize_seen)
            if late:
                return
        try:
            typed = super().structure_message(message)
        except Exception:  # noqa: BLE001  (pygls and cattrs raise all sorts)
            # Only methods that are known have params of a shape.
            method = message.get("method")
            what = f"the params of {method} have the wrong shape" if method else "it is no response"
            if is_request:
                self._refuse_malformed(message["id"], ErrorCodes.InvalidParams, body, what)
            else:
                logger.warning("Ignored a message of %d bytes: %s", len(body), what)
            return
        try:
            self.handle_message(typed)
        except Exception:
            logger.exception("Failed to handle a message")
            if is_request:
                self._refuse(message["id"], ErrorCodes.InternalError, _INTERNAL)

    def refuse_stream(self, sentence: str) -> None:
        """Tell the client why nothing more is read from it."""
        self._refuse(None, ErrorCodes.ParseError, f"{sentence}: the connection ends")

    async def finish(self) -> None:
        """Cancel the requests in progress, and wait until each has its answer."""
        requests = self._request_futures.values()
        pending = [cast("asyncio.Future[Any]", f) for f in requests if asyncio.isfuture(f)]
        for future in pending:
            future.cancel()
        if pending:
            await asyncio.wait(pending, timeout=_FINISH_SECONDS)
            await asyncio.sleep(0)  # the answers are sent when the futures' callbacks run

    def notify(self, method: str, params: Any | None = None) -> None:
        """Send a notification. Structs of the wire contract are encoded by msgspec.

        One of state replaces that of the state before, if the client has not read it yet.
        """
        if isinstance(params, msgspec.Struct):
            message = {"jsonrpc": self.VERSION, "method": method, "params": params}
            body = msgspec.json.encode(message)
        else:
            kind = self.get_message_type(method) or JsonRPCNotification
            body = self._encode(kind(jsonrpc=self.VERSION, method=method, params=params))
        self._write(body, _state(method, params))

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Answer `initialize`, with the version of the wire contract among the capabilities."""
        self._initialize_seen = True
        result = yield from super().lsp_initialize(params)
        ours = {"version": wire.VERSION, "methods": [*wire.METHODS, wire.STATUS, wire.SHOW]}
        result.capabilities.experimental = {"radStats": ours}
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *_args: Any) -> None:  # type: ignore[override]  # no steps to yield
        """Cancel all that is in progress, and handle no further message but `exit`."""
        current = self.msg_id
        # A call that is cancelled may be forgotten at once: pygls walks over the calls themselves.
        for msg_id, future in tuple(self._request_futures.items()):
            if msg_id != current:
                future.cancel()
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_args: Any) -> None:  # type: ignore[override]  # no steps to yield
        """End the process: with exit code 0 after a shutdown request, else with 1."""
        self.stop(0 if self._shutdown else 1)

    def _refuses(self, message: Any, body: bytes) -> bool:
        """Whether a message is malformed, or a request out of time. Then it has its answer."""
        fault = self._fault(message)
        if fault is not None:
            self._refuse_malformed(_usable_id(message), ErrorCodes.InvalidRequest, body, fault)
            return True
        untimely = None
        if "method" in message and "id" in message:
            untimely = self._untimely(message["method"])
        if untimely is not None:
            self._refuse(message["id"], *untimely)
        return untimely is not None

    def _fault(self, message: Any) -> str | None:
        """What is wrong with a message that is malformed; None for any other."""
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            return "it is not a JSON-RPC 2.0 object"
        if "method" not in message:
            return None if "id" in message else "it has neither a method nor an id"
        method = message["method"]
        if not isinstance(method, str):
            return "its method is not text"
        if "id" not in message:
            return None
        if _usable_id(message) is None:
            return "its id is neither text nor a whole number"
        kind = self.get_message_type(method)
        if kind is not None and not hasattr(kind, "id"):
            return f"{method} is a notification: it takes no id"
        return None

    def _untimely(self, method: str) -> tuple[int, str] | None:
        """The error code and sentence for a request that comes too early or too late."""
        if self._shutdown:
            return ErrorCodes.InvalidRequest, "The server is shutting down"
        if method == types.INITIALIZE:
            if self._initialize_seen:
                return ErrorCodes.InvalidRequest, "The server is initialized already"
        elif not self._initialize_seen:
            return ErrorCodes.ServerNotInitialized, "The server is not initialized yet"
        return None

    def _refuse_malformed(
        self, msg_id: str | int | None, code: int, body: bytes, reason: str
    ) -> None:
        """Refuse a message; answer and log tell its length and the reason, not what it holds."""
        logger.warning("Refused a message of %d bytes: %s", len(body), reason)
        self._refuse(msg_id, code, f"The message of {len(body):,} bytes is refused: {reason}")

    def _refuse(self, msg_id: str | int | None, code: int, message: str, data: Any = None) -> None:
        error: dict[str, Any] = {"code": code, "message": printable(message)}
        if data is not None:
            error["data"] = data
        # Unlike msgspec, the json module can write halves of surrogate pairs that the client sent.
        body = {"jsonrpc": self.VERSION, "id": msg_id, "error": error}
        self._write(json.dumps(body).encode("ascii"))

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Call a handler, and forget the call once it is done, which pygls does for requests only.

        Handlers of notifications, and those that other handlers yield to, have ids of their own.
        """
        is_request = self._ctx_msg_id.get() == msg_id
        self._in_progress += is_request

        def done(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            self._in_progress -= is_request
            callback(future)
            if self._intake is not None:
                self._intake.resume()

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _handle_response(
        self, msg_id: str | int, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        self._result_types.pop(msg_id, None)  # pygls keeps it when the answer is an error
        asked = self._request_futures.get(msg_id)
        if asked is not None and asked.cancelled():  # nobody waits for the answer any more
            self._request_futures.pop(msg_id)
            return
        super()._handle_response(msg_id, result, error)

    def _send_handler_result(self, future: Future[Any], *, msg_id: str | int) -> None:
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self._refuse(msg_id, LSPErrorCodes.RequestCancelled, "The request was cancelled")
            return
        error = future.exception()
        if error is None:
            self._send_response(msg_id, future.result())
        elif isinstance(error, JsonRpcException):
            self._send_response(msg_id, error=error.to_response_error())
        else:
            logger.error("Failed to answer a request", exc_info=error)
            self._refuse(msg_id, ErrorCodes.InternalError, _INTERNAL)

    def _send_response(
        self, msg_id: str | int, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        if error is not None:
            if error.code == ErrorCodes.InternalError:
                # pygls puts a traceback here, with paths of this machine.
                self._refuse(msg_id, ErrorCodes.InternalError, _INTERNAL)
            else:
                data = error.data if error.code == LSPErrorCodes.RequestFailed else None
                self._refuse(msg_id, error.code, error.message, data)
            return
        try:
            if isinstance(result, msgspec.Struct):
                own_id = json.dumps(msg_id).encode("ascii")
                encoded = msgspec.json.encode(result)
                body = b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (own_id, encoded)
            else:
                response = JsonRPCResponseMessage(id=msg_id, jsonrpc=self.VERSION, result=result)
                body = self._encode(response)
        except Exception:
            logger.exception("A result can't be encoded")
            self._refuse(msg_id, ErrorCodes.InternalError, _INTERNAL)
        else:
            self._write(body)

    def _send_data(self, data: Any) -> None:
        self._write(self._encode(data))

    def _encode(self, data: Any) -> bytes:
        return json.dumps(self._converter.unstructure(data), default=_plain).encode("utf-8")

    def _write(self, body: bytes, key: Hashable = None) -> None:
        if self.writer is not None:
            cast("Outbox", self.writer).write(
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body), key
            )


def _state(method: str, params: Any) -> Hashable:
    """What a notification tells the newest of; None where each of them counts."""
    if method == wire.STATUS:
        return method, params.workspace_uri
    if method == types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS:
        return method, params.uri
    if method == types.PROGRESS and isinstance(params.value, types.WorkDoneProgressReport):
        return method, params.token
    if method in {types.WINDOW_SHOW_MESSAGE, types.WINDOW_LOG_MESSAGE}:
        return method, params.message
    return None


def _usable_id(message: Any) -> str | int | None:
    msg_id = message.get("id") if isinstance(message, dict) else None
    return msg_id if isinstance(msg_id, (str, int)) and not isinstance(msg_id, bool) else None


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    raise TypeError(f"{type(value).__name__} can't be sent")
