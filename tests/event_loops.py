"""Running coroutines in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_apart(talk: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine in a thread of its own: a browser's test may have left its event loop in the main one."""

    async def wrapped() -> Any:
        return await talk()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(wrapped())).result()
