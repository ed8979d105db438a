"""`kill -9` at any moment, against the store's real tables: nothing acknowledged is lost, nobody is dialled, one HANGUP, one CDR.

What the writer had not committed when the node died is gone. Units are committed in the order in which they were put out.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.call_chaos import Chaos
from helpers.call_world import REPEAT
from outdial.model import media, work
from outdial.model.events import HungUp
from outdial.model.ids import Token
from outdial.model.invocations import FunctionState, Invoke, Replied
from outdial.model.records import CallRow, Cdr, EventRow, InvocationDone, InvocationRow, LegEnded, Record
from outdial.model.requests import Placed
from outdial.sip import values as sip
from outdial.store.memory import MemoryPort


class Disk:
    """The database, and every unit that it took, in order."""

    def __init__(self) -> None:
        self.port = MemoryPort()
        self.taken: list[Record] = []

    def write(self, unit: tuple[Record, ...]) -> None:
        self.port.put(work.Save(token=Token(0), unit=unit), 0.0)
        self.taken.extend(unit)

    def all(self, kind: type) -> list[Any]:
        return [record for record in self.taken if isinstance(record, kind)]


class Mortal(Chaos):
    """One life of a node. The writer commits when it comes to it; a handler is given nothing that is not committed."""

    def __init__(self, disk: Disk, **settings: Any) -> None:
        self.disk = disk
        self.unwritten: list[work.Save] = []
        super().__init__(**settings)

    def commit(self) -> None:
        for save in self.unwritten:
            self.disk.write(save.unit)
        self.unwritten.clear()

    def _take(self, output: Any) -> None:
        super()._take(output)
        if isinstance(output, work.Save):
            self.unwritten.append(output)
        elif isinstance(output, Invoke):
            self.commit()
            if output.request is None:
                row = InvocationRow(
                    call=output.call,
                    sequence=output.sequence,
                    number=output.number,
                    function=output.function,
                    request=f"event {output.number}".encode(),
                    given_at=1,
                )
                self.disk.write((row,))

    def _answer(self, it: Any, how: int) -> None:
        if isinstance(it, work.Save):
            self.commit()
        elif isinstance(it, work.Withdraw):
            held = [save for save in self.unwritten if save.token == it.token]
            self.unwritten = [save for save in self.unwritten if save not in held]
            self.open = [one for one in self.open if one is not it and not (isinstance(one, work.Save) and one.token == it.token)]
            self.give((work.Withdrawn if held else work.Saved)(token=it.token))
            return
        super()._answer(it, how)

    def _reply(self, it: Invoke, how: int) -> None:
        done = InvocationDone(call=it.call, sequence=it.sequence, outcome="replied", done_at=2)
        self.unwritten.append(work.Save(token=Token(0), unit=(done,)))
        super()._reply(it, how)

    def settle(self) -> None:
        super().settle()
        self.commit()


def live_and_die(choices: list[int], deaths: list[int]) -> tuple[Disk, list[Mortal]]:
    disk = Disk()
    lives = [Mortal(disk, ring_timeout_s=30.0)]
    lives[0].place(repeat=REPEAT)
    if choices[0] % 3:
        lives[0].set_up()
    for i, choice in enumerate(choices):
        if i in deaths and disk.all(CallRow):
            lives.append(revive(disk))
        life = lives[-1]
        life.choose(choice)
        if placed := life.all(Placed):
            life.call = placed[-1].call
    if disk.all(CallRow):
        lives.append(revive(disk))
    lives[-1].settle()
    return disk, lives


def revive(disk: Disk) -> Mortal:
    life = Mortal(disk)
    for found in disk.port.unfinished():
        life.call, life.leg = found.call.call, found.legs[0].participant.leg
        life.give(found)
    for row in disk.port.undelivered():
        life.give(row)
    life.give(FunctionState(function="reminder", state="served"))  # type: ignore[arg-type]
    return life


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(min_value=0, max_value=2**20), min_size=3, max_size=50),
    st.lists(st.integers(min_value=0, max_value=49), max_size=3),
)
def test_kill_at_any_moment(choices: list[int], deaths: list[int]) -> None:
    disk, lives = live_and_die(choices, deaths)
    check(disk, lives)


def check(disk: Disk, lives: list[Mortal]) -> None:
    calls = {row.call for row in disk.all(CallRow)}
    assert {placed.call for life in lives for placed in life.all(Placed)} <= calls, "an acknowledged call was lost"
    for life in lives[1:]:
        assert not life.all(sip.Dial) + life.all(sip.Go) + life.all(media.OpenStream)
    assert disk.port.unfinished() == []
    assert disk.port.undelivered() == []
    if not calls:
        return
    assert len(disk.all(Cdr)) == len(disk.all(LegEnded)) == 1
    events = disk.all(EventRow)
    assert sum(isinstance(row.event, HungUp) for row in events) == 1
    assert isinstance(events[-1].event, HungUp)
    assert [row.number for row in events] == list(range(1, len(events) + 1))
    sequences = [row.sequence for row in disk.all(InvocationRow)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert disk.all(Cdr)[0].invocations == len(sequences)
    if len(lives) > 1 and not any(life.all(work.Save) and life.records(Cdr) for life in lives[:-1]):
        assert disk.all(Cdr)[0].termination.reason == "node_restart"
    for life in lives:
        for invoke in life.given:
            if invoke.request is not None:
                assert invoke.request == f"event {invoke.number}".encode(), "given again, but not the same bytes"


def test_the_reply_to_an_invocation_that_was_given_again_counts() -> None:
    disk = Disk()
    first = Mortal(disk)
    first.place(repeat=REPEAT)
    first.set_up()
    assert first.given
    second = revive(disk)
    again = second.given[0]
    assert again.request == f"event {again.number}".encode()
    second.give(Replied(call=again.call, sequence=again.sequence, attributes={"kept": True}))
    assert second.given[1].attributes == {"kept": True}
    second.settle()
    check(disk, [first, second])
