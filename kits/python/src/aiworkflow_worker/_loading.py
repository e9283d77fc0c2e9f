"""What SIGTERM means before the worker runs."""

import os
import signal
import sys
import threading
from types import FrameType


def end_on_sigterm_while_loading() -> None:
    """Lets SIGTERM end process 1 while the worker's modules still load.

    The kernel drops signals that process 1 has no handler for. A worker that loads a model for minutes would miss
    its SIGTERM, start polling afterwards, take a task and be killed in the middle of it. Any other process keeps
    the system's default (it ends), and a handler that the program set itself is left alone.
    """
    if os.getpid() != 1 or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
