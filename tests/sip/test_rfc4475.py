"""Every message of RFC 4475, handed to an endpoint: what the RFC asks of a user agent, and no message is dropped silently.

The status is the RFC's where it names one. REGISTER, MESSAGE and unknown methods are valid there and answered with 405 here, since a
user agent that is no registrar does not serve them (RFC 3261 §8.2.1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outdial.io.ids import SeededIds
from outdial.sip.endpoint import Endpoint
from outdial.sip.errors import RemoteProtocolError
from outdial.sip.message import Request, Response
from outdial.sip.parse import essentials, parse
from outdial.sip.values import Address, Datagram, Incoming, Malformed, Trace, Transmit

DATA = Path(__file__).parent.parent / "data" / "rfc4475"
US = Address(host="192.0.2.200", port=5060)
PEER = Address(host="192.0.2.201", port=5060)

ANSWERED: dict[str, tuple[str, int]] = {
    "wsinv": ("3.1.1.1 a short tortuous INVITE, with a To tag that we never gave (RFC 3261 §12.2.2)", 481),
    "intmeth": ("3.1.1.2 a wide range of valid characters, unknown method", 405),
    "escnull": ("3.1.1.4 escaped nulls in URIs", 405),
    "esc02": ("3.1.1.5 % where it is no escape, unknown method", 405),
    "lwsdisp": ("3.1.1.6 no blank between name and <", 200),
    "dblreq": ("3.1.1.8 trailing octets are ignored", 405),
    "semiuri": ("3.1.1.9 semicolons in the user part", 200),
    "transports": ("3.1.1.10 unknown transports in Via", 200),
    "mpart01": ("3.1.1.11 multipart MIME", 405),
    "badinv01": ("3.1.2.1 extra separators", 400),
    "clerr": ("3.1.2.2 Content-Length larger than the message", 400),
    "ncl": ("3.1.2.3 negative Content-Length", 400),
    "scalar02": ("3.1.2.4 overlarge numbers", 400),
    "quotbal": ("3.1.2.6 a quoted string that never closes", 400),
    "ltgtruri": ("3.1.2.7 <> around the Request-URI", 400),
    "lwsruri": ("3.1.2.8 blank within the Request-URI", 400),
    "lwsstart": ("3.1.2.9 several blanks in the request line", 400),
    "trws": ("3.1.2.10 blanks at the end of the request line", 400),
    "regbadct": ("3.1.2.13 an addr-spec with ? outside <>", 400),
    "badaspec": ("3.1.2.14 blanks within <>: either 400 or lenient", 200),
    "baddn": ("3.1.2.15 a name that is no token: either 400 or lenient (in the archive it also lacks the empty line)", 400),
    "badvers": ("3.1.2.16 unknown version", 505),
    "mismatch01": ("3.1.2.17 CSeq names another method", 400),
    "mismatch02": ("3.1.2.18 CSeq names another method than an unknown one", 400),
    "badbranch": ("3.2.1 a branch of nothing but the magic cookie", 200),
    "insuf": ("3.3.1 From, To and Call-ID are missing", 400),
    "unkscm": ("3.3.2 unknown scheme", 416),
    "novelsc": ("3.3.3 known but strange scheme", 416),
    "unksm2": ("3.3.4 unknown schemes in To, From, Contact", 405),
    "bext01": ("3.3.5 Require of what nobody knows", 420),
    "invut": ("3.3.6 unknown kind of body", 415),
    "regaut01": ("3.3.7 unknown authorization scheme", 405),
    "multi01": ("3.3.8 single headers that stand there twice", 400),
    "mcl01": ("3.3.9 several Content-Lengths", 400),
    "zeromf": ("3.3.11 Max-Forwards 0: the user agent itself may answer", 200),
    "cparam01": ("3.3.12 a parameter outside <>", 405),
    "cparam02": ("3.3.13 a parameter inside <>", 405),
    "regescrt": ("3.3.14 ? within <>", 405),
    "sdp01": ("3.3.15 no kind that we could answer with is accepted", 406),
}
RUNG = {
    "esc01": "3.1.1.3 %-escapes",
    "longreq": "3.1.1.7 long values",
    "escruri": "3.1.2.11 headers in the Request-URI: ignored",
    "baddate": "3.1.2.12 a Date not in GMT: a header that we do not read is no reason to refuse",
    "inv2543": "3.4.1 an INVITE of RFC 2543",
}
RESPONSES_READ = {"unreason": "3.1.1.12 unusual reason phrase", "noreason": "3.1.1.13 empty reason phrase"}
DROPPED = {
    "scalarlg": "3.1.2.5 a response with overlarge numbers",
    "bigcode": "3.1.2.19 a status that is no status",
    "bcast": "3.3.10 a response for somebody else",
    "test": "in the archive only: a request line without a version",
}


def outputs(endpoint: Endpoint, data: bytes) -> list[Any]:
    endpoint.receive(Datagram(data=data, source=PEER, local=US), 100.0)
    out = []
    while (output := endpoint.next_output()) is not None:
        out.append(output)
    return out


def endpoint() -> Endpoint:
    return Endpoint(SeededIds(4475), US)


def load(name: str) -> bytes:
    return (DATA / f"{name}.dat").read_bytes()


def test_every_message_has_its_row() -> None:
    assert {path.stem for path in DATA.glob("*.dat")} == set(ANSWERED) | set(RUNG) | set(RESPONSES_READ) | set(DROPPED)


@pytest.mark.parametrize("name", ANSWERED)
def test_a_request_is_answered(name: str) -> None:
    sent = [item for item in outputs(endpoint(), load(name)) if isinstance(item, Transmit)]
    assert len(sent) == 1
    response = parse(sent[0].data)
    assert isinstance(response, Response)
    assert not response.fault
    assert response.status == ANSWERED[name][1]
    if name == "bext01":
        assert response.get("unsupported") == "nothingSupportsThis, nothingSupportsThisEither"
    if response.status == 405:
        assert "INVITE" in response.get("allow")
    if response.status == 415:
        assert response.get("accept") == "application/sdp"


@pytest.mark.parametrize("name", RUNG)
def test_an_invite_is_taken(name: str) -> None:
    found = outputs(endpoint(), load(name))
    assert [type(item) for item in found if not isinstance(item, Trace)] == [Transmit, Incoming]
    assert b"m=" in found[-1].body


@pytest.mark.parametrize("name", RESPONSES_READ)
def test_a_response_is_read(name: str) -> None:
    message = parse(load(name))
    assert isinstance(message, Response)
    assert not message.fault
    assert [type(item) for item in outputs(endpoint(), load(name))] == [Trace]


@pytest.mark.parametrize("name", DROPPED)
def test_a_message_is_dropped_and_it_is_said_why(name: str) -> None:
    found = outputs(endpoint(), load(name))
    assert [type(item) for item in found] == [Malformed]
    assert found[0].detail


def test_the_short_tortuous_invite_is_read_as_the_rfc_says() -> None:
    message = parse(load("wsinv"))
    assert isinstance(message, Request)
    read = essentials(message)
    assert (read.from_tag, read.to_tag, read.call_id, read.cseq, read.method) == (
        "98asjd8",
        "1918181833n",
        "wsinv.ndaksdj@192.0.2.1",
        9,
        "INVITE",
    )
    assert (read.via.host, read.via.branch, read.vias) == ("192.0.2.2", "390skdjuw", 3)
    assert message.items("route") == ["<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"]
    assert [name for name, _ in message.headers if name.startswith(("New", "Unk"))] == ["NewFangledHeader", "UnknownHeaderWithUnusualValue"]
    assert message.get("unknownheaderwithunusualvalue") == ";;,,;;,;"
    assert message.get("newfangledheader") == "newfangled value continued newfangled value"


def test_quoted_pairs_and_strange_tokens_are_kept() -> None:
    incoming = next(i for i in outputs(endpoint(), load("esc01")) if isinstance(i, Incoming))
    assert incoming.uri == "sip:sips%3Auser%40example.com@example.net"
    assert incoming.from_uri == "sip:I%20have%20spaces@example.net"


@pytest.mark.parametrize("name", sorted(set(ANSWERED) | set(RUNG) | set(RESPONSES_READ) | set(DROPPED)))
def test_no_truncation_raises(name: str) -> None:
    """Each prefix goes through an endpoint; all lengths that raise are shown, not the first alone."""
    data, broken = load(name), []
    one = endpoint()
    for length in range(len(data)):
        try:
            outputs(one, data[:length])
        except Exception as error:
            broken.append((length, repr(error)))
    assert broken == []


@pytest.mark.parametrize("name", sorted(set(ANSWERED) | set(RUNG) | set(RESPONSES_READ)))
def test_reading_what_was_written_changes_nothing(name: str) -> None:
    """Text to value to text: the value of what we write is the value that was read."""
    try:
        message = parse(load(name))
    except RemoteProtocolError:
        pytest.skip("not a message")
    if message.fault:
        return
    again = parse(message.encode())
    assert again == message
