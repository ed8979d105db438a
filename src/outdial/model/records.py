"""What a `Save` carries; the store knows nothing else. Times are epoch milliseconds."""

from __future__ import annotations

from typing import Literal

from .events import Event
from .ids import ApplicationId, CallId, FunctionName, KeyId, LegId, RecordingId
from .participants import Participant
from .requests import RepeatKey
from .terminations import Termination
from .value import Value


class CallRow(Value, frozen=True, kw_only=True):
    """A new call."""

    call: CallId
    application: ApplicationId
    function: FunctionName
    account: str
    region: str
    key: KeyId
    direction: Literal["Outbound", "Inbound"] = "Outbound"
    from_: str
    to: str
    started_at: int


class CallEnded(Value, frozen=True, kw_only=True):
    """The call has its CDR: nothing comes after it."""

    call: CallId
    ended_at: int
    termination: Termination


class LegRow(Value, frozen=True, kw_only=True):
    """A new leg: the participant's facts."""

    call: CallId
    participant: Participant
    trunk: str = ""


class LegInvite(Value, frozen=True, kw_only=True):
    """The INVITE that is about to leave (again, after a challenge or to a next target): what a restart needs to CANCEL it."""

    leg: LegId
    invite: bytes
    transport: str
    source: str
    destination: str
    offer: bytes = b""
    """Our SDP."""


class LegDialog(Value, frozen=True, kw_only=True):
    """A 2xx was received: what a restart needs to end the dialog."""

    leg: LegId
    answered_at: int
    remote_tag: str
    remote_target: str
    routes: tuple[str, ...] = ()
    answer: bytes = b""
    """The peer's SDP."""


class LegEnded(Value, frozen=True, kw_only=True):
    leg: LegId
    ended_at: int
    termination: Termination


class EventRow(Value, frozen=True, kw_only=True):
    """Something happened that the handler is to be told: committed as it happens, before it is given."""

    call: CallId
    number: int
    """1, 2, 3 … in the call."""
    leg: LegId
    event: Event
    participants: tuple[Participant, ...]
    at: int
    actions_ignored: bool = False
    """The reply's actions will be ignored."""


class InvocationRow(Value, frozen=True, kw_only=True):
    """An event is given: its JSON is committed first, and the same bytes are given again."""

    call: CallId
    sequence: int
    number: int
    """The event's number in the call."""
    function: FunctionName
    request: bytes
    given_at: int


class InvocationDone(Value, frozen=True, kw_only=True):
    """How an invocation ended."""

    call: CallId
    sequence: int
    outcome: Literal["replied", "bad_reply", "failed", "timeout"]
    reply: bytes = b""
    """The reply's JSON as it came, at most 64 kB of it."""
    error: str = ""
    attempts: int = 1
    done_at: int = 0


class AttributesRow(Value, frozen=True, kw_only=True):
    """TransactionAttributes as they stand now (JSON); empty means none."""

    call: CallId
    attributes: bytes


class RecordingRow(Value, frozen=True, kw_only=True):
    """A recording: written when it starts, again when it is finished, again when it is delivered (the later one replaces)."""

    recording: RecordingId
    call: CallId
    leg: LegId
    path: str
    """Empty once its file is known to be lost."""
    bucket: str
    key: str
    started_at: int
    finished: bool = False
    samples: int = 0
    delivered: bool = False
    tries: int = 0
    error: str = ""


class Cdr(Value, frozen=True, kw_only=True):
    """One record of a finished call."""

    call: CallId
    application: ApplicationId
    account: str
    region: str
    from_: str
    to: str
    direction: Literal["Outbound", "Inbound"] = "Outbound"
    leg: LegId
    started_at: int
    answered_at: int | None = None
    ended_at: int
    billable_seconds: int = 0
    """From the 2xx to the end, rounded up; 0 where the leg was not answered."""
    termination: Termination
    invocations: int = 0
    packets_sent: int = 0
    packets_received: int = 0
    lost: int = 0
    jitter_ms: float = 0.0


class SipMessageRow(Value, frozen=True, kw_only=True):
    """A SIP message as it was sent or received (bounded, redacted by whoever writes it)."""

    call: CallId
    leg: LegId
    at: int
    way: Literal["sent", "received"]
    transport: str
    source: str
    destination: str
    message: bytes


class OutputRow(Value, frozen=True, kw_only=True):
    """A line that a handler printed."""

    call: CallId
    sequence: int
    stream: Literal["stdout", "stderr"]
    text: str
    at: int


class NoteRow(Value, frozen=True, kw_only=True):
    """A note beside the call's events."""

    call: CallId
    at: int
    level: str
    what: str


class RepeatRow(Value, frozen=True, kw_only=True):
    """The stored outcome of a create, in the same commit as what it made."""

    repeat: RepeatKey
    status: int
    body: bytes
    made_at: int


class SequenceBase(Value, frozen=True, kw_only=True):
    """The node's counter has been used up to here (so that command ids of a later run are above)."""

    last: int


Record = (
    CallRow | CallEnded | LegRow | LegInvite | LegDialog | LegEnded | EventRow | InvocationRow | InvocationDone | AttributesRow
    | RecordingRow | Cdr | SipMessageRow | OutputRow | NoteRow | RepeatRow | SequenceBase
)  # fmt: skip


class UnfinishedLeg(Value, frozen=True, kw_only=True):
    """A leg of a call that a restart found without CDR."""

    participant: Participant
    trunk: str = ""
    invite: LegInvite | None = None
    dialog: LegDialog | None = None
    ended: LegEnded | None = None


class Unfinished(Value, frozen=True, kw_only=True):
    """A call that had no CDR at the start: everything that recovery needs (DESIGN 3.5). Given to `calls/control` at the start."""

    call: CallRow
    legs: tuple[UnfinishedLeg, ...]
    events: tuple[EventRow, ...]
    """Those not dealt with: queued, or given and not answered."""
    in_flight: InvocationRow | None = None
    """The invocation that was given and not answered: the same bytes are given again."""
    last_number: int = 0
    last_sequence: int = 0
    attributes: bytes = b""
    recordings: tuple[RecordingRow, ...] = ()
    """Those not finished or not delivered."""
