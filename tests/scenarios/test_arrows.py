"""Every arrow of the tables of calls, legs, creations, lists, actions and invocations is taken by a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outdial.actions import get_digits, playback, receive_digits, record_audio, send_digits
from outdial.actions.machine import Machine as ActionMachine
from outdial.apps import invocation, invocations
from outdial.calls.call_arrows import CALL
from outdial.calls.creation_arrows import CREATION
from outdial.calls.leg_arrows import LEG
from outdial.calls.machine import Machine as CallMachine
from outdial.calls.runner_arrows import RUNNER
from outdial.testing.ladder import Ladder

from .scenarios import ALL

TABLES: dict[str, Any] = {
    "call": CALL,
    "leg": LEG,
    "creation": CREATION,
    "runner": RUNNER,
    "playback": playback.PLAYBACK,
    "get_digits": get_digits.GET_DIGITS,
    "receive_digits": receive_digits.RECEIVE_DIGITS,
    "record_audio": record_audio.RECORD_AUDIO,
    "send_digits": send_digits.SEND_DIGITS,
    "invocation": invocation.INVOCATION,
}
NAMES = {id(table): name for name, table in TABLES.items()}

Arrow = tuple[str, str, str]

_TOLD_BY_SIP = "sip answers it before a 2xx (491 or 200) and tells the leg nothing"
_NO_CREDENTIALS = "a challenge after ringing needs credentials, which no trunk has yet; another target is not tried after ringing"
_HELD = "nothing of a held INVITE has left, so nothing can end it but us"
_DROPPED = "call control drops what runs on a leg that has gone before its stream is closed: only the action's own tests take it"

UNREACHABLE: dict[Arrow, str] = {
    ("leg", "CALLING", "OTHER_ANSWER"): "a 2xx is unwanted only after another one was wanted, or after our CANCEL",
    ("leg", "RINGING", "OTHER_ANSWER"): "a 2xx is unwanted only after another one was wanted, or after our CANCEL",
    ("leg", "CALLING", "OFFER"): _TOLD_BY_SIP,
    ("leg", "RINGING", "OFFER"): _TOLD_BY_SIP,
    ("leg", "CALLING", "BYE"): _TOLD_BY_SIP,
    ("leg", "RINGING", "BYE"): _TOLD_BY_SIP,
    ("leg", "RINGING", "HELD"): _NO_CREDENTIALS,
    ("leg", "RINGING", "INVITE_KEPT"): _NO_CREDENTIALS,
    ("leg", "ANSWERING", "OVER"): "an answer waits 1 s at most; sip gives a dialog up after 32 s",
    ("leg", "ENDED", "GIVEN_UP"): "sip says Over of every session within 64*T1: this arrow is for a fault of ours",
    ("creation", "SAVING", "OVER"): _HELD,
    ("creation", "WITHDRAWING", "OVER"): _HELD,
    ("playback", "STOPPING", "REFUSED"): "what is stopped has been playing, so the engine had accepted it",
    ("playback", "PREPARING", "GONE"): _DROPPED,
    ("playback", "PLAYING", "GONE"): _DROPPED,
    ("playback", "STOPPING", "GONE"): _DROPPED,
    ("get_digits", "PREPARING", "GONE"): _DROPPED,
    ("get_digits", "ASKING", "GONE"): _DROPPED,
    ("get_digits", "JUDGING", "GONE"): _DROPPED,
    ("get_digits", "APOLOGISING", "GONE"): _DROPPED,
    ("get_digits", "PARTING", "GONE"): _DROPPED,
    ("receive_digits", "COMPILING", "GONE"): _DROPPED,
    ("send_digits", "SENDING", "GONE"): _DROPPED,
}
"""Arrows that no scenario can take, and why: faults of ours, or of a neighbour's that keeps to its contract."""


def arrows() -> Iterator[Arrow]:
    for name, table in TABLES.items():
        for state, rows in table.items():
            for given, row in rows.items():
                if isinstance(row, tuple):
                    yield name, state.name, given.name


def test_every_arrow_is_taken_by_a_scenario(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[Arrow] = set()
    call_step, action_step = CallMachine.step, ActionMachine.step

    def of_calls(self: Any, given: Any, item: Any, now: float) -> None:
        taken.add((NAMES[id(self.table)], self.state.name, given.name))
        call_step(self, given, item, now)

    def of_actions(self: Any, given: Any, item: Any) -> None:
        taken.add((NAMES.get(id(self.table()), "?"), self.state.name, given.name))
        action_step(self, given, item)

    class Watched(dict[Any, Any]):
        def __getitem__(self, state: Any) -> Any:
            rows = super().__getitem__(state)

            class Rows(dict[Any, Any]):
                def __getitem__(self, given: Any) -> Any:
                    taken.add(("invocation", state.name, given.name))
                    return super().__getitem__(given)

            return Rows(rows)

    monkeypatch.setattr(CallMachine, "step", of_calls)
    monkeypatch.setattr(ActionMachine, "step", of_actions)
    monkeypatch.setattr(invocations, "INVOCATION", Watched(invocation.INVOCATION))
    folder: Path = tmp_path_factory.mktemp("arrows")
    for _, scenario in ALL:
        Ladder(scenario, folder).run()
    untaken = [arrow for arrow in arrows() if arrow not in taken]
    missing = [" x ".join(arrow) for arrow in untaken if arrow not in UNREACHABLE]
    assert not missing, "no scenario takes:\n" + "\n".join(missing)
    assert not [arrow for arrow in UNREACHABLE if arrow in taken], "a scenario takes it after all: strike it off the list"
