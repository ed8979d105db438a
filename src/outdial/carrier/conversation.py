"""One call to a subscriber: a small table of states, and the script that runs through it.

Theory of operation. The script's steps run one after another (`performing`); what a step wants of the call (an answer, a refusal, a
hang-up) and what the far end and the engine do are inputs of one table. Where the script has anything to play a stream is asked for when
the call comes, and it rings meanwhile; a step whose SDP must name the port waits for it. Nothing of the script runs between the 200 and
its ACK.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Literal

from ..core import FAULT, IGNORE, Fault, Ignore, Symbol, Table, Timers
from ..model import media
from ..model.ids import CommandId, Ids, LegId
from ..model.work import PromptReady
from ..sdp import SdpError
from ..sip import values as sip
from . import performing
from .info import key_of
from .prompts import Prompts
from .steps import NEEDS_MEDIA, Again, Answer, HangUp, Redirect, Refuse, Step
from .subscribers import Subscriber
from .terms import Terms
from .values import CarrierSettings, Heard, Told


class State(Symbol):
    """Where a call stands."""

    BEFORE = auto()
    """The script runs, nothing has been answered."""
    OPENING = auto()
    """A step waits for the engine's stream."""
    ANSWERING = auto()
    """200 sent, no ACK yet."""
    TALKING = auto()
    ENDING = auto()
    """All has been said; `Over` is to come."""
    OVER = auto()


class Happening(Symbol):
    """What can happen to a call."""

    OPENED = auto()
    NOT_OPENED = auto()
    STREAM_WANTED = auto()
    """The next step needs a stream, and there is none yet."""
    STEP_ENDED = auto()
    ANSWER = auto()
    """The script wants to answer."""
    REFUSE = auto()
    """The script wants to refuse."""
    HANG_UP = auto()
    """The script, or the longest time, ends it."""
    ACKED = auto()
    OFFERED = auto()
    """A re-INVITE or UPDATE."""
    GONE = auto()
    """BYE or CANCEL came; it has been answered."""
    ENGINE_GONE = auto()
    OVER = auto()


class Conversation:
    """The call of one session. Commands go to `out`; timers are `(session, "step" or "limit")`."""

    def __init__(
        self,
        incoming: sip.Incoming,
        subscriber: Subscriber,
        *,
        ids: Ids,
        settings: CarrierSettings,
        prompts: Prompts,
        timers: Timers[tuple[LegId, str]],
        out: deque[Any],
    ) -> None:
        self.session = LegId(incoming.session)
        self.subscriber = subscriber
        self.settings = settings
        self.prompts = prompts
        self.state = State.BEFORE
        self.index = -1
        self.keys = ""
        """What the last `Read` took."""
        self.typed = ""
        """Keys heard and not yet read."""
        self.doing: Any = None
        """What the step that runs remembers (`performing`)."""
        self._incoming = incoming
        self._ids = ids
        self._timers = timers
        self._out = out
        self._stream_open = False
        self._opening: CommandId | None = None
        self._terms = Terms(incoming.body, host=settings.host, session_id=ids.bits(31))
        self._refusal: Refuse | Redirect = Refuse(status=480)
        self._cause: int | None = 16

    # --- what comes in ---

    def begin(self, now: float) -> None:
        """The call has come."""
        self.tell("called", now)
        self._timers.set((self.session, "limit"), now + self.settings.longest_s, "limit")
        if any(isinstance(step, NEEDS_MEDIA) for step in self.subscriber.steps):
            if not self._acceptable(now):
                return
            self._stream_open = True
            self._opening = self.command()
            self.submit(media.OpenStream(id=self._opening, stream=self.session, local_host=self.settings.host))
        self.next_step(None, now)

    def sip_event(self, item: Any, now: float) -> None:
        """A session event of the endpoint."""
        happening = _SIP.get(type(item))
        if happening is not None:
            self.happen(happening, item, now)
        elif isinstance(item, sip.InfoReceived):
            key = key_of(item)
            if key:
                self.submit(media.Press(id=self.command(), stream=self.session, digit=key))

    def media_event(self, item: Any, now: float) -> None:
        """An event of the session's stream."""
        if isinstance(item, media.Done | media.Failed) and item.id == self._opening:
            self.happen(Happening.OPENED if isinstance(item, media.Done) else Happening.NOT_OPENED, item, now)
            return
        if isinstance(item, media.Digit):
            self.typed += item.digit
            self.hear("key", now, text=item.digit)
        if self.state in (State.BEFORE, State.TALKING):
            performing.on_media(self, item, now)

    def prompt_ready(self, key: Any, ready: PromptReady | None, now: float) -> None:
        """A prompt that was waited for has been made, or cannot be (None)."""
        if self.state in (State.BEFORE, State.TALKING):
            performing.on_prompt(self, key, ready, now)

    def engine_gone(self, now: float) -> None:
        self.happen(Happening.ENGINE_GONE, None, now)

    def fire(self, which: str, now: float) -> None:
        """One of its timers."""
        if which == "limit":
            self.happen(Happening.HANG_UP, None, now)
        elif self.state in (State.BEFORE, State.TALKING):
            performing.on_timer(self, now)

    def happen(self, happening: Happening, item: Any, now: float) -> None:
        """Take one row of the table."""
        row = TABLE[self.state][happening]
        if isinstance(row, Ignore):
            return
        if isinstance(row, Fault):
            raise AssertionError(f"{happening.name} cannot come in {self.state.name}: {row.reason}")
        self.state = _STATES[row[0]]
        for act in row[1]:
            act(self, item, now)

    # --- for the steps ---

    def command(self) -> CommandId:
        return CommandId(self._ids.number())

    def submit(self, item: Any) -> None:
        """Put out a command, a request or a piece of the story."""
        self._out.append(item)

    def alarm(self, seconds: float, now: float) -> None:
        """Let the running step have its timer after so long."""
        self._timers.set((self.session, "step"), now + seconds, "step")

    def tell(self, what: Any, now: float, text: str = "") -> None:
        self._out.append(Told(session=self.session, number=self.subscriber.number, at=now, what=what, text=text))

    def hear(self, what: Literal["speech", "quiet", "key", "nothing"], now: float, *, text: str = "", seconds: float = 0.0) -> None:
        self._out.append(Heard(session=self.session, number=self.subscriber.number, at=now, what=what, text=text, seconds=seconds))

    def ended(self, now: float) -> None:
        """The running step has done its work."""
        self.happen(Happening.STEP_ENDED, None, now)

    def early(self, now: float) -> None:
        """183 with our answer; a caller that made no offer gets 180, for the offer is then ours to make in the 200."""
        if self._terms.agreed is None:
            self.submit(sip.Ring(session=self.session))
        else:
            self._set_remote()
            self.submit(sip.Ring(session=self.session, status=183, body=self._terms.sdp))

    # --- the table's acts ---

    def next_step(self, item: object, now: float) -> None:
        self._timers.cancel((self.session, "step"))
        self.doing = None
        self.index += 1
        steps = self.subscriber.steps
        step: Step = steps[self.index] if self.index < len(steps) else HangUp(cause=16)
        if isinstance(step, Again):
            self.index = next(i for i, known in enumerate(steps) if isinstance(known, Answer))
            self.next_step(None, now)
        elif isinstance(step, NEEDS_MEDIA) and not self._terms.open:
            self.happen(Happening.STREAM_WANTED, None, now)
        elif isinstance(step, Answer):
            self.happen(Happening.ANSWER, None, now)
        elif isinstance(step, Refuse | Redirect):
            self._refusal = step
            self.happen(Happening.REFUSE, None, now)
        elif isinstance(step, HangUp):
            self._cause = step.cause
            self.happen(Happening.HANG_UP, None, now)
        else:
            performing.begin(self, step, now)

    def opened(self, item: media.Done, now: float) -> None:
        self._terms.opened(item.rtp_port or 0)

    def resume(self, item: object, now: float) -> None:
        """The step that waited begins."""
        self.index -= 1
        self.next_step(item, now)

    def answer(self, item: object, now: float) -> None:
        if self._terms.agreed is not None:
            self._set_remote()
        self.submit(sip.Accept(session=self.session, body=self._terms.sdp))
        self.tell("answered", now)

    def acked(self, item: sip.AckBody, now: float) -> None:
        if self._terms.agreed is None:
            try:
                self._terms.answered(item.body)
            except SdpError:
                self.happen(Happening.HANG_UP, item, now)
                return
            self._set_remote()
        self.next_step(item, now)

    def offered(self, item: sip.Offered, now: float) -> None:
        """The same media get the same answer; other media are followed where we can, so that a hold works."""
        if not item.body:
            self.submit(sip.Accept(session=self.session, body=self._terms.sdp if item.method == "INVITE" else b""))
            return
        try:
            if self._terms.offered(item.body):
                self._set_remote()
        except SdpError:
            self.submit(sip.Reject(session=self.session, status=488))
            return
        self.submit(sip.Accept(session=self.session, body=self._terms.sdp))

    def offered_early(self, item: sip.Offered, now: float) -> None:
        if self._terms.open:
            self.offered(item, now)
        else:
            self.submit(sip.Reject(session=self.session, status=491))

    def reacked(self, item: sip.AckBody, now: float) -> None:
        """The ACK of a re-INVITE; with a body it is the answer to the offer in our 200."""
        if not item.body:
            return
        try:
            if self._terms.answered(item.body):
                self._set_remote()
        except SdpError:
            return  # what was agreed before goes on

    def refuse(self, item: object, now: float) -> None:
        self._reject()
        refusal = self._refusal
        self.tell("refused", now, text=str(refusal.status if isinstance(refusal, Refuse) else 302))

    def refuse_503(self, item: object, now: float) -> None:
        self._refusal = Refuse(status=503)
        self.refuse(item, now)

    def refuse_480(self, item: object, now: float) -> None:
        self._refusal = Refuse(status=480)
        self.refuse(item, now)

    def bye(self, item: object, now: float) -> None:
        self.submit(sip.Bye(session=self.session, reason="" if self._cause is None else f"Q.850;cause={self._cause}"))
        self.tell("hung_up", now)

    def gone(self, item: sip.ByeReceived, now: float) -> None:
        self.tell("gone", now, text="cancelled" if item.cancelled else "hung up")

    def lost(self, item: object, now: float) -> None:
        self.tell("gone", now, text="lost")

    def close(self, item: object, now: float) -> None:
        """Everything stops; the stream is given back."""
        self._timers.cancel((self.session, "step"))
        self._timers.cancel((self.session, "limit"))
        if self._stream_open:
            self._stream_open = False
            self.submit(media.CloseStream(id=self.command(), stream=self.session))

    def forget_stream(self, item: object, now: float) -> None:
        self._stream_open = False

    def _acceptable(self, now: float) -> bool:
        """Whether the caller's offer can be met; where it cannot, the call is refused before anything rings."""
        try:
            self._terms.judge()
        except SdpError as error:
            self._refusal = Refuse(status=488, phrase="Not Acceptable Here")
            self._reject(headers=(("Warning", f'304 carrier "{_quoted(str(error))}"'),))
            self.tell("refused", now, text=f"488: {error}")
            self.state = State.ENDING
            self.close(None, now)
            return False
        return True

    def _reject(self, headers: sip.Headers = ()) -> None:
        refusal = self._refusal
        if isinstance(refusal, Redirect):
            self.submit(sip.Reject(session=self.session, status=302, headers=(("Contact", f"<{refusal.to}>"),)))
            return
        if refusal.cause is not None:
            headers = (*headers, ("Reason", f"Q.850;cause={refusal.cause}"))
        self.submit(sip.Reject(session=self.session, status=refusal.status, reason=refusal.phrase, headers=headers))

    def _set_remote(self) -> None:
        self.submit(self._terms.remote(self.command(), self.session, self._incoming.source.host))


_SIP: dict[type, Happening] = {
    sip.AckBody: Happening.ACKED,
    sip.Offered: Happening.OFFERED,
    sip.ByeReceived: Happening.GONE,
    sip.Over: Happening.OVER,
}
_STATES: dict[Enum, State] = {state: state for state in State}
_Act = Callable[[Conversation, Any, float], None]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii", "replace").decode()[:200]


def _table() -> Table:
    c, h = Conversation, Happening
    no_dialog, ended = IGNORE("there is no dialog yet"), IGNORE("the call has ended")
    before: dict[Enum, Any] = {
        h.NOT_OPENED: (State.ENDING, (c.forget_stream, c.refuse_503, c.close)),
        h.ACKED: no_dialog,
        h.GONE: (State.ENDING, (c.gone, c.close)),
        h.ENGINE_GONE: (State.ENDING, (c.forget_stream, c.refuse_503, c.close)),
        h.OVER: (State.OVER, (c.lost, c.close)),
        h.HANG_UP: (State.ENDING, (c.refuse_480, c.close)),
    }
    during: dict[Enum, Any] = {
        h.OPENED: FAULT,
        h.NOT_OPENED: FAULT,
        h.STREAM_WANTED: FAULT,
        h.ANSWER: IGNORE("it is answered already"),
        h.REFUSE: (State.ENDING, (c.bye, c.close)),
        h.HANG_UP: (State.ENDING, (c.bye, c.close)),
        h.GONE: (State.ENDING, (c.gone, c.close)),
        h.ENGINE_GONE: (State.ENDING, (c.forget_stream, c.bye, c.close)),
        h.OVER: (State.OVER, (c.lost, c.close)),
    }
    return {
        State.BEFORE: before
        | {
            h.OPENED: (State.BEFORE, (c.opened,)),
            h.STREAM_WANTED: (State.OPENING, ()),
            h.STEP_ENDED: (State.BEFORE, (c.next_step,)),
            h.ANSWER: (State.ANSWERING, (c.answer,)),
            h.REFUSE: (State.ENDING, (c.refuse, c.close)),
            h.OFFERED: (State.BEFORE, (c.offered_early,)),
        },
        State.OPENING: before
        | {
            h.OPENED: (State.BEFORE, (c.opened, c.resume)),
            h.STREAM_WANTED: FAULT,
            h.STEP_ENDED: FAULT,
            h.ANSWER: FAULT,
            h.REFUSE: FAULT,
            h.OFFERED: (State.OPENING, (c.offered_early,)),
        },
        State.ANSWERING: during
        | {
            h.STEP_ENDED: FAULT,
            h.ACKED: (State.TALKING, (c.acked,)),
            h.OFFERED: (State.ANSWERING, (c.offered,)),
        },
        State.TALKING: during
        | {
            h.STEP_ENDED: (State.TALKING, (c.next_step,)),
            h.ACKED: (State.TALKING, (c.reacked,)),
            h.OFFERED: (State.TALKING, (c.offered,)),
        },
        State.ENDING: dict.fromkeys(Happening, ended) | {h.OVER: (State.OVER, ())},
        State.OVER: dict.fromkeys(Happening, ended),
    }


TABLE: Table = _table()
