"""What pricing takes: a request once its model is resolved, and a session's savings."""

from __future__ import annotations

import json
import random
import tempfile
import time
import timeit
from datetime import UTC, datetime
from pathlib import Path

from rad_lsp.core import price, spending
from rad_lsp.core.tokens import of_input
from rad_lsp.pricing import Prices
from tests.benchmarks import gen_sessions
from tests.benchmarks.measure import compare, python, report

MODELS = ("claude-opus-4-6", "claude-sonnet-4-5", "gpt-5-codex", "gemini-3-pro-preview",
          "deepseek-chat", "o3")  # fmt: skip
DAY = 24 * 3600
CACHE = ("total_cached_tokens", "total_cache_creation_tokens", "total_cache_read_tokens")


def usages(count, seconds):
    """Requests of all sizes within some time."""
    dice = random.Random(7)  # noqa: S311  (usages, no secrets)
    for _ in range(count):
        whole = dice.choice((199_999, 200_000, 200_001, dice.randrange(400_000)))
        read, short, long = (dice.randrange(whole // 4 + 1) for _ in range(3))
        yield spending.Request(
            time=1_735_689_600_000 + dice.randrange(seconds) * 1000,
            model=dice.choice(MODELS),
            tokens=of_input(whole, read, short, long, dice.randrange(50_000)),
        )


def requests():
    listed, found = Prices(), list(usages(10_000, 700 * DAY))
    floor = [expected(request) for request in found]
    ours = [spending.priced(request, listed).cost for request in found]
    worst = max(abs(a - b) / (b or 1) for a, b in zip(ours, floor, strict=True))
    name = "10,000 usages, largest difference from calc_price"
    report(name, f"{worst:.0e}", "1e-9 of it")
    found = list(usages(10_000, DAY))
    for name, function in (
        ("a request priced by itself", lambda: [spending.priced(one, listed) for one in found]),
        ("a request among others, added up", lambda: add_up(found, listed)),
        ("the arithmetic alone", lambda: [arithmetic(one) for one in found]),
    ):
        function()  # resolves what is left
        times = timeit.repeat(function, number=1, repeat=15, timer=time.process_time)
        microseconds = 1e6 * min(times) / len(found)
        report(f"price, {name}", f"{microseconds:.2f} us", "3 us")


def add_up(requests, prices):
    return spending.add_up(spending.priced(one, prices) for one in requests)


def expected(request):
    """USD by the library's own function."""
    from genai_prices import Usage, calc_price

    tokens = request.tokens
    return float(
        calc_price(
            Usage(
                input_tokens=tokens.input,
                cache_read_tokens=tokens.cache_read,
                cache_write_tokens=tokens.cache_write,
                cache_write_5m_tokens=tokens.cache_write_5m,
                cache_write_1h_tokens=tokens.cache_write_1h,
                output_tokens=tokens.output,
            ),
            request.model,
            genai_request_timestamp=datetime.fromtimestamp(request.time / 1000, UTC),
        ).total_price
    )


def arithmetic(request, rates=price.Rates(5, 0.5, 6.25, 10, 25)):  # noqa: B008  (a constant)
    return price.cost(rates, request.tokens)


def savings():
    command = python("-m", "rad_lsp.cli", "stats", "session")
    with tempfile.TemporaryDirectory() as cached, tempfile.TemporaryDirectory() as plain:
        for folder in (cached, plain):
            gen_sessions.write(folder, 1, newest_only=True)
        (path,) = Path(plain).rglob("*.json")
        made = json.loads(path.read_bytes())
        made["metrics"].update(dict.fromkeys(CACHE, 0))
        path.write_text(json.dumps(made), encoding="utf-8")
        ratio, _, ours, floor = compare(
            ["env", "--chdir", cached, *command], ["env", "--chdir", plain, *command]
        )
    detail = f"{1000 * ours:.0f} ms / {1000 * floor:.0f} ms"
    report("rad stats session with savings / without a cache", f"{ratio:.2f} x", "", detail)
