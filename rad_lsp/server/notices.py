"""Notices to the user of budgets and plan limits that are used up so far: each told once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from rad_lsp import settings, wire
from rad_lsp.core.wording import printable
from rad_lsp.server.client import SHOW_NOTICE
from rad_lsp.service.told import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pygls.lsp.server import LanguageServer

    from rad_lsp.server.background import BackgroundTasks
    from rad_lsp.server.client import ClientCapabilities
    from rad_lsp.service.told import Things

logger = logging.getLogger(__name__)

_GATHER_SECONDS: Final = 0.5
"""What is due within this time is one message: folders are read one after the other."""

_MOST: Final = 3
"""How many sentences a message has."""

_SHOW: Final = types.MessageActionItem("Show")
_NOT_AGAIN: Final = types.MessageActionItem("Not again")


class Notices:
    """Shows what was not told before, by any server, with what the user can do about it."""

    def __init__(
        self, editor: LanguageServer, client: ClientCapabilities, tasks: BackgroundTasks
    ) -> None:
        self._editor = editor
        self._client = client
        self._tasks = tasks
        self._told = Told(settings.data_folder())
        self._due: dict[tuple[wire.NoticeKind, str], dict[str, Things]] = {}

    def announce(self, what: wire.NoticeKind, uri: str, due: Sequence[tuple[Things, str]]) -> None:
        """Show soon the sentences of which the things were not told before.

        They concern the folder at a URI.
        """
        if due:
            gathers = bool(self._due)
            self._due.setdefault((what, uri), {}).update((text, things) for things, text in due)
            if not gathers:
                self._tasks.start(self._tell())

    async def _tell(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        due, self._due = self._due, {}
        new: dict[wire.NoticeKind, tuple[str, list[str]]] = {}
        for (what, uri), sentences in due.items():
            told = await asyncio.to_thread(self._claimed, what, sentences)
            if told:
                new.setdefault(what, (uri, []))[1].extend(told)
        for what, (uri, told) in new.items():
            # A task each: an editor may answer late or never, and the next notice must not wait.
            self._tasks.start(self._show(what, uri, told))

    def _claimed(self, what: wire.NoticeKind, due: dict[str, Things]) -> list[str]:
        """The sentences that are to be told now, by this server."""
        if self._told.is_silenced(what):
            return []
        return [sentence for sentence, things in due.items() if self._told.claim(things)]

    async def _show(self, what: wire.NoticeKind, uri: str, told: list[str]) -> None:
        more = f" And {len(told) - _MOST:,} more." if len(told) > _MOST else ""
        message = printable(" ".join(told[:_MOST]) + more)
        warning = types.MessageType.Warning
        if not self._client.answers_messages:
            self._editor.window_show_message(types.ShowMessageParams(warning, message))
            return
        actions = [_SHOW, _NOT_AGAIN] if SHOW_NOTICE in self._client.commands else [_NOT_AGAIN]
        asked = types.ShowMessageRequestParams(warning, message, actions)
        try:
            answer = await self._editor.window_show_message_request_async(asked)
        except Exception:  # noqa: BLE001  (whatever the client answers)
            logger.debug("The client refused to show a notice")
            return
        chosen = answer.title if answer else None
        if chosen == _NOT_AGAIN.title:
            await asyncio.to_thread(self._told.silence, what)
        elif chosen == _SHOW.title:
            self._editor.protocol.notify(wire.SHOW, wire.Notice(what, uri))
