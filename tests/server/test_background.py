"""Tasks beside the handling of messages."""

from __future__ import annotations

import asyncio

from rad_lsp.server.background import BackgroundTasks


async def test_an_error_in_a_task_is_logged(caplog):
    async def fails():
        raise OSError("broken")

    tasks = BackgroundTasks()
    tasks.start(fails())
    async with asyncio.timeout(30):
        while "broken" not in caplog.text:  # noqa: ASYNC110  (a task that ends sends no message)
            await asyncio.sleep(0.001)
    assert "A background task failed" in caplog.text


async def test_tasks_that_go_on_are_cancelled_at_the_end(caplog):
    ended = []

    async def goes_on():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    tasks = BackgroundTasks()
    tasks.start(goes_on())
    await asyncio.sleep(0)
    await tasks.cancel()
    assert ended == [True]
    assert caplog.text == ""
