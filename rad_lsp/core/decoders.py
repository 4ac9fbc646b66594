"""msgspec's decoders, made when they are first used.

Making one takes longer than loading a module, and a status line needs few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Lazy(Generic[T]):
    """A decoder of values of one type; `decode_lines` is there for JSON only."""

    decode: Callable[[bytes | str | msgspec.Raw], T]
    decode_lines: Callable[[bytes], list[T]]

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        """What is not there yet; from then on it is, and costs no more than msgspec's own."""
        if name not in Lazy.__annotations__:
            raise AttributeError(name)
        found = getattr(self._make(), name)
        setattr(self, name, found)
        return found


@overload
def json(form: type[T]) -> Lazy[T]: ...
@overload
def json(form: Any) -> Lazy[Any]: ...
def json(form: Any) -> Lazy[Any]:
    """A decoder of JSON."""
    return Lazy(lambda: msgspec.json.Decoder(form))


@overload
def msgpack(form: type[T]) -> Lazy[T]: ...
@overload
def msgpack(form: Any) -> Lazy[Any]: ...
def msgpack(form: Any) -> Lazy[Any]:
    """A decoder of MessagePack."""
    return Lazy(lambda: msgspec.msgpack.Decoder(form))
