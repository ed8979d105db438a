"""When the writer is woken: at once by what somebody waits for, after a moment by what nobody does, and under load it rests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from helpers import call_records as made
from outdial.model.ids import Token
from outdial.store.backlog import LINGER_S, REST_S, Backlog, Entry


class Slept(threading.Condition):
    """Notes how long the writer would sleep, and lets something happen meanwhile."""

    def __init__(self, *meanwhile: Callable[[], object] | None) -> None:
        super().__init__(threading.RLock())
        self.asked: list[float | None] = []
        self.woken = 0
        self._meanwhile = list(meanwhile)

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        happens = self._meanwhile.pop(0)
        before = self.woken
        if happens is not None:
            happens()
        return self.woken > before

    def notify(self, n: int = 1) -> None:
        self.woken += 1


def unit(token: int = 0, synced: bool = False) -> Entry:
    return Entry((made.event(1),), Token(token), synced, None)


def test_what_nobody_waits_for_waits_for_company_and_not_for_ever() -> None:
    backlog = Backlog()
    slept = Slept(None, lambda: backlog.add(unit()), None)
    backlog._changed = slept
    assert backlog.wait()
    assert slept.asked == [LINGER_S, None, LINGER_S]
    assert slept.woken == 1  # from its long sleep only


def test_what_somebody_waits_for_wakes_the_writer_at_once() -> None:
    backlog = Backlog()
    slept = Slept(lambda: (backlog.add(unit()), backlog.add(unit(1))))
    backlog._changed = slept
    assert backlog.wait()
    assert (slept.asked, slept.woken) == ([LINGER_S], 1)
    assert len(backlog.take(backlog.ahead()[0])) == 2


def test_under_load_the_writer_rests_unless_something_is_to_be_synced() -> None:
    backlog = Backlog()
    backlog.add(unit(1))
    slept = Slept(lambda: backlog.add(unit(2)), lambda: backlog.add(unit(3, synced=True)))
    backlog._changed = slept
    assert backlog.wait()
    assert (slept.asked, slept.woken) == ([REST_S], 0)
    assert len(backlog.take(2)) == 2
    backlog.add(unit(4))
    assert backlog.wait()
    assert (slept.asked, slept.woken) == ([REST_S, REST_S], 1)
    assert backlog.wait()
    assert slept.asked == [REST_S, REST_S]
