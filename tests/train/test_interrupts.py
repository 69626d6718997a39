"""An interrupt during training waits for a place where it is not lost."""

import os
import signal
import threading

import pytest

from tinyml.train.interrupts import remembered_interrupts


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_is_raised_where_it_is_asked_for_and_no_sooner():
    with remembered_interrupts() as check:
        check()
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            check()


def test_a_second_interrupt_goes_through_at_once():
    with remembered_interrupts():
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_the_handler_of_before_is_there_again():
    before = signal.getsignal(signal.SIGINT)

    with remembered_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before

    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_trains_without_a_handler():
    handlers = []

    def train() -> None:
        with remembered_interrupts() as check:
            check()
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()

    assert handlers == [signal.getsignal(signal.SIGINT)]
