"""Decorators by which feature modules name the methods and commands that they handle."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from pygls.exceptions import JsonRpcInvalidParams

from rad_lsp.core.errors import NoSessions, RadError
from rad_lsp.server.protocol import RequestFailed
from rad_lsp.server.uris import uri_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygls.lsp.server import LanguageServer

    from rad_lsp import wire
    from rad_lsp.server.context import Context

F = TypeVar("F", bound="Callable[..., Any]")

_features: list[tuple[str, Any, Callable[..., Any]]] = []
_commands: list[tuple[str, type[wire.Params], Callable[..., Any]]] = []


def feature(method: str, options: Any = None) -> Callable[[F], F]:
    """Answer an LSP method with `handler(context, params)`, params as in lsprotocol."""

    def register(handler: F) -> F:
        _features.append((method, options, handler))
        return handler

    return register


def request(method: str, params_type: type[wire.Params]) -> Callable[[F], F]:
    """Answer a method of the wire contract with `await handler(context, params)`.

    Missing and null params count as `{}`. For params of the wrong shape, the error names the field.
    A RadError becomes an error answer with its sentence and data.
    """

    def register(handler: F) -> F:
        async def checked(context: Context, params: Any) -> Any:
            return await _answer(context, handler, params_type, params)

        _features.append((method, None, checked))
        return handler

    return register


def command(name: str, params_type: type[wire.Params]) -> Callable[[F], F]:
    """Run a command like `request`; its one argument are the params."""

    def register(handler: F) -> F:
        _commands.append((name, params_type, handler))
        return handler

    return register


def register_all(server: LanguageServer, context: Context) -> None:
    """Register every feature whose module has been imported."""
    for method, options, handler in _features:
        server.feature(method, options)(functools.partial(handler, context))
    for name, params_type, handler in _commands:
        server.command(name)(_command(context, name, params_type, handler))


def _command(
    context: Context, name: str, params_type: type[wire.Params], handler: Callable[..., Any]
) -> Callable[..., Any]:
    async def run(*arguments: Any) -> Any:
        if len(arguments) > 1:
            raise JsonRpcInvalidParams(f"{name} takes one object")
        params = arguments[0] if arguments else None
        return await _answer(context, handler, params_type, params)

    return run


async def _answer(
    context: Context, handler: Callable[..., Any], params_type: type[wire.Params], params: Any
) -> Any:
    try:
        converted = msgspec.convert({} if params is None else params, params_type)
        msgspec.json.encode(converted)
    except UnicodeEncodeError:
        # No id, path or time has it, and no answer could quote it.
        raise JsonRpcInvalidParams("Half of a surrogate pair is no character") from None
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$.")
        described = f"{where.rstrip('`')}: {reason}" if where else reason
        raise JsonRpcInvalidParams(described) from None
    try:
        try:
            return await handler(context, converted)
        except NoSessions as error:
            error.data["workspaceUri"] = context.folders.pick(converted.workspace_uri).uri
            raise
    except RadError as error:
        data = dict(error.data)
        if isinstance(path := data.pop("path", None), str):
            data["uri"] = uri_of(path)
        raise RequestFailed(str(error), data={"kind": error.kind, **data}) from None
