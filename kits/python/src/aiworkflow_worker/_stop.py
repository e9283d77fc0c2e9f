"""SIGTERM and SIGINT, as something to wait for."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StopSignal:
    """Set by the first SIGTERM or SIGINT. A second SIGINT ends the process at once, for a person at a terminal."""

    def __init__(self) -> None:
        self.name = ""
        self._asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask, number)

    async def before(self, task: "asyncio.Task[T]") -> bool:
        """Waits for the task or the signal; true if the signal came and the task has not ended."""
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        return not task.done()

    async def unless(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None, with `work` cancelled, if the signal comes first."""
        task = asyncio.create_task(work)
        if not await self.before(task):
            return task.result()
        task.cancel()
        return None

    def _ask(self, number: signal.Signals) -> None:
        if self._asked.is_set() and number == signal.SIGINT:
            os._exit(128 + number)
        self.name = self.name or number.name
        self._asked.set()
