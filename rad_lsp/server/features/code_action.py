"""The quick fix for a report that can't be read: delete it, as Radium's manual advises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from rad_lsp.core.problems import Problem
from rad_lsp.core.wording import printable
from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.context import Context

_ANNOTATION: Final = "delete-report"


@feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
)
async def code_action(
    context: Context, params: types.CodeActionParams
) -> list[types.CodeAction] | None:
    """Deletes the report, if it can't be read and the client can delete files."""
    document = await context.documents.read(params.text_document.uri)
    if (
        document is None
        or not isinstance(document.content, Problem)
        or not context.client.deletes_files
    ):
        return None
    only = params.context.only
    if only is not None and not any(
        types.CodeActionKind.QuickFix.startswith(kind) for kind in only
    ):
        return None
    name = printable(Path(document.path).name)
    title = f"Delete the unreadable report {name}"
    delete = types.DeleteFile(uri=document.uri)
    edit = types.WorkspaceEdit(document_changes=[delete])
    if context.client.confirms_edits:
        delete.annotation_id = _ANNOTATION
        edit.change_annotations = {
            _ANNOTATION: types.ChangeAnnotation(
                label=title, needs_confirmation=True, description=document.content.message
            )
        }
    return [
        types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=list(params.context.diagnostics),
            edit=edit,
        )
    ]
