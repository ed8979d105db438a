"""Whatever happens to a call, in whatever order: it is answered or refused once, its stream is given back, nothing is left of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.carrier_line import OFFER, Line
from outdial.carrier import SUBSCRIBERS
from outdial.model import media
from outdial.model.ids import LegId
from outdial.sip import values as sip

S = "session-1"
THINGS: dict[str, Any] = {
    "ack": sip.AckBody(session=S, body=b""),
    "ack with sdp": sip.AckBody(session=S, body=OFFER),
    "bye": sip.ByeReceived(session=S),
    "cancel": sip.ByeReceived(session=S, cancelled=True),
    "reinvite": sip.Offered(session=S, method="INVITE", body=OFFER),
    "hold": sip.Offered(session=S, method="INVITE", body=OFFER.replace(b"sendrecv", b"inactive")),
    "offer wanted": sip.Offered(session=S, method="INVITE", body=b""),
    "broken offer": sip.Offered(session=S, method="UPDATE", body=b"\xff"),
    "info": sip.InfoReceived(session=S, content_type="application/dtmf-relay", body=b"Signal=1"),
    "speech": media.Speech(stream=LegId(S)),
    "silence": media.Silence(stream=LegId(S), ms=1200),
    "key": media.Digit(stream=LegId(S), digit="4", duration_ms=0, how="event"),
    "end key": media.Digit(stream=LegId(S), digit="#", duration_ms=0, how="tone"),
    "no media": media.NoMedia(stream=LegId(S), ms=30000),
    "engine gone": media.EngineGone(),
    "engine ready": media.Ready(version="1"),
    "over": sip.Over(session=S, who="network", status=408),
}
STEPS = st.one_of(st.sampled_from(sorted(THINGS)), st.floats(0.0, 30.0))


@settings(max_examples=300, deadline=None)
@given(
    number=st.sampled_from(sorted(SUBSCRIBERS)),
    body=st.sampled_from([OFFER, b"", b"nonsense"]),
    voice=st.booleans(),
    steps=st.lists(STEPS, max_size=25),
)
def test_any_order_of_things(number: str, body: bytes, voice: bool, steps: list[str | float]) -> None:
    line = Line(voice=voice)
    line.call(number, body=body)
    offered = 0
    for step in steps:
        if isinstance(step, float):
            line.go(step)
        else:
            thing = THINGS[step]
            offered += isinstance(thing, sip.Offered)
            line.give(thing)
    line.give(sip.ByeReceived(session=S))
    line.give(sip.Over(session=S, who="peer", status=0))
    assert line.carrier.calls == 0
    assert line.carrier.next_deadline() is None
    answers = len(line.all(sip.Accept)) + len(line.all(sip.Reject))
    assert answers <= 1 + offered
    assert len(line.all(sip.Bye)) <= 1
    opened, closed = len(line.all(media.OpenStream)), len(line.all(media.CloseStream))
    assert opened <= 1
    assert closed == opened or (closed < opened and "engine gone" in steps)


@pytest.mark.parametrize("name", sorted(THINGS))
def test_each_thing_before_anything_else(name: str) -> None:
    line = Line()
    line.call("+12065550150")
    line.give(THINGS[name])
    line.give(sip.Over(session=S, who="peer", status=0))
    assert line.carrier.calls == 0
