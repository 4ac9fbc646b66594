"""The outline of a report, and the search for sessions by their id."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from rad_lsp.core.wording import printable
from rad_lsp.render import figure, text
from rad_lsp.server.documents import of
from rad_lsp.server.registry import feature
from rad_lsp.server.uris import uri_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.core import document as documents
    from rad_lsp.core.document import Pair
    from rad_lsp.core.session import Session
    from rad_lsp.server.context import Context
    from rad_lsp.server.documents import Document

MAX_SYMBOLS: Final = 200
_DEEPEST: Final = 3
_KINDS: Final = {
    ord("{"): types.SymbolKind.Object,
    ord("["): types.SymbolKind.Array,
    ord('"'): types.SymbolKind.String,
    ord("n"): types.SymbolKind.Null,
}
_TOP = types.Range(types.Position(0, 0), types.Position(0, 0))


@feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
async def document_symbol(
    context: Context, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation] | None:
    """The report's sections: a tree, or a list for clients that show no trees."""
    document = await context.documents.read(params.text_document.uri)
    if document is None:
        return None
    roots = await of(document, partial(_tree, document))
    if context.client.nests_symbols:
        return roots
    return [
        types.SymbolInformation(
            name=symbol.name,
            kind=symbol.kind,
            location=types.Location(document.uri, symbol.range),
            container_name=parent.name if parent else None,
        )
        for symbol, parent in _flat(roots, None)
    ]


@feature(types.WORKSPACE_SYMBOL)
async def workspace_symbol(
    context: Context, params: types.WorkspaceSymbolParams
) -> list[types.SymbolInformation]:
    """Sessions whose id contains the query, newest first."""
    wanted = params.query.lower()
    symbols: list[types.SymbolInformation] = []
    for folder in context.folders:
        for entry in (await folder.ready()).entries:
            if wanted in entry.id.lower():
                session = entry.session
                location = types.Location(uri_of(session.path), _TOP)
                symbols.append(
                    types.SymbolInformation(
                        name=printable(entry.id),
                        kind=types.SymbolKind.Event,
                        location=location,
                        container_name=text.line(session),
                    )
                )
                if len(symbols) == MAX_SYMBOLS:
                    return symbols
    return symbols


def _tree(document: Document) -> list[types.DocumentSymbol]:
    """Sections as deep as a model's name; a section's detail is its figure."""
    children: dict[documents.Path, list[types.DocumentSymbol]] = {}
    for pair in document.pairs():
        is_part = pair.path[-1] in {"secs", "nanos"}  # of a duration, which has a figure
        if len(pair.path) <= _DEEPEST and pair.key is not None and not is_part:
            symbol = _symbol(document, pair, children.pop(pair.path, []))
            children.setdefault(pair.path[:-1], []).append(symbol)
    return children.get((), [])


def _symbol(
    document: Document, pair: Pair, children: list[types.DocumentSymbol]
) -> types.DocumentSymbol:
    start, end = pair.value
    raw = document.data[start:end]
    positions = document.positions
    return types.DocumentSymbol(
        name=printable(str(pair.path[-1])) or '""',
        detail=_detail(document.session, pair, raw),
        kind=_KINDS.get(raw[0], types.SymbolKind.Number),
        range=positions.range(pair.span),
        selection_range=positions.range(pair.key or pair.value),
        children=children,
    )


def _detail(session: Session | None, pair: Pair, raw: bytes) -> str | None:
    if session is None:
        return None
    known = figure.hint(session, pair.path, int(raw) if raw.isdigit() else None)
    if known is not None or raw[0] in b"{[":
        return known
    return printable(raw.decode("utf-8", "replace").strip('"'))[:80]


def _flat(
    tree: Iterable[types.DocumentSymbol], parent: types.DocumentSymbol | None
) -> Iterator[tuple[types.DocumentSymbol, types.DocumentSymbol | None]]:
    for symbol in tree:
        yield symbol, parent
        yield from _flat(symbol.children or (), symbol)
