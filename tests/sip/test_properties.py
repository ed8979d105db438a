"""Properties: values written are read back the same, and nothing that arrives ends anything but its own session."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.sip_script import ANSWER, TRUNK, US, Script, dial, invite, request
from outdial.sip.errors import RemoteProtocolError
from outdial.sip.grammar import parse_parameters, quote, unquote
from outdial.sip.headers import NameAddr, parse_name_addr
from outdial.sip.message import Request, Response, build_index
from outdial.sip.parse import essentials, parse
from outdial.sip.uri import Uri, parse_uri
from outdial.sip.values import (
    Accept,
    Accepted,
    Acknowledge,
    Bye,
    Cancel,
    Datagram,
    Go,
    Held,
    Incoming,
    Malformed,
    Over,
    Reject,
    Ring,
    Trace,
    Transmit,
)
from outdial.sip.via import Via, parse_via

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

TOKEN = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)
NAME = TOKEN.map(str.lower)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)
VALUE = TEXT.map(str.strip)
HOST = st.one_of(st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1"]), st.text("abc019-.", min_size=1, max_size=12))
PORT = st.one_of(st.none(), st.integers(1, 65535))
USER = st.one_of(st.none(), st.text("abc019-_.!~*'()&=+$,;?/:%", min_size=1, max_size=15))
URI = st.builds(
    Uri,
    scheme=st.sampled_from(["sip", "sips"]),
    user=USER,
    host=HOST,
    port=PORT,
    parameters=st.lists(st.tuples(NAME.filter(lambda n: "%" not in n), st.one_of(st.none(), TOKEN)), max_size=3).map(tuple),
    headers=st.sampled_from(["", "a=b&c=d"]),
)
PARAMETERS = st.lists(st.tuples(NAME, st.one_of(st.none(), TEXT)), max_size=4).map(tuple)


@CALM
@given(URI)
def test_uris_round_trip(uri: Uri) -> None:
    assert parse_uri(str(uri)) == uri


@CALM
@given(TEXT)
def test_quoted_strings_round_trip(text: str) -> None:
    assert unquote(quote(text)) == text


@CALM
@given(URI, VALUE, PARAMETERS)
def test_addresses_round_trip(uri: Uri, display: str, parameters: Any) -> None:
    value = NameAddr(uri=str(uri), display=display, parameters=parameters)
    assert parse_name_addr(str(value), "To") == value


@CALM
@given(HOST, PORT, st.lists(st.tuples(NAME.filter(lambda n: n != "rport"), st.one_of(st.none(), TEXT)), max_size=4).map(tuple))
def test_vias_round_trip(host: str, port: int | None, parameters: Any) -> None:
    via = Via(transport="UDP", host=host, port=port, parameters=parameters)
    assert parse_via(str(via)) == via


@CALM
@given(PARAMETERS)
def test_parameters_keep_order_and_repeats(parameters: Any) -> None:
    text = "".join(f";{name}" if value is None else f";{name}={quote(value)}" for name, value in parameters)
    assert parse_parameters(text) == parameters


HEADERS = st.lists(st.tuples(TOKEN.filter(lambda n: n.lower() not in ("l", "content-length")), VALUE), max_size=8).map(tuple)


@CALM
@given(TOKEN, URI, HEADERS, st.binary(max_size=100))
def test_requests_round_trip(method: str, uri: Uri, headers: Any, body: bytes) -> None:
    message = Request(method=method, uri=str(uri), headers=headers, body=body, index=build_index(headers))
    assert parse(message.encode()) == message


@CALM
@given(st.integers(100, 699), VALUE, HEADERS, st.binary(max_size=100))
def test_responses_round_trip(status: int, phrase: str, headers: Any, body: bytes) -> None:
    message = Response(status=status, phrase=phrase, headers=headers, body=body, index=build_index(headers))
    assert parse(message.encode()) == message


@CALM
@given(st.binary(max_size=300))
def test_reading_raises_its_own_error_or_nothing(data: bytes) -> None:
    for text in (data, b"INVITE sip:a SIP/2.0\r\n" + data, b"SIP/2.0 200 OK\r\n" + data + b"\r\n\r\n"):
        detail = ""
        try:
            essentials(parse(text))
        except RemoteProtocolError as error:
            detail = error.detail
        assert detail.isprintable()


PIECES = st.sampled_from(
    [
        b'"',
        b"<",
        b">",
        b";",
        b",",
        b"\r\n",
        b" ",
        b"\r\n ",
        b"\\",
        b"%",
        b":",
        b"@",
        b"\0",
        b"\xff",
        b"tag=",
        b"SIP/2.0",
        b"99999999999999999999",
    ]
)


@settings(CALM, max_examples=300)
@given(st.data())
def test_a_message_with_damage_never_raises(data: st.DataObject) -> None:
    """Whole messages of a call with pieces put in, taken out and doubled, in any order, into one endpoint with a call up."""
    script = Script()
    script.give(dial(), Go(session="leg"))
    texts = [invite(), request("CANCEL"), request("OPTIONS"), request("ACK"), request("BYE"), script.sent[0].data.decode()]
    answer = script.sent[0].data.decode().replace("INVITE sip:+12065550150@192.0.2.2 SIP/2.0", "SIP/2.0 200 OK")
    texts += [answer, answer.replace("200 OK", "180 Ringing"), answer.replace("200 OK", "407 X"), answer.replace("200 OK", "486 Busy")]
    for _ in range(data.draw(st.integers(1, 4))):
        message = data.draw(st.sampled_from(texts)).encode()
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(message)))
            cut = data.draw(st.integers(0, 20))
            message = message[:at] + data.draw(PIECES) + message[at + cut :]
        script.hear(message)
    assert script.kinds().count("Over") <= 2
    for item in script.sent:
        assert not parse(item.data).fault


COMMANDS = st.sampled_from(
    ["go", "ack", "cancel", "bye", "ring", "accept", "reject", "wait", "long", "deliver", "deliver", "deliver", "drop"]
)


@settings(CALM, max_examples=200)
@given(st.lists(COMMANDS, max_size=40), st.lists(COMMANDS, max_size=40))
def test_any_order_of_commands_and_messages_ends_each_session_once(ours: list[str], theirs: list[str]) -> None:
    """Both owners do anything at any moment, messages are delivered, dropped or late; then all is left alone until it is quiet."""
    us, them = Script(), Script(local=TRUNK)
    us.give(dial())
    flying: list[tuple[Script, Transmit]] = []

    def collect(script: Script, seen: list[int]) -> None:
        while seen[0] < len(script.sent):
            flying.append((them if script is us else us, script.sent[seen[0]]))
            seen[0] += 1

    seen_us, seen_them = [0], [0]

    def act(script: Script, what: str) -> None:
        incoming = script.of(Incoming)
        session = "leg" if script is us else incoming[0].session if incoming else "none"
        forks = script.of(Accepted)
        if what in ("wait", "long"):
            for each in (us, them):
                each.wait(0.4 if what == "wait" else 15)
        elif what in ("deliver", "drop"):
            if flying:
                target, item = flying.pop(0)
                if what == "deliver":
                    target.give(Datagram(data=item.data, source=item.source, local=item.destination))
        elif what == "ack":
            script.give(Acknowledge(session=session, fork=forks[0].fork if forks else "x"))
        else:
            script.give(
                {
                    "go": Go(session=session),
                    "cancel": Cancel(session=session),
                    "bye": Bye(session=session),
                    "ring": Ring(session=session),
                    "accept": Accept(session=session, body=ANSWER),
                    "reject": Reject(session=session, status=486),
                }[what]
            )
        collect(us, seen_us)
        collect(them, seen_them)

    for index in range(max(len(ours), len(theirs))):
        if index < len(ours):
            act(us, ours[index])
        if index < len(theirs):
            act(them, theirs[index])
    # The owners give up: each session is hung up, then everything is delivered until nothing is left.
    for _ in range(400):
        while flying:
            act(us, "deliver")
        act(us, "bye")
        for incoming in them.of(Incoming):  # an INVITE that is late by more than 64*T1 is a new one
            them.give(Bye(session=incoming.session))
        collect(them, seen_them)
        if not flying and us.endpoint.next_deadline() is None and them.endpoint.next_deadline() is None:
            break
        act(us, "wait")
    for script in (us, them):
        assert script.endpoint.sessions == script.endpoint.transactions == 0
        names = {event.session for event in script.events}
        for name in names:
            mine = [event for event in script.events if event.session == name]
            assert isinstance(mine[-1], Over)
            assert sum(isinstance(event, Over) for event in mine) == 1
        assert script.malformed == []
    assert isinstance(us.events[0], Held | Over)
    assert {type(item) for item in us.traces} <= {Trace}
    assert not any(isinstance(event, Malformed) for event in us.events)
    assert US != TRUNK
