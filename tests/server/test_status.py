"""The limit on how often something is done."""

from __future__ import annotations

import asyncio
import time

from rad_lsp.server.status import RateLimiter


async def test_the_first_user_does_not_wait():
    assert not await RateLimiter(60).wait()


async def test_users_go_on_one_after_the_other():
    limiter = RateLimiter(0.05)
    begun = time.monotonic()
    waited = await asyncio.gather(*(limiter.wait() for _ in range(3)))
    assert waited == [False, True, True]
    assert time.monotonic() - begun >= 0.1


async def test_a_user_that_comes_late_does_not_wait():
    limiter = RateLimiter(0.01)
    await limiter.wait()
    await asyncio.sleep(0.02)
    assert not await limiter.wait()
