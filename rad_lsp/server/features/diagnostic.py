"""Diagnostics of open reports, for clients that pull them."""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server.diagnostics import SOURCE
from rad_lsp.server.documents import of
from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.context import Context

_OPTIONS = types.DiagnosticOptions(
    inter_file_dependencies=False, workspace_diagnostics=False, identifier=SOURCE
)


@feature(types.TEXT_DOCUMENT_DIAGNOSTIC, _OPTIONS)
async def diagnostic(
    context: Context, params: types.DocumentDiagnosticParams
) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
    """The document's problems, or that they are the same as before."""
    document = await context.documents.read(params.text_document.uri)
    if document is None:
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    result_id = f"{zlib.crc32(document.data):08x}-{len(document.data)}"
    if params.previous_result_id == result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
    items = await of(document, partial(context.diagnostics.of, document))
    return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=result_id)
