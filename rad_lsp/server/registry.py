"""Decorators by which feature modules say what they answer."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from pygls.exceptions import JsonRpcInvalidParams

from rad_lsp.core.errors import RadError
from rad_lsp.server.protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.server.app import RadServer

F = TypeVar("F", bound="Callable[..., Any]")

_features: list[tuple[str, Any, Callable[..., Any]]] = []


def feature(method: str, options: Any = None) -> Callable[[F], F]:
    """Answer an LSP method with `handler(ls, params)`, params as lsprotocol has them."""

    def register(handler: F) -> F:
        _features.append((method, options, handler))
        return handler

    return register


def request(method: str, params_type: type[msgspec.Struct]) -> Callable[[F], F]:
    """Answer a method of the wire contract with `handler(ls, params)`, params checked.

    Missing and null params are `{}`. The answer to params of the wrong shape names the field.
    """

    def register(handler: F) -> F:
        async def checked(ls: RadServer, params: Any) -> Any:
            try:
                converted = msgspec.convert({} if params is None else params, params_type)
            except msgspec.ValidationError as error:
                raise JsonRpcInvalidParams(_described(error)) from None
            answer = handler(ls, converted)
            return await answer if inspect.isawaitable(answer) else answer

        _features.append((method, None, checked))
        return handler

    return register


def register_all(server: RadServer) -> None:
    """Register every feature whose module has been imported."""
    for method, options, handler in _features:
        server.feature(method, options)(_guarded(server, handler))


def methods() -> list[str]:
    """The wire contract's methods that are answered."""
    return sorted(method for method, _, _ in _features if method.startswith("stats/"))


def _guarded(server: RadServer, handler: Callable[..., Any]) -> Callable[[Any], Any]:
    """A handler whose errors that the user can mend reach the client as such."""
    if inspect.iscoroutinefunction(handler):

        async def asynchronous(params: Any = None) -> Any:
            try:
                return await handler(server, params)
            except RadError as error:
                raise _failed(error) from None

        return asynchronous

    def synchronous(params: Any = None) -> Any:
        try:
            return handler(server, params)
        except RadError as error:
            raise _failed(error) from None

    return synchronous


def _failed(error: RadError) -> RequestFailed:
    return RequestFailed(str(error), data={"kind": error.kind, **error.data})


def _described(error: msgspec.ValidationError) -> str:
    reason, _, where = str(error).partition(" - at `$.")
    return f"{where.rstrip('`')}: {reason}" if where else reason
