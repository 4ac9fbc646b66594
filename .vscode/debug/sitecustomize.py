"""Puts the language server under VS Code's debugger; on PYTHONPATH only when F5 started it."""

import os
import sys

port = os.environ.get("RAD_LSP_DEBUG_PORT")
if port and "--stdio" in sys.orig_argv:
    import debugpy

    debugpy.connect(("127.0.0.1", int(port)))
