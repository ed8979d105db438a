"""What a call's two sides have agreed on: our SDP, theirs, and what becomes of a new offer."""

from __future__ import annotations

from ..model import media
from ..model.ids import CommandId, LegId
from ..sdp import Negotiated, SdpError, judge_answer, make_answer, make_offer, same_media


class Terms:
    """One call's offer and answer. With an empty offer (a caller that sent none) the offer is ours, in the 200."""

    def __init__(self, offer: bytes, *, host: str, session_id: int) -> None:
        self._offer = offer
        self._host = host
        self._id = session_id
        self._version = 1
        self._port = 0
        self.sdp = b""
        """Our answer, or our offer; empty before there is a port."""
        self.agreed: Negotiated | None = None

    @property
    def open(self) -> bool:
        """There is a port, so that SDP can be written."""
        return self._port != 0

    def judge(self) -> None:
        """Raises `SdpError` where the caller's offer cannot be met."""
        if self._offer:
            make_answer(self._offer, self._host, 0, session_id=self._id, version=self._version)

    def opened(self, port: int) -> None:
        """The stream has this port."""
        self._port = port
        if self._offer:
            self.sdp, self.agreed = make_answer(self._offer, self._host, port, session_id=self._id, version=self._version)
        else:
            self.sdp = make_offer(self._host, port, session_id=self._id, version=self._version)

    def answered(self, answer: bytes) -> bool:
        """The answer to an offer of ours: whether it changes what was agreed. Raises `SdpError` where it agrees on nothing."""
        agreed = judge_answer(self.sdp, answer)
        changed = agreed != self.agreed
        self.agreed = agreed
        return changed

    def offered(self, offer: bytes) -> bool:
        """A new offer: whether it changes the media, which are then followed; `sdp` is the answer. Raises `SdpError` where it cannot be
        met, and nothing has changed."""
        if self.agreed is not None and same_media(self.agreed, offer):
            return False
        self.sdp, self.agreed = make_answer(offer, self._host, self._port, session_id=self._id, version=self._version + 1)
        self._version += 1
        return True

    def remote(self, id: CommandId, stream: LegId, sip_host: str) -> media.SetRemote:
        """What the engine is told once something is agreed. Raises `SdpError` before that."""
        agreed = self.agreed
        if agreed is None:
            raise SdpError("nothing is agreed on yet", "answer the offer first")
        return media.SetRemote(
            id=id,
            stream=stream,
            address=agreed.address,
            port=agreed.port,
            rtcp_port=agreed.rtcp_port,
            codec=agreed.codec,
            send_type=agreed.send_type,
            accept_types=agreed.accept_types,
            event_send_type=agreed.event_send_type,
            event_accept_types=agreed.event_accept_types,
            ptime_ms=agreed.ptime_ms,
            way=agreed.way,
            sip_host=sip_host,
        )
