"""Every arrow of a creation: its states, what can happen meanwhile, and what is done then. `creation` is the creation itself."""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING, Any

from ..core import FAULT, IGNORE, Symbol, Table
from ..model.media import Done, Failed
from ..model.requests import Placed
from ..model.work import Withdraw
from ..sip.values import Held, Over

if TYPE_CHECKING:
    from .creation import Creation


class CreationState(Symbol):
    """How far it has come."""

    OPENING = auto()
    """A port is awaited."""
    DIALLING = auto()
    """The INVITE is being built: a name may have to be resolved."""
    SAVING = auto()
    WITHDRAWING = auto()
    """The time is up: the commit is being taken back, if it can be."""
    SETTLED = auto()


class CreationInput(Symbol):
    """What can happen meanwhile."""

    OPENED = auto()
    NO_PORT = auto()
    HELD = auto()
    OVER = auto()
    """The trunk's name does not resolve, or cannot be reached."""
    SAVED = auto()
    WITHDRAWN = auto()
    LATE = auto()
    STOP = auto()
    """The node's drain has run out."""
    ENGINE_GONE = auto()


def dial(creation: Creation, done: Done, now: float) -> None:
    assert done.rtp_port is not None
    creation.dial(done.rtp_port)


def save(creation: Creation, held: Held, now: float) -> None:
    creation.held = held
    creation.save(now)


def save_unreachable(creation: Creation, over: Over, now: float) -> None:
    creation.over = over
    creation.save(now)


def note_over(creation: Creation, over: Over, now: float) -> None:
    creation.over = over


def note_stream_lost(creation: Creation, _: Any, now: float) -> None:
    creation.stream_lost = True


def withdraw(creation: Creation, _: Any, now: float) -> None:
    creation.control.shared.put(Withdraw(token=creation.save_token))


def stop_saving(creation: Creation, _: Any, now: float) -> None:
    creation.stopped = True
    withdraw(creation, None, now)


def place(creation: Creation, _: Any, now: float) -> None:
    creation.leave_setup()
    creation.control.shared.put(Placed(token=creation.request.token, call=creation.call))
    creation.control.begin(creation, now)


def refuse_no_port(creation: Creation, failed: Failed, now: float) -> None:
    creation.refuse(
        "no_media", f"No port for audio is free ({failed.reason} {failed.detail}".rstrip() + "). Widen --rtp, or place fewer calls."
    )


def refuse_no_engine(creation: Creation, _: Any, now: float) -> None:
    creation.refuse("no_media", "The media engine died while the call was being set up; nothing was dialled. Try again in a moment.")


def refuse_late(creation: Creation, _: Any, now: float) -> None:
    within = creation.control.shared.settings.create_timeout_s
    creation.refuse("timeout", f"The call could not be set up within {within:g} s, and nothing was dialled. Try again.")


def refuse_withdrawn(creation: Creation, _: Any, now: float) -> None:
    within = creation.control.shared.settings.create_timeout_s
    if creation.stopped:
        refuse_stopped(creation, None, now)
    else:
        what = f"The database did not take the call within {within:g} s, and nothing was dialled."
        creation.refuse("store", f"{what} Look at the disk and at who locks the file; then try again.")


def refuse_stopped(creation: Creation, _: Any, now: float) -> None:
    creation.refuse("draining", "This node is shutting down, and nothing was dialled. Try another node, or this one after its restart.")


_S, _I = CreationState, CreationInput
_ANSWERED = IGNORE("the request has been answered")

CREATION: Table = {
    _S.OPENING: {
        _I.OPENED: (_S.DIALLING, (dial,)),
        _I.NO_PORT: (_S.SETTLED, (refuse_no_port,)),
        _I.HELD: FAULT,
        _I.OVER: FAULT,
        _I.SAVED: FAULT,
        _I.WITHDRAWN: FAULT,
        _I.LATE: (_S.SETTLED, (refuse_late,)),
        _I.STOP: (_S.SETTLED, (refuse_stopped,)),
        _I.ENGINE_GONE: (_S.SETTLED, (refuse_no_engine,)),
    },
    _S.DIALLING: {
        _I.OPENED: FAULT,
        _I.NO_PORT: FAULT,
        _I.HELD: (_S.SAVING, (save,)),
        _I.OVER: (_S.SAVING, (save_unreachable,)),
        _I.SAVED: FAULT,
        _I.WITHDRAWN: FAULT,
        _I.LATE: (_S.SETTLED, (refuse_late,)),
        _I.STOP: (_S.SETTLED, (refuse_stopped,)),
        _I.ENGINE_GONE: (_S.SETTLED, (refuse_no_engine,)),
    },
    _S.SAVING: {
        _I.OPENED: FAULT,
        _I.NO_PORT: FAULT,
        _I.HELD: FAULT,
        _I.OVER: (_S.SAVING, (note_over,)),
        _I.SAVED: (_S.SETTLED, (place,)),
        _I.WITHDRAWN: FAULT,
        _I.LATE: (_S.WITHDRAWING, (withdraw,)),
        _I.STOP: (_S.WITHDRAWING, (stop_saving,)),
        _I.ENGINE_GONE: (_S.SAVING, (note_stream_lost,)),
    },
    _S.WITHDRAWING: {
        _I.OPENED: FAULT,
        _I.NO_PORT: FAULT,
        _I.HELD: FAULT,
        _I.OVER: (_S.WITHDRAWING, (note_over,)),
        _I.SAVED: (_S.SETTLED, (place,)),
        _I.WITHDRAWN: (_S.SETTLED, (refuse_withdrawn,)),
        _I.LATE: IGNORE("it is being withdrawn"),
        _I.STOP: IGNORE("it is being withdrawn"),
        _I.ENGINE_GONE: (_S.WITHDRAWING, (note_stream_lost,)),
    },
    _S.SETTLED: dict.fromkeys(CreationInput, _ANSWERED),
}
"""Every arrow of a creation."""
