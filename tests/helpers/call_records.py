"""A made-up call, as the records that its life leaves: for tests of the store, the observers and the console."""

from __future__ import annotations

from outdial.model.actions import Action
from outdial.model.events import ActionSucceeded, Answered, HungUp, NewOutboundCall, Ringing
from outdial.model.ids import ApplicationId, CallId, FunctionName, KeyId, LegId, RecordingId
from outdial.model.participants import Participant
from outdial.model.records import (
    AttributesRow,
    CallEnded,
    CallRow,
    Cdr,
    EventRow,
    InvocationDone,
    InvocationRow,
    LegDialog,
    LegEnded,
    LegInvite,
    LegRow,
    NoteRow,
    OutputRow,
    Record,
    RecordingRow,
    RepeatRow,
    SequenceBase,
    SipMessageRow,
)
from outdial.model.requests import RepeatKey
from outdial.model.terminations import Termination

CALL = CallId("c7f20000-0000-4000-8000-000000000001")
LEG = LegId("1e900000-0000-4000-8000-000000000001")
APPLICATION = ApplicationId("a9900000-0000-4000-8000-000000000001")
START = 1_790_000_000_000
FROM, TO = "+12065550100", "+12065550150"
COMPLETED = Termination(who="callee", result="success", reason="completed", answered=True, detail="The callee hung up.")
FUNCTION = FunctionName("reminder")
REPEAT = RepeatKey(key=KeyId("outdial"), operation="CreateSipMediaApplicationCall", path="/calls", body_hash="b" * 64, invocation="i-1")
EVENT_NAMES = ("NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "ACTION_SUCCESSFUL", "HANGUP")
SPEAK = b'{"SchemaVersion":"1.0","Actions":[{"Type":"SpeakAndGetDigits","Parameters":{"SpeechParameters":{"Text":"Press 5"}}}]}'
US, THEM = "udp:192.0.2.1:5060", "udp:192.0.2.9:5060"


def participant(leg: LegId = LEG, status: str | None = None) -> Participant:
    return Participant(
        leg=leg, tag="LEG-A", to=TO, from_=FROM, direction="Outbound", started_at=START, status=status,  # type: ignore[arg-type]
        sip_headers={"X-Account": "7 ünïcode"},
    )  # fmt: skip


def call_row(call: CallId = CALL, at: int = START, to: str = TO) -> CallRow:
    return CallRow(
        call=call, application=APPLICATION, function=FUNCTION, account="000000000000", region="us-east-1", key=KeyId("outdial"),
        from_=FROM, to=to, started_at=at,
    )  # fmt: skip


def created(call: CallId = CALL, leg: LegId = LEG, at: int = START) -> tuple[Record, ...]:
    """What is committed before the INVITE leaves."""
    return (
        call_row(call, at),
        LegRow(call=call, participant=participant(leg), trunk="carrier"),
        LegInvite(leg=leg, invite=b"INVITE sip:x SIP/2.0\r\n\r\n", transport="udp", source=US, destination=THEM, offer=b"v=0\r\n"),
        RepeatRow(repeat=REPEAT, status=201, body=b'{"SipMediaApplicationCall":{"TransactionId":"x"}}', made_at=at),
    )


def event(number: int, what: object = Ringing(), call: CallId = CALL, leg: LegId = LEG, at: int = START) -> EventRow:
    return EventRow(call=call, number=number, leg=leg, event=what, participants=(participant(leg),), at=at)  # type: ignore[arg-type]


def given(sequence: int, number: int | None = None, call: CallId = CALL, at: int = START) -> InvocationRow:
    number = number or sequence
    request = b'{"SchemaVersion":"1.0","Sequence":%d,"InvocationEventType":"%s"}' % (sequence, EVENT_NAMES[number - 1].encode())
    return InvocationRow(call=call, sequence=sequence, number=number, function=FUNCTION, request=request, given_at=at)


def replied(sequence: int, reply: bytes = b'{"Actions":[]}', call: CallId = CALL, at: int = START + 20) -> InvocationDone:
    return InvocationDone(call=call, sequence=sequence, outcome="replied", reply=reply, done_at=at)


def recording(finished: bool = False, delivered: bool = False, call: CallId = CALL, leg: LegId = LEG) -> RecordingRow:
    return RecordingRow(
        recording=RecordingId("r1"), call=call, leg=leg, path="recordings/r1.wav", bucket="greetings",
        key="a/b.wav", started_at=START + 4000,
        finished=finished, samples=16000 if finished else 0, delivered=delivered,
    )  # fmt: skip


def cdr(call: CallId = CALL, leg: LegId = LEG, at: int = START, termination: Termination = COMPLETED) -> Cdr:
    return Cdr(
        call=call, application=APPLICATION, account="000000000000", region="us-east-1", from_=FROM, to=TO, leg=leg, started_at=at,
        answered_at=at + 2000, ended_at=at + 8500, billable_seconds=7, termination=termination, invocations=4, packets_sent=325,
        packets_received=320, lost=1, jitter_ms=1.25,
    )  # fmt: skip


def sip(way: str, text: str, at: int, call: CallId = CALL, leg: LegId = LEG) -> SipMessageRow:
    return SipMessageRow(
        call=call, leg=leg, at=at, way=way, transport="udp", source=US if way == "sent" else THEM,  # type: ignore[arg-type]
        destination=THEM if way == "sent" else US, message=text.replace("\n", "\r\n").encode(),
    )  # fmt: skip


def invite(to: str = TO) -> str:
    return f"INVITE sip:{to}@192.0.2.9 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK77ef\nCSeq: 1 INVITE\n\nv=0\n"


def response(status: int, phrase: str, cseq: str = "1 INVITE") -> str:
    return f"SIP/2.0 {status} {phrase}\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK77ef\nCSeq: {cseq}\n\n"


def request(method: str, cseq: int = 2) -> str:
    return f"{method} sip:us@192.0.2.1 SIP/2.0\nCSeq: {cseq} {method}\n\n"


def dialog(leg: LegId = LEG, at: int = START + 2000) -> LegDialog:
    return LegDialog(leg=leg, answered_at=at, remote_tag="rt", remote_target="sip:c@192.0.2.9", routes=("<sip:p;lr>",), answer=b"v=0")


def life() -> list[tuple[Record, ...]]:
    """A whole call as it is saved, unit by unit: dialled, answered, a prompt, a digit, recorded, hung up by the callee."""
    t = START
    speak = Action(type="SpeakAndGetDigits", parameters={"CallId": LEG, "InputDigitsRegex": "^[0-9]$", "ParticipantTag": "LEG-A"})
    record = Action(type="RecordAudio", parameters={"CallId": LEG, "DurationInSeconds": 10})
    return [
        created(),
        (sip("sent", invite(), t + 3),),
        (event(1, NewOutboundCall(arguments={"a": "1"}), at=t + 3), given(1, at=t + 4)),
        (sip("received", response(100, "Trying"), t + 5),),
        (sip("received", response(180, "Ringing"), t + 9), event(2, at=t + 9)),
        (replied(1, at=t + 31), AttributesRow(call=CALL, attributes=b'{"k":"v"}')),
        (given(2, at=t + 31),),
        (replied(2, at=t + 35),),
        (sip("received", response(200, "OK"), t + 2000),),
        (dialog(),),
        (sip("sent", request("ACK", 1), t + 2003), event(3, Answered(), at=t + 2000), given(3, at=t + 2001)),
        (OutputRow(call=CALL, sequence=3, stream="stdout", text="answered by +12065550150", at=t + 2010),),
        (replied(3, SPEAK, at=t + 2020),),
        (event(4, ActionSucceeded(action=speak, results={"ReceivedDigits": "5"}), at=t + 4000), given(4, at=t + 4000)),
        (replied(4, b'{"SchemaVersion":"1.0","Actions":[{"Type":"RecordAudio","Parameters":{}}]}', at=t + 4012),),
        (recording(),),
        (NoteRow(call=CALL, at=t + 5000, level="warning", what="nothing was heard for 1 s"),),
        (sip("received", request("BYE"), t + 8500), sip("sent", response(200, "OK", "2 BYE"), t + 8500)),
        (LegEnded(leg=LEG, ended_at=t + 8500, termination=COMPLETED), recording(finished=True)),
        (recording(finished=True, delivered=True), event(5, ActionSucceeded(action=record), at=t + 8600), given(5, at=t + 8600)),
        (event(6, HungUp(leg=LEG, termination=COMPLETED), at=t + 8500),),
        (replied(5, at=t + 8610), given(6, at=t + 8611)),
        (replied(6, at=t + 8620),),
        (cdr(), CallEnded(call=CALL, ended_at=t + 8630, termination=COMPLETED)),
        (SequenceBase(last=5000),),
    ]  # fmt: skip
