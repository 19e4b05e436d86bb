"""Wait for something in another task or process, without saying how long it takes."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Return once ``condition()`` holds; TimeoutError where it does not within ``within_s``."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of this loop
            await asyncio.sleep(0.001)
