"""Session analytics for coding agents, inside the editor."""

__version__ = "0.1.0"

INSTALL = ("pipx install .", "uv tool install .")
"""How to install, in a clone of the repository: rad-lsp is in no package index.

What the README and the editors' texts advise is held to this by a test.
"""

INSTALL_ANEW = ("pipx install --force .", "uv tool install --force .")
"""The same where rad-lsp may be installed, to update it."""

INSTALL_CHARTS = ("pipx install --force '.[charts]'", "uv tool install --force '.[charts]'")
"""The same with what draws charts, also where rad-lsp is installed without it."""
