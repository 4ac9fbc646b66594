"""Decorators by which feature modules name the methods and commands that they handle."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from pygls.exceptions import JsonRpcInvalidParams
from pygls.uris import from_fs_path

from rad_lsp.core.errors import NoSessions, RadError
from rad_lsp.server.protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygls.lsp.server import LanguageServer

    from rad_lsp import wire
    from rad_lsp.server.context import Context

F = TypeVar("F", bound="Callable[..., Any]")

_features: list[tuple[str, Any, Callable[..., Any]]] = []
_commands: list[tuple[str, Callable[..., Any]]] = []


def feature(method: str, options: Any = None) -> Callable[[F], F]:
    """Answer an LSP method with `handler(context, params)`, params as in lsprotocol."""

    def register(handler: F) -> F:
        _features.append((method, options, handler))
        return handler

    return register


def request(method: str, params_type: type[wire.Params]) -> Callable[[F], F]:
    """Answer a method of the wire contract with `await handler(context, params)`.

    Missing and null params count as `{}`. For params of the wrong shape, the error names the field.
    """

    def register(handler: F) -> F:
        async def checked(context: Context, params: Any) -> Any:
            return await _answer(context, handler, params_type, params)

        _features.append((method, None, checked))
        return handler

    return register


def command(name: str, params_type: type[wire.Params]) -> Callable[[F], F]:
    """Run a command with `await handler(context, params)`; its one argument are the params."""

    def register(handler: F) -> F:
        async def checked(context: Context, arguments: Any) -> Any:
            if len(arguments) > 1:
                raise JsonRpcInvalidParams(f"{name} takes one object")
            return await _answer(context, handler, params_type, arguments[0] if arguments else None)

        _commands.append((name, checked))
        return handler

    return register


def register_all(server: LanguageServer, context: Context) -> None:
    """Register every feature whose module has been imported."""
    for method, options, handler in _features:
        server.feature(method, options)(_guarded(context, handler))
    for name, handler in _commands:
        server.command(name)(_spread(_guarded(context, handler)))


async def _answer(
    context: Context, handler: Callable[..., Any], params_type: type[wire.Params], params: Any
) -> Any:
    try:
        converted = msgspec.convert({} if params is None else params, params_type)
    except msgspec.ValidationError as error:
        raise JsonRpcInvalidParams(_described(error)) from None
    try:
        return await handler(context, converted)
    except NoSessions as error:
        error.data["workspaceUri"] = context.folders.pick(converted.workspace_uri).uri
        raise


def _spread(handler: Callable[[Any], Any]) -> Callable[..., Any]:
    """A handler that takes a command's arguments as pygls passes them."""

    async def spread(*arguments: Any) -> Any:
        return await handler(arguments)

    return spread


def _guarded(context: Context, handler: Callable[..., Any]) -> Callable[[Any], Any]:
    """A handler that turns a RadError into an error answer with its sentence and data."""
    if inspect.iscoroutinefunction(handler):

        async def asynchronous(params: Any = None) -> Any:
            try:
                return await handler(context, params)
            except RadError as error:
                raise _failed(error) from None

        return asynchronous

    def synchronous(params: Any = None) -> Any:
        try:
            return handler(context, params)
        except RadError as error:
            raise _failed(error) from None

    return synchronous


def _failed(error: RadError) -> RequestFailed:
    data = dict(error.data)
    if isinstance(path := data.pop("path", None), str):
        data["uri"] = from_fs_path(path)
    return RequestFailed(str(error), data={"kind": error.kind, **data})


def _described(error: msgspec.ValidationError) -> str:
    reason, _, where = str(error).partition(" - at `$.")
    return f"{where.rstrip('`')}: {reason}" if where else reason
