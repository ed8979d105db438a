"""SIP's share of a call: CPU of one endpoint for INVITE, 100, 180, 200, ACK, BYE, 200, beside its floor, the bare work on bytes.

`python -m bench.sip_messages [calls]`. The peer's messages are prepared by a second endpoint outside the measured time.
The floor: what `bytes.split` and `bytes.join` take for the same messages, line by line.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from outdial.io.ids import LiveIds
from outdial.sip.endpoint import Endpoint
from outdial.sip.parse import parse
from outdial.sip.values import (
    Accept,
    Accepted,
    Acknowledge,
    Address,
    Bye,
    Datagram,
    Dial,
    Go,
    Held,
    Incoming,
    Resolve,
    Resolved,
    Ring,
    Transmit,
)

US = Address(host="192.0.2.1", port=5060)
TRUNK = Address(host="192.0.2.2", port=5060)
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 0 8 101\r\n"
    + b"a=rtpmap:0 PCMU/8000\r\n" * 5
)


class Meter:
    """An endpoint whose CPU time is counted."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.spent = 0.0
        self.seen: list[bytes] = []

    def give(self, item: Any, now: float) -> list[Any]:
        start = time.process_time()
        self.endpoint.receive(item, now)
        outputs = []
        while (output := self.endpoint.next_output()) is not None:
            outputs.append(output)
        self.endpoint.next_deadline()
        self.spent += time.process_time() - start
        return outputs

    def tick(self, now: float) -> None:
        start = time.process_time()
        self.endpoint.handle_timer(now)
        while self.endpoint.next_output() is not None:
            pass
        self.spent += time.process_time() - start


def call(us: Meter, them: Meter, number: int, now: float, sample: list[bytes]) -> None:
    """One call from `us`, answered and hung up."""
    session = f"leg-{number}"
    queue: list[tuple[Meter, Any]] = [
        (
            us,
            Dial(
                session=session,
                uri="sip:+12065550150@192.0.2.2",
                target="sip:192.0.2.2",
                from_uri="sip:+12065550100@192.0.2.1",
                to_uri="sip:+12065550150@192.0.2.2",
                headers=(("X-Campaign", "reminder"), ("P-Asserted-Identity", "<sip:+12065550100@192.0.2.1>")),
                body=SDP,
            ),
        )
    ]
    while queue:
        meter, item = queue.pop(0)
        for output in meter.give(item, now):
            if isinstance(output, Transmit):
                if number == 0:
                    sample.append(output.data)
                queue.append((them if meter is us else us, Datagram(data=output.data, source=output.source, local=output.destination)))
            elif isinstance(output, Resolve):
                queue.append((us, Resolved(token=output.token, targets=(TRUNK,))))
            elif isinstance(output, Held):
                queue.append((us, Go(session=session)))
            elif isinstance(output, Accepted):
                queue.append((us, Acknowledge(session=session, fork=output.fork)))
                queue.append((us, Bye(session=session)))
            elif isinstance(output, Incoming):
                queue.append((them, Ring(session=output.session)))
                queue.append((them, Accept(session=output.session, body=SDP)))


def floor(sample: list[bytes], rounds: int) -> float:
    """Seconds for one call's messages cut into lines and joined again."""
    start = time.process_time()
    for _ in range(rounds):
        for data in sample:
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return (time.process_time() - start) / rounds


def run(calls: int = 5000) -> dict[str, float]:
    """Milliseconds a call: caller's side, callee's side, floor; and microseconds to parse one INVITE."""
    us, them = Meter(Endpoint(LiveIds(), US, user_agent="outdial")), Meter(Endpoint(LiveIds(), TRUNK))
    sample: list[bytes] = []
    now = 1000.0
    for number in range(calls):
        now += 0.01
        call(us, them, number, now, sample)
        us.tick(now)
        them.tick(now)
    start = time.process_time()
    for _ in range(2000):
        parse(sample[0])
    parsed = (time.process_time() - start) / 2000
    return {
        "caller_ms": us.spent / calls * 1000,
        "callee_ms": them.spent / calls * 1000,
        "floor_ms": floor(sample, 2000) * 1000,
        "parse_invite_us": parsed * 1e6,
        "messages": float(len(sample)),
    }


def main() -> None:
    found = run(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    print(f"SIP, our side of a call we place   {found['caller_ms']:.3f} ms CPU ({found['caller_ms'] / found['floor_ms']:.1f} x floor)")
    print(f"SIP, our side of a call to us      {found['callee_ms']:.3f} ms CPU ({found['callee_ms'] / found['floor_ms']:.1f} x floor)")
    print(f"floor: split and join {found['messages']:.0f} messages   {found['floor_ms']:.4f} ms")
    print(f"parse one INVITE                   {found['parse_invite_us']:.1f} us")


if __name__ == "__main__":
    main()
