"""Session analytics for coding agents, inside the editor."""

__version__ = "0.1.0"

INSTALL = ("pipx install .", "uv tool install .")
"""How to install, in a clone of the repository: rad-lsp is in no package index.

What the README and the editors' texts advise is held to this by a test.
"""
