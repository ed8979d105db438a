"""Numbers, addresses and credentials: what may be shown."""

from __future__ import annotations

import pytest

from helpers.sip_values import trace
from outdial.observe.masking import mask, redacted

AUTHORIZED = """INVITE sip:+12065550150@198.51.100.9 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK77ef
Proxy-Authorization: Digest username="trunk-7", realm="example.com",
 nonce="84a4cc6f", response="7587245234b3434cc3412213e5f113a5"
AUTHORIZATION : Digest username="u", response="6629fae49393a05397450978507c4ef1"
Proxy-Authenticate: Digest realm="example.com", nonce="84a4cc6f"
Content-Type: application/sdp

v=0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from +12065550150 to 12065550151", "from +1206555**** to 1206555****"),
        ("udp:192.0.2.7:5060", "udp:192.0.2.*:5060"),
        ("[2001:db8::7]:5060", "[2001:db8:*]:5060"),
        ("at 2001:db8:1:2:3:4:5:6 now", "at 2001:db8:* now"),
        ("took 12:30:45 and 3.5 s", "took 12:30:45 and 3.5 s"),
        ("two\r\nlines\tand more", "two lines and more"),
    ],
)
def test_mask(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_credentials_are_taken_out_and_all_else_is_kept() -> None:
    message = redacted(trace(AUTHORIZED).data).decode()
    for secret in (
        "trunk-7",
        "7587245234b3434cc3412213e5f113a5",
        "6629fae49393a05397450978507c4ef1",
        "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    ):
        assert secret not in message
    assert message.splitlines() == [
        "INVITE sip:+12065550150@198.51.100.9 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK77ef",
        "Proxy-Authorization: Digest (redacted)",
        "AUTHORIZATION : Digest (redacted)",
        'Proxy-Authenticate: Digest realm="example.com", nonce="84a4cc6f"',
        "Content-Type: application/sdp",
        "",
        "v=0",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(redacted)|2^20",
    ]


def test_a_message_cut_anywhere_gives_no_secret_away() -> None:
    data = trace(AUTHORIZED).data
    for end in range(len(data)):
        assert b"7587245234" not in redacted(data[:end])
