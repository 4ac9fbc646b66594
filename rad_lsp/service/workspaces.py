"""Which folder is the workspace, and where its reports lie."""

from rad_lsp.sources.radium import FOLDER as REPORTS_FOLDER
from rad_lsp.sources.radium import SUFFIX as REPORT_SUFFIX
from rad_lsp.store.workspace import (
    VARIABLE,
    Workspace,
    find,
    find_or_make,
    folders_of,
    init,
    nearest,
    repository_root,
)

__all__ = [
    "REPORTS_FOLDER",
    "REPORT_SUFFIX",
    "VARIABLE",
    "Workspace",
    "find",
    "find_or_make",
    "folders_of",
    "init",
    "nearest",
    "repository_root",
]
