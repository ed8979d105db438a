"""Whatever happens in whatever order: after a `Withdraw` exactly one of `Saved` and `Withdrawn`, and what was withdrawn is not written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from helpers import call_records as made
from outdial.model.ids import Token
from outdial.model.records import SequenceBase
from outdial.model.work import Save, Saved, Withdraw, Withdrawn
from outdial.store.backlog import Backlog, Entry
from outdial.store.memory import MemoryPort


class BacklogMachine(RuleBasedStateMachine):
    """The backlog between its callers and a writer whose transactions succeed, fail, or spoil single units."""

    @initialize()
    def begin(self) -> None:
        self.backlog = Backlog(soft_limit=20_000)
        self.told: Counter[int] = Counter()
        self.withdrawn: set[int] = set()
        self.asked: set[int] = set()
        self.written: list[int] = []
        self.batch: list[Entry] | None = None
        self.tokens = 0

    def hear(self, results: Sequence[Any]) -> None:
        for result in results:
            self.told[result.token] += 1
            if isinstance(result, Withdrawn):
                self.withdrawn.add(result.token)

    @rule(synced=st.booleans())
    def save(self, synced: bool) -> None:
        self.tokens += 1
        self.backlog.add(Entry((SequenceBase(last=1),), Token(self.tokens), synced, self.hear))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        token = data.draw(st.integers(1, self.tokens))
        self.asked.add(token)
        self.backlog.withdraw(Token(token))

    @precondition(lambda self: self.batch is None)
    @rule()
    def take(self) -> None:
        count, _ = self.backlog.ahead()
        self.batch = self.backlog.take(count)

    @precondition(lambda self: self.batch is not None)
    @rule()
    def refused(self) -> None:
        self.backlog.put_back(self.batch or [])
        self.batch = None

    @precondition(lambda self: self.batch is not None)
    @rule(data=st.data())
    def committed(self, data: st.DataObject) -> None:
        batch = self.batch or []
        bad = [entry for entry in batch if data.draw(st.booleans(), label="spoilt")] if data.draw(st.booleans()) else []
        good = [entry for entry in batch if entry not in bad]
        self.written += [entry.token for entry in good]
        self.backlog.done(good, bad)
        self.hear([Saved(token=entry.token) for entry in good])
        self.batch = None

    @invariant()
    def nothing_is_told_twice(self) -> None:
        assert all(count == 1 for count in getattr(self, "told", {}).values())

    @invariant()
    def what_was_withdrawn_is_not_written(self) -> None:
        if self.__dict__.get("written"):
            assert not self.withdrawn & set(self.written)
            assert self.written == sorted(set(self.written))

    def teardown(self) -> None:
        if "backlog" not in self.__dict__:
            return
        if self.batch is not None:
            self.backlog.put_back(self.batch)
        batch = self.backlog.take(self.backlog.ahead()[0])
        self.written += [entry.token for entry in batch]
        self.backlog.done(batch)
        self.hear([Saved(token=entry.token) for entry in batch])
        for token in self.asked:
            assert self.told[token] == 1, token
        self.what_was_withdrawn_is_not_written()
        assert self.backlog.size == 0
        assert self.backlog.ahead() == (0, False)


class MemoryMachine(RuleBasedStateMachine):
    """The same promise of the port for virtual time."""

    @initialize()
    def begin(self) -> None:
        self.told: Counter[int] = Counter()
        self.asked: set[int] = set()
        self.port = MemoryPort(self.hear)
        self.tokens = 0

    def hear(self, results: Sequence[Any]) -> None:
        self.told.update(result.token for result in results if isinstance(result, Saved | Withdrawn))

    @rule()
    def save(self) -> None:
        self.tokens += 1
        self.port.put(Save(token=Token(self.tokens), unit=(SequenceBase(last=self.tokens),)), 0.0)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        token = data.draw(st.integers(1, self.tokens))
        self.asked.add(token)
        self.port.put(Withdraw(token=Token(token)), 0.0)

    @rule(what=st.sampled_from(["refuse", "accept", "hold", "release"]))
    def switch(self, what: str) -> None:
        getattr(self.port, what)()

    @invariant()
    def nothing_is_told_twice(self) -> None:
        assert all(count == 1 for count in self.__dict__.get("told", {}).values())

    def teardown(self) -> None:
        if "port" in self.__dict__:
            self.port.accept()
            assert all(self.told[token] == 1 for token in range(1, self.tokens + 1))
            self.port.close()


TestBacklog = BacklogMachine.TestCase
TestMemory = MemoryMachine.TestCase
TestBacklog.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMemory.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


def test_a_dropped_unit_is_withdrawn_when_asked_for() -> None:
    backlog = Backlog(soft_limit=100)
    told: list[Any] = []
    assert not backlog.add(Entry((made.call_row(),), Token(1), False, told.extend))
    backlog.withdraw(Token(1))
    backlog.withdraw(Token(1))
    assert told == [Withdrawn(token=Token(1))]
