"""The settings of a workspace folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rad_lsp import settings
from rad_lsp.core.errors import BadSettings
from rad_lsp.service import Prices

if TYPE_CHECKING:
    from pathlib import Path


class FolderSettings:
    """The settings in force for a folder: `values`, and the `prices` that follow from them.

    `mistake` is the sentence on what is wrong with the settings that were loaded last, else
    empty. While there is a mistake, the last good settings stay in force.
    """

    def __init__(self) -> None:
        self.values = settings.Settings()
        self.prices = Prices()
        self.mistake = ""
        self._editor: Any = None

    def set_editor(self, editor: Any) -> None:
        """Use the editor's settings, `radLsp.*`, from the next `load` on."""
        self._editor = editor

    def load(self, root: Path) -> None:
        """Read the settings of the workspace at `root`, and merge the user's and the editor's."""
        try:
            editor = settings.from_editor(self._editor)
            values = settings.load(root, editor, "The editor's radLsp settings")
        except BadSettings as error:
            self.mistake = str(error)
            return
        if values.prices != self.values.prices:
            self.prices = Prices(values.prices)
        self.values = values
        self.mistake = ""
