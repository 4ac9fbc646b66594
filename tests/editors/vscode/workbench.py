"""A real VS Code: its server with the extension host, and its workbench in Chromium.

What it needs is installed by `setup.sh`, into one folder outside the repository.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
CLIENT = REPOSITORY / "editors" / "vscode"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ROOT = Path(os.environ.get("RAD_LSP_EDITORS") or _CACHE / "rad-lsp-editors") / "vscode"
NODE = ROOT / "bin" / "node"
NPM = ROOT / "bin" / "npm"
SERVER = ROOT / "vscode" / "out" / "server-main.js"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

PATIENCE = 60
"""Seconds after which what was waited for is taken for not coming.

A window's extensions may be up 15 seconds after its page, where five programs share two cores;
until then there is no status bar item at all.
"""

SESSIONS = Path(".radium", "_internals", "sessions")


def missing():
    """Why the tests can't run here; None when they can."""
    if not (ROOT / "stamp").is_file():
        return "VS Code is not installed: run tests/editors/vscode/setup.sh"
    if CHROMIUM is None:
        return "chromium is not installed: run tests/editors/vscode/setup.sh"
    return None


def eventually(get, patience=PATIENCE, pause=0.05):
    """What `get` returns once that is truthy; an assertion that fails counts as falsy."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if value := get():
                return value
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise AssertionError(f"{get} did not come true within {patience} s")
        time.sleep(pause)


def environment(home):
    """The environment of programs that must see nothing of the user's."""
    keep = {key: os.environ[key] for key in ("LANG", "PATH") if key in os.environ}
    for name in ("tmp", "config"):
        (home / name).mkdir(parents=True, exist_ok=True)
    return {
        **keep,
        "TZ": "UTC",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_RUNTIME_DIR": str(home / "tmp"),
        "TMPDIR": str(home / "tmp"),
    }


def npm(folder, *arguments):
    """Run npm in a folder, with the node that is installed for the tests."""
    env = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [NODE, NPM, "--no-update-notifier", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def client_copy(target):
    """A copy of the extension's sources with its tools, so that building leaves no trace."""
    shutil.copytree(CLIENT, target, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (target / "node_modules").symlink_to(ROOT / "client" / "node_modules")
    # What is made for both editors is checked for both.
    lua = target.parent / "neovim" / "lua"
    if not lua.exists():
        shutil.copytree(CLIENT.parent / "neovim" / "lua", lua)
    return target


def package(target):
    """`npm run package` in a copy of the sources; the path of the .vsix."""
    done = npm(client_copy(target), "run", "package")
    assert done.returncode == 0, done.stdout + done.stderr
    return target / "dist" / "rad-lsp.vsix"


class CodeServer:
    """A running VS Code server with the extension installed."""

    def __init__(
        self, home, vsix, settings, *, path=None, env=None, trust_all=True, test_driver=False
    ):
        self.home = home
        self.data = home / "data"
        self.settings_file = self.data / "Machine" / "settings.json"
        home.mkdir(parents=True)
        self._log = (home / "server.log").open("wb")
        self._env = environment(home) | {"EXTENSIONS_GALLERY": '{"serviceUrl":""}'}
        self._env |= env or {}
        if path is not None:
            self._env["PATH"] = path
        (self.data / "User").mkdir(parents=True)
        self.settings_file.parent.mkdir(parents=True)
        self.configure(settings)
        self._main("--install-extension", vsix).wait(60)
        self.port = _free_port()
        flags = ["--disable-workspace-trust"] if trust_all else []
        if test_driver:
            # Else the workbench does not run tests in its extension host.
            flags.append("--enable-smoke-test-driver")
        self._process = self._main(
            "--host",
            "127.0.0.1",
            "--port",
            self.port,
            "--without-connection-token",
            "--telemetry-level",
            "off",
            # The environment is the test's, not the one that a login shell would make of it.
            "--force-disable-user-env",
            *flags,
        )
        eventually(self._answers)

    def configure(self, settings):
        """Write the settings of the machine, which take effect at once."""
        quiet = {
            "workbench.startupEditor": "none",
            "workbench.secondarySideBar.defaultVisibility": "hidden",
            "workbench.enableExperiments": False,
            "chat.disableAIFeatures": True,
            "telemetry.telemetryLevel": "off",
            "extensions.autoCheckUpdates": False,
            # Its older value, false, VS Code would write anew into the file, across a test's write.
            "extensions.autoUpdate": "off",
            "editor.codeLens": True,
            "git.enabled": False,
            "security.workspace.trust.startupPrompt": "never",
        }
        self.settings_file.write_text(json.dumps(quiet | settings), encoding="utf-8")

    def url(self, folder, file=None, *, workspace=False):
        """The address at which the workbench opens a folder, and a file in it."""
        query = {"workspace" if workspace else "folder": str(folder)}
        if file is not None:
            remote = f"vscode-remote://127.0.0.1:{self.port}{file}"
            query["payload"] = json.dumps([["openFile", remote]])
        return f"http://127.0.0.1:{self.port}/?{urllib.parse.urlencode(query)}"

    def close(self):
        """End the server and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)
        self._log.close()

    def _main(self, *arguments):
        command = [
            NODE,
            SERVER,
            "--accept-server-license-terms",
            "--server-data-dir",
            self.home / "server",
            "--user-data-dir",
            self.data,
            "--extensions-dir",
            self.home / "extensions",
            *arguments,
        ]
        return subprocess.Popen(
            [str(part) for part in command],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def _answers(self):
        assert self._process.poll() is None, (self.home / "server.log").read_text()
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1).status == 200
        return False


def chromium():
    """Playwright, and the Chromium that it has started; both must be ended."""
    with _on_path(ROOT / "python"):
        from playwright.sync_api import sync_playwright
    playwright = sync_playwright().start()
    return playwright, playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ],
    )


class Browser:
    """Chromium, in which workbenches are opened."""

    def __init__(self):
        self._playwright, self._chromium = chromium()
        # One for all windows, so that the workbench's code comes from its cache.
        self._context = self._chromium.new_context(viewport={"width": 1180, "height": 720})

    def run_tests(self, url, extension, tests):
        """Run a module of tests in the extension host; its exit code, and what it printed."""
        host = f"vscode-remote://{urllib.parse.urlparse(url).netloc}"
        paths = {"extensionDevelopmentPath": extension, "extensionTestsPath": tests}
        payload = json.dumps([[name, f"{host}{path}"] for name, path in paths.items()])
        page = self._context.new_page()
        printed, ended = [], []

        def log(_kind, said):
            printed.append(" ".join(map(str, said)))

        def end(code):
            ended.append(code)

        page.expose_function("codeAutomationLog", log)
        page.expose_function("codeAutomationExit", end)
        page.goto(f"{url}&{urllib.parse.urlencode({'payload': payload})}")

        def exit_code():
            page.wait_for_timeout(50)  # in which what was exposed can be called
            return ended

        try:
            (code,) = eventually(exit_code, patience=120)
        finally:
            page.close()
        return code, "\n".join(printed)

    def open(self, url, *, ready=True):
        """A window with a workbench in it."""
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlparse(url))
        rights = ["clipboard-read", "clipboard-write"]
        self._context.grant_permissions(rights, origin=origin)
        page = self._context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(url)
        page.locator(".statusbar").wait_for()
        window = Window(page)
        if ready:
            window.status(lambda text: "$" in text or "no sessions" in text)
        return window

    def close(self):
        self._chromium.close()
        self._playwright.stop()


ITEM = ".statusbar-item[id='rad-lsp.rad-lsp.radLsp.status']"


class Window:
    """A workbench, driven by keyboard and read from its DOM."""

    def __init__(self, page):
        self.page = page
        self.item = page.locator(ITEM)

    def close(self):
        # Leaving the page ends its extensions; closing it keeps them for a window that reconnects.
        self.page.goto("about:blank")
        self.page.close()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def status(self, fits):
        """The status bar item's text, once it fits."""

        def get():
            text = self.item.inner_text() if self.item.count() else ""
            assert fits(text.strip()), f"the status bar says {text!r}"
            return text.strip()

        return eventually(get)

    def label(self):
        """What a screen reader says of the status bar item."""
        return self.item.locator("a").first.get_attribute("aria-label")

    def run(self, title):
        """Run one of our commands from the palette by keyboard."""
        self.palette(f"rad-lsp: {title}")

    def palette(self, title):
        """Run a command from the palette by keyboard."""
        self._choose("F1", title)

    def wait_for_folders(self, workspace_file):
        """Wait until VS Code has opened the folders that a workspace file lists.

        At its start it sometimes takes the list for empty, until the file is written again.
        """
        rows = self.page.locator(".explorer-folders-view .monaco-list-row")

        def opened():
            with contextlib.suppress(Exception):
                rows.first.wait_for(timeout=3000)
                return True
            workspace_file.write_bytes(workspace_file.read_bytes())
            return False

        eventually(opened)

    def open_report(self, name):
        """Open a file of the workspace by name, by keyboard."""
        self._choose("Control+p", name)
        self.page.locator(".tab.active", has_text=name).wait_for()

    def quick_fixes(self, text):
        """Open the quick fixes at the end of the file, once one of them has the text."""
        row = self.page.locator(".action-widget", has_text=text)

        def found():
            # The key finds none before the server's diagnostics are there: it is pressed again.
            self.press("Escape", "Control+End", "Control+.")
            with contextlib.suppress(Exception):
                row.wait_for(timeout=3000)
                return True
            return False

        eventually(found)

    def _choose(self, key, text):
        row = self.page.locator(".quick-input-list .monaco-list-row.focused", has_text=text)

        def found():
            # An editor that takes the focus as it opens closes the box.
            self.press("Escape", key)
            self.page.keyboard.type(text)
            with contextlib.suppress(Exception):
                row.first.wait_for(timeout=3000)
                return True
            return False

        eventually(found)
        self.press("Enter")

    def pick(self, title, choose=None):
        """Choose in a quick pick with a title: the first, or the one that typing narrows it to."""
        rows = self._menu(title)
        if choose is not None:
            self.page.keyboard.type(choose)
            eventually(lambda: rows.count() == 1)
        text = rows.first.inner_text()
        self.press("Enter")
        return text

    def rows(self, title):
        """The texts of a quick pick's rows."""
        return self._menu(title).all_inner_texts()

    def _menu(self, title):
        """The rows of the quick pick with a title, once the command palette has given way to it."""
        own = self.page.locator(".quick-input-title").get_by_text(title, exact=True)
        rows = self.page.locator(".quick-input-widget", has=own).locator(".monaco-list-row")
        rows.first.wait_for()
        return rows

    def preview(self, *texts):
        """The text of the page that holds all these texts, once there is one."""
        return self.frame(*texts).locator("body").inner_text()

    def frame(self, *texts):
        """The frame of that page."""

        def get():
            seen = []
            for frame in self.page.frames:
                with contextlib.suppress(Exception):
                    body = frame.locator("body[data-vscode-theme-kind]").inner_text(timeout=200)
                    if body and all(text in body for text in texts):
                        return frame
                    seen.append(body)
            raise AssertionError(f"no page holds {texts}: {seen}")

        return eventually(get)

    def tabs(self):
        """The titles of all tabs."""
        return self.page.locator(".tabs-container .tab .label-name").all_inner_texts()

    def tab(self, title):
        """Wait for a tab whose title begins so."""
        eventually(lambda: any(label.startswith(title) for label in self.tabs()))

    def notification(self, text):
        """A notification with a text."""
        found = self.page.locator(".notification-list-item", has_text=text).first
        found.wait_for()
        return found

    def notifications(self):
        """How many notifications are shown."""
        return self.page.locator(".notifications-toasts .notification-list-item").count()

    def reload(self):
        """Load the window anew by its command, which keeps what is open."""
        self.page.evaluate("window.isOld = true")
        self.palette("Developer: Reload Window")

        def loaded():
            with contextlib.suppress(Exception):  # it is being left
                return self.page.evaluate("!window.isOld")
            return False

        eventually(loaded)

    def close_editors(self):
        """Leave nothing open, as a test finds it."""
        self.press("Escape", "Escape", "Control+k", "Control+w")
        eventually(lambda: not self.page.locator(".tabs-container .tab").count())

    def clipboard(self):
        return self.page.evaluate("navigator.clipboard.readText()")


class SideBar:
    """Our views in a window's side bar."""

    def __init__(self, window):
        self.window = window
        self.icon = window.page.locator(".activitybar a[aria-label^='rad-lsp']").first

    def open(self):
        """Show the views, which may show already."""
        if not self.pane("Today").is_visible():
            self.icon.click()
        self.pane("Today").wait_for()
        return self

    def pane(self, view):
        """A view with its title."""
        title = self.window.page.locator(".pane-header h3").get_by_text(view, exact=True)
        return self.window.page.locator(".part.sidebar .pane", has=title)

    def rows(self, view, text=""):
        """The rows of a view that are on the screen, those with a text."""
        return self.pane(view).locator(".monaco-list-row", has_text=text)

    def row(self, view, text):
        """The row with a text, once there is one."""
        found = self.rows(view, text).first
        found.wait_for()
        return found

    def spoken(self, view, text):
        """What a screen reader says of the row with a text."""
        return self.row(view, text).get_attribute("aria-label")

    def act(self, view, text, action):
        """Choose in the menu of the row with a text."""
        self.row(view, text).click(button="right")
        menu = self.window.page.locator(".monaco-menu .action-label")
        item = menu.get_by_text(action, exact=True)
        item.wait_for()

        def chosen():
            # A menu ignores the mouse at first, lest the click that opened it chooses.
            with contextlib.suppress(Exception):
                item.click(timeout=500)
            return not menu.count()

        eventually(chosen, pause=0.2)


def put(workspace, report, name):
    """Write a report as an agent does: renamed into place when it is whole."""
    folder = workspace / SESSIONS
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f".{name}.tmp"
    whole.write_text(json.dumps(report, indent=2), encoding="utf-8")
    whole.rename(folder / f"{name}.json")
    return folder / f"{name}.json"


def server_script(target, pid_file):
    """A program that is the server of this repository, and leaves its process id."""
    target.write_text(
        "#!/bin/sh\n"
        f'case " $* " in *" --version "*) ;; *) echo $$ > "{pid_file}" ;; esac\n'
        f'PYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m rad_lsp "$@"\n',
        encoding="utf-8",
    )
    target.chmod(0o755)
    return target


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _on_path(folder):
    """Let what is installed there be imported, and nothing of it later by chance."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
