"""The carrier: one core that gives each call that comes to the subscriber whose number it is.

In: the endpoint's session events, the engine's events, results of prompts. Out: commands to the endpoint and to the engine, `Prompt`
requests, and the story (`Told`, `Heard`). It works with any caller; nothing here knows who that is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ..core import Deadline, Timers
from ..model import media, work
from ..model.ids import Ids, LegId
from ..sip import values as sip
from .conversation import Conversation, State
from .prompts import Prompts
from .subscribers import SUBSCRIBERS, Subscriber, find, sentences
from .values import CarrierSettings, Told


class Carrier:
    """Every call that is up, by session."""

    def __init__(
        self, ids: Ids, subscribers: Mapping[str, Subscriber] = SUBSCRIBERS, settings: CarrierSettings = CarrierSettings()
    ) -> None:
        self._ids = ids
        self._subscribers = subscribers
        self._settings = settings
        self._out: deque[Any] = deque()
        self._timers: Timers[tuple[LegId, str]] = Timers()
        self._prompts = Prompts(ids, self._out)
        self._calls: dict[LegId, Conversation] = {}
        self._engine_gone = False

    @property
    def calls(self) -> int:
        """How many calls are up, those that end just now included."""
        return len(self._calls)

    def receive(self, item: Any, now: float) -> None:
        match item:
            case sip.Incoming():
                self._incoming(item, now)
            case work.PromptReady() | work.WorkFailed():
                self._prompt(item, now)
            case media.Ready():
                self._engine_gone = False
            case media.EngineGone():
                self._engine_gone = True
                for call in list(self._calls.values()):
                    call.engine_gone(now)
                    self._drop(call)
            case media.Load():
                pass
            case _:
                session = getattr(item, "session", None)
                call_of = self._calls.get(LegId(session) if session is not None else getattr(item, "stream", LegId("")))
                if call_of is not None:
                    if session is not None:
                        call_of.sip_event(item, now)
                    else:
                        call_of.media_event(item, now)
                    self._drop(call_of)

    def handle_timer(self, now: float) -> None:
        for session, which in self._timers.due(now):
            call = self._calls.get(session)
            if call is not None:
                call.fire(which, now)

    def next_output(self) -> Any | None:
        return self._out.popleft() if self._out else None

    def next_deadline(self) -> Deadline | None:
        return self._timers.next_deadline()

    def _incoming(self, item: sip.Incoming, now: float) -> None:
        dialled = user_of(item.uri)
        subscriber = find(self._subscribers, dialled)
        if subscriber is None or self._engine_gone:
            status = 404 if subscriber is None else 503
            number = dialled if subscriber is None else subscriber.number
            reason = (("Reason", "Q.850;cause=1"),) if subscriber is None else ()
            self._out.append(sip.Reject(session=item.session, status=status, headers=reason))
            self._out.append(Told(session=LegId(item.session), number=number, at=now, what="refused", text=str(status)))
            return
        call = Conversation(
            item, subscriber, ids=self._ids, settings=self._settings, prompts=self._prompts, timers=self._timers, out=self._out
        )
        self._calls[call.session] = call
        for step in sentences(subscriber.steps):
            # Asked for while it rings: speech is then there when it is wanted.
            self._prompts.ask(work.SpeechSource(text=step.text, voice=step.voice or self._settings.voice), call.session)
        call.begin(now)

    def _prompt(self, item: work.PromptReady | work.WorkFailed, now: float) -> None:
        done = self._prompts.done(item)
        if done is not None:
            source, ready, waiting = done
            for session in sorted(waiting):
                call = self._calls.get(session)
                if call is not None:
                    call.prompt_ready(source, ready, now)

    def _drop(self, call: Conversation) -> None:
        if call.state is State.OVER:
            del self._calls[call.session]


def user_of(uri: str) -> str:
    """The user part of a SIP or tel URI, without parameters, as it was dialled."""
    _, _, rest = uri.partition(":")
    user, at, _ = rest.partition("@")
    if not at and not uri[:4].lower().startswith("tel:"):
        return ""
    return unquote(user.partition(";")[0].partition("?")[0].partition(":")[0])
