"""What the endpoint sends, dissected by tshark: SIP all of it, nothing malformed, nothing that its experts call an error."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from helpers.sip_script import ANSWER, Script, dial, invite, request
from outdial.sip.digest import Credentials
from outdial.sip.headers import tag_of
from outdial.sip.values import Accept, Acknowledge, Bye, Cancel, Go, Incoming, Reject, Ring, SendInfo, Transmit

pytestmark = [pytest.mark.peer, pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")]


def messages() -> list[Transmit]:
    """Every kind of message that we send."""
    us = Script(user_agent="outdial/1 (test)", credentials=(Credentials(username='al"ice', password="secret"),))
    us.give(dial(from_name='Joe "B" \u00e9', headers=(("X-Campaign", "a; b"), ("P-Asserted-Identity", "<sip:+12065550100@192.0.2.1>"))))
    us.give(Go(session="leg"))
    us.reply(us.last(), 407, tag="p", headers=(("Proxy-Authenticate", 'Digest realm="x", nonce="n", qop="auth", opaque="o"'),))
    us.give(Go(session="leg"))
    us.reply(us.last("INVITE"), 200, tag="bob", headers=(("Record-Route", "<sip:192.0.2.2;lr>"),))
    us.give(
        Acknowledge(session="leg", fork="bob"), SendInfo(session="leg", body=b"Signal=5\r\n"), Bye(session="leg", reason="Q.850;cause=16")
    )
    us.give(dial("two"), Go(session="two"))
    us.reply(us.last("INVITE"), 180, tag="bob")
    us.give(Cancel(session="two", reason='SIP;cause=200;text="Call completed elsewhere"'))
    us.hear(request("OPTIONS"))
    us.hear(request("REGISTER"))
    us.hear(invite(more="no colon here"))
    us.hear(invite(more="Require: 100rel", via="SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx"))
    us.hear(invite(via="SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKy;rport", call_id="y"))
    us.give(Ring(session=us.of(Incoming)[0].session), Reject(session=us.of(Incoming)[0].session, status=486))
    us.hear(invite(via="SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKz;rport", call_id="z", more="Record-Route: <sip:192.0.2.2;lr>"))
    session = us.of(Incoming)[1].session
    us.give(Ring(session=session, body=ANSWER), Accept(session=session, body=ANSWER))
    tag = tag_of(us.last_response().get("to"), "To")
    us.hear(request("ACK", call_id="z", to=f"<sip:us@192.0.2.1>;tag={tag}", via="SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKack"))
    us.hear(request("UPDATE", call_id="z", cseq=2, to=f"<sip:us@192.0.2.1>;tag={tag}", via="SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKupd"))
    us.give(Bye(session=session))
    return us.sent


def pcap(sent: list[Transmit]) -> bytes:
    """The datagrams as a capture of raw IPv4 (link type 101)."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for number, item in enumerate(sent):
        udp = struct.pack("!HHHH", item.source.port, item.destination.port, 8 + len(item.data), 0) + item.data
        addresses = bytes(int(part) for host in (item.source.host, item.destination.host) for part in host.split("."))
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp
        out += struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet
    return out


def test_tshark_finds_nothing_wrong(tmp_path: Path) -> None:
    sent = messages()
    kinds = {item.data.split(b" ", 2)[0 if not item.data.startswith(b"SIP") else 1] for item in sent}
    assert kinds >= {b"INVITE", b"ACK", b"BYE", b"CANCEL", b"INFO", b"100", b"180", b"183", b"200", b"400", b"405", b"420", b"486"}
    file = tmp_path / "sent.pcap"
    file.write_bytes(pcap(sent))

    def shown(display_filter: str) -> list[str]:
        done = subprocess.run(
            ["tshark", "-r", str(file), "-d", "udp.port==5060,sip", "-Y", display_filter],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.splitlines()

    assert len(shown("sip")) == len(sent)
    assert shown("_ws.malformed") == []
    assert shown("_ws.expert.severity >= 8388608 and sip") == []  # PI_ERROR
