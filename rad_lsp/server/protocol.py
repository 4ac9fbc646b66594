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

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future

    from cattrs import Converter


logger = logging.getLogger(__name__)

_FINISH_SECONDS: Final = 5.0
"""How long the process waits, at its end, for requests that it has cancelled."""

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
        """Send a notification. Structs of the wire contract are encoded by msgspec."""
        if isinstance(params, msgspec.Struct):
            message = {"jsonrpc": self.VERSION, "method": method, "params": params}
            self._write(msgspec.json.encode(message))
        else:
            super().notify(method, params)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Answer `initialize`, with the version of the wire contract among the capabilities."""
        self._initialize_seen = True
        result = yield from super().lsp_initialize(params)
        ours = {"version": wire.VERSION, "methods": [*wire.METHODS, wire.STATUS]}
        result.capabilities.experimental = {"radStats": ours}
        return result

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
        """Refuse a message by its length and a reason: what it holds is nobody else's business."""
        logger.warning("Refused a message of %d bytes: %s", len(body), reason)
        self._refuse(msg_id, code, f"The message of {len(body):,} bytes is refused: {reason}")

    def _refuse(self, msg_id: str | int | None, code: int, message: str, data: Any = None) -> None:
        error: dict[str, Any] = {"code": code, "message": printable(message)}
        if data is not None:
            error["data"] = data
        # Unlike msgspec, the json module can write halves of surrogate pairs that the client sent.
        body = {"jsonrpc": self.VERSION, "id": msg_id, "error": error}
        self._write(json.dumps(body).encode("ascii"))

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

    def _write(self, body: bytes) -> None:
        if self.writer is None:
            return
        try:
            self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        except (OSError, ValueError):
            logger.info("The client no longer reads")
            self.stop(1)


def _usable_id(message: Any) -> str | int | None:
    msg_id = message.get("id") if isinstance(message, dict) else None
    return msg_id if isinstance(msg_id, (str, int)) and not isinstance(msg_id, bool) else None


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    raise TypeError(f"{type(value).__name__} can't be sent")
