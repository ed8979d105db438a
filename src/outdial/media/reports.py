"""One stream's RTCP: what it says about itself and its peer each five seconds or so (RFC 3550 §6)."""

from __future__ import annotations

from ..rtp import rtcp
from ..rtp.packet import RtpError
from ..rtp.sequence import Reception

INTERVAL_S = 5.0


class Reports:
    """Makes our compound packets and remembers what the peer's said."""

    def __init__(self, ssrc: int, cname: str) -> None:
        self._ssrc = ssrc
        self._cname = cname
        self._last_sr: dict[int, tuple[int, float]] = {}
        self._before: tuple[int, int] = (0, 0)
        self._sent_before = 0
        self.remote: tuple[rtcp.Report, ...] = ()
        """What the peer's last report says about what it hears of us."""

    def receive(self, data: bytes, now: float) -> bool:
        """Take a compound packet; False where it is none."""
        try:
            packets = rtcp.parse(data)
        except RtpError:
            return False
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                if packet.ssrc not in self._last_sr and len(self._last_sr) >= 4:
                    self._last_sr.clear()
                self._last_sr[packet.ssrc] = (packet.ntp >> 16 & 0xFFFFFFFF, now)
            if isinstance(packet, rtcp.SenderReport | rtcp.ReceiverReport):
                mine = tuple(report for report in packet.reports if report.ssrc == self._ssrc)
                self.remote = mine or self.remote
        return True

    def compound(
        self, *, now: float, epoch_ms: int, rtp_time: int, packets: int, octets: int, heard: tuple[int, Reception] | None, bye: bool = False
    ) -> bytes:
        """A report (a sender's where packets left since the last one), our name, and a goodbye where wanted."""
        blocks = () if heard is None else (self._block(*heard, now),)
        report: rtcp.Rtcp
        if packets > self._sent_before or (bye and packets):
            report = rtcp.SenderReport(
                ssrc=self._ssrc,
                ntp=rtcp.ntp_time(epoch_ms),
                rtp_time=rtp_time & 0xFFFFFFFF,
                packets=packets & 0xFFFFFFFF,
                octets=octets & 0xFFFFFFFF,
                reports=blocks,
            )
        else:
            report = rtcp.ReceiverReport(ssrc=self._ssrc, reports=blocks)
        self._sent_before = packets
        parts: tuple[rtcp.Rtcp, ...] = (report, rtcp.SourceDescription(ssrc=self._ssrc, cname=self._cname))
        return rtcp.build((*parts, rtcp.Goodbye(ssrcs=(self._ssrc,))) if bye else parts)

    def _block(self, ssrc: int, reception: Reception, now: float) -> rtcp.Report:
        expected = reception.expected - self._before[0]
        lost = reception.lost - self._before[1]
        self._before = (reception.expected, reception.lost)
        last, came = self._last_sr.get(ssrc, (0, now))
        return rtcp.Report(
            ssrc=ssrc,
            fraction_lost=min(255, max(0, lost) * 256 // expected) if expected > 0 else 0,
            lost=reception.lost,
            highest=reception.extended,
            jitter=int(reception.jitter),
            last_sr=last,
            since_last_sr=round((now - came) * 65536) if last else 0,
        )
