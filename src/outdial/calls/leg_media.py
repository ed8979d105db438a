"""The media of a leg: our offer, the answers (of a 18x and of the 2xx), re-INVITEs that change nothing, digits by INFO.

The engine learns the peer's address anew with each answer (another To tag, the 2xx after a 18x) and never otherwise (DESIGN 4): a repeated
18x of the same To tag tells it nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..model.ids import CallId, CommandId, LegId
from ..model.media import Press, SetRemote
from ..sdp.errors import SdpError
from ..sdp.negotiated import Negotiated
from ..sdp.offer_answer import judge_answer, make_answer, make_offer, same_media
from ..sip.values import Accept, Reject

if TYPE_CHECKING:
    from .shared import Shared

_SIGNAL = re.compile(rb"^\s*Signal\s*=\s*([0-9*#A-Da-d]|1[0-5])\s*$", re.MULTILINE)
_DURATION = re.compile(rb"^\s*Duration\s*=\s*(\d{1,5})\s*$", re.MULTILINE)
_PLAIN = re.compile(rb"^\s*([0-9*#A-Da-d]|1[0-5])\s*$")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}")
_BY_NUMBER = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
"""Event numbers of RFC 4733 §3.2, which some gateways write into INFO in place of the key."""


class LegMedia:
    """Offer/answer state of one leg (RFC 3264), and its words to the engine."""

    def __init__(self, shared: Shared, call: CallId, leg: LegId, port: int) -> None:
        self._shared = shared
        self._call = call
        self._leg = leg
        self._port = port
        self._session_id = shared.ids.bits(62)
        self.offer = make_offer(shared.settings.local_host, port, session_id=self._session_id, version=1)
        """Our SDP."""
        self.remotes: set[CommandId] = set()
        """`SetRemote`s that the engine has not answered yet."""
        self._current: Negotiated | None = None
        self._early_tag: str | None = None

    def on_early_answer(self, tag: str, body: bytes, sip_host: str) -> None:
        """A 18x with SDP: early media. One that cannot be used costs nothing but the early media."""
        if not body or tag == self._early_tag:
            return
        try:
            negotiated = judge_answer(self.offer, body)
        except SdpError as error:
            self._shared.note(self._call, "warning", f"early media cannot be used: {plain(error)}")
            return
        self._early_tag = tag
        self._apply(negotiated, sip_host)

    def on_answer(self, tag: str, body: bytes, sip_host: str) -> str | None:
        """The 2xx's answer; a sentence that says why it cannot be used, or None. One without a body stands by its 18x's answer."""
        if not body:
            if tag == self._early_tag and self._current is not None:
                return None
            return "it has none, though the INVITE carried an offer"
        try:
            negotiated = judge_answer(self.offer, body)
        except SdpError as error:
            return plain(error)
        self._apply(negotiated, sip_host)
        return None

    def on_offer(self, method: str, body: bytes) -> None:
        """A re-INVITE or UPDATE: unchanged media are agreed to, changed ones refused, and the call goes on (DESIGN 4)."""
        if not body:
            self._shared.put(Accept(session=self._leg, body=self.offer if method == "INVITE" else b""))
            return
        why = "it changes the media, which is not supported yet"
        if self._current is not None and same_media(self._current, body):
            try:
                host = self._shared.settings.local_host
                answer, _ = make_answer(body, host, self._port, session_id=self._session_id, version=1)
            except SdpError as error:
                why = plain(error)
            else:
                self._shared.put(Accept(session=self._leg, body=answer))
                return
        self._shared.put(Reject(session=self._leg, status=488))
        self._shared.note(self._call, "info", f"a {method} within the call was answered 488: {why}")

    def on_ack_answer(self, body: bytes) -> None:
        """The answer to the offer that our 200 to an empty re-INVITE carried. Nothing can be refused any more: say so and go on."""
        if body and self._current is not None and not same_media(self._current, body):
            self._shared.note(self._call, "warning", "the answer in an ACK changes the media; they stay as they are")

    def on_info(self, content_type: str, body: bytes) -> None:
        """A digit by SIP INFO: `application/dtmf-relay` or `application/dtmf`."""
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/dtmf-relay":
            found = _SIGNAL.search(body)
        elif kind == "application/dtmf":
            found = _PLAIN.match(body)
        else:
            return
        if found is None:
            self._shared.note(self._call, "warning", f"an INFO of type {kind} names no digit")
            return
        digit = found[1].decode().upper()
        lasted = _DURATION.search(body)
        self._shared.order(Press, self._leg, digit=_BY_NUMBER.get(digit, digit), duration_ms=int(lasted[1]) if lasted else 160)

    def _apply(self, negotiated: Negotiated, sip_host: str) -> None:
        self._current = negotiated
        trunk = self._shared.settings.trunk
        self.remotes.add(
            self._shared.order(
                SetRemote,
                self._leg,
                address=negotiated.address,
                port=negotiated.port,
                rtcp_port=negotiated.rtcp_port,
                codec=negotiated.codec,
                send_type=negotiated.send_type,
                accept_types=negotiated.accept_types,
                event_send_type=negotiated.event_send_type,
                event_accept_types=negotiated.event_accept_types,
                ptime_ms=negotiated.ptime_ms,
                way=negotiated.way,
                symmetric=trunk.symmetric,
                nat=trunk.nat,
                sip_host=sip_host,
            )
        )


def plain(error: SdpError) -> str:
    """What is wrong with a description, for a note: the line is not quoted, and what looks like an address is cut short."""
    text = f"SDP line {error.line}: {error.problem}; {error.mend}" if error.line else str(error)
    return _ADDRESS.sub(lambda found: found[0][: found[0].rindex("." if "." in found[0] else ":") + 1] + "*", text)
