"""Interrupts that are not lost in a library's callback, where Python drops what is raised."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def remembered_interrupts() -> Iterator[Callable[[], None]]:
    """Keep an interrupt (SIGINT) in mind; yields what raises it as KeyboardInterrupt when called.

    A second one goes through at once. Outside the main thread, which alone gets signals, nothing is
    kept.
    """
    asked = False
    previous = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def remember(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, previous)

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, previous)
