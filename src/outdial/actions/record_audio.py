"""RecordAudio (reference 10.11).

Theory of operation. The engine records and says why it ended; then the file is delivered, and only then does the action report, so that
a handler can play the object back at once. The far end hanging up ends the recording and nothing else: it is delivered and reported all
the same (voicemail). A delivery that fails or takes longer than 10 s fails the action, but not the recording: **whenever the action has
ended and the last `RecordingRow` it put out is finished and not delivered, the delivery is taken over across calls**
(`calls/deliveries`). That is also how an interrupted recording gets to its bucket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import auto
from typing import Any, ClassVar, Final

import msgspec

from ..core import IGNORE, Symbol, Table
from ..model import media
from ..model.actions import Action
from ..model.ids import LegId, RecordingId, Token
from ..model.records import RecordingRow
from ..model.work import Deliver, Delivered, WorkFailed
from . import legs
from .machine import Machine, beginning
from .parameters import INVALID, MISSING, SYSTEM, Refused, digit_set, number, present, table, text
from .values import Context, FailedAs, Finished, Interrupt, Interrupted, LegGone, Running

BAD_DURATION: Final = "DurationInSeconds parameter value is invalid."
BAD_SILENCE: Final = "SilenceDurationInSeconds parameter value is invalid."
BAD_THRESHOLD: Final = "SilenceThreshold parameter value is invalid."
BAD_TERMINATORS: Final = "RecordingTerminators parameter value is invalid."
BAD_DESTINATION: Final = "RecordingDestination parameter value is invalid."
NOT_UPLOADED: Final = "Error occurred while uploading recording to S3 bucket."
LONGEST_PREFIX: Final = 979
_AVOIDED: Final = re.compile(r"[^\x20-\x7e]|[\\{}^%`\[\]\"<>~#|]")
"""What S3 says to avoid in keys."""
_END_WAIT_S: Final = 2.0
"""How long a leg that has gone may owe us its `RecordEnded`; the engine closes a stream within a tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What ends the recording, and where it goes."""

    limit_s: int
    silence_s: int | None
    threshold: int
    terminators: str
    bucket: str
    key: str


class State(Symbol):
    RECORDING = auto()
    STOPPING = auto()
    """Interrupted; the engine closes the file."""
    DELIVERING = auto()
    OVER = auto()


class Input(Symbol):
    STARTED = auto()
    ENDED = auto()
    REFUSED = auto()
    """The engine could not record."""
    LOST = auto()
    """The engine has gone, or its last word did not come."""
    DELIVERED = auto()
    DELIVERED_PART = auto()
    """Delivered as far as the disk went."""
    UNDELIVERED = auto()
    LATE = auto()
    INTERRUPT = auto()
    GONE = auto()


class RecordAudio(Machine):
    """Records, delivers, reports."""

    system_error: ClassVar[str] = "System error while running an action."

    def __init__(self, echo: Action, leg: LegId, context: Context, rules: Rules) -> None:
        super().__init__(echo, leg, context, State.RECORDING)
        self._rules = rules
        self._record = self.command_id()
        self._token: Token | None = None
        self._ended: media.RecordEnded | None = None
        path = f"{context.recordings}/{leg}-{context.recording_number}.wav"
        self._row = RecordingRow(
            recording=RecordingId(context.ids.uuid()),
            call=context.call,
            leg=leg,
            path=path,
            bucket=rules.bucket,
            key=rules.key,
            started_at=0,
        )
        self.put(
            media.Record(
                id=self._record,
                stream=leg,
                path=path,
                limit_ms=rules.limit_s * 1000,
                silence_ms=None if rules.silence_s is None else rules.silence_s * 1000,
                silence_threshold=rules.threshold,
                end_digits=rules.terminators,
            )
        )

    def table(self) -> Table:
        return RECORD_AUDIO

    def sort(self, item: Any) -> Input | None:
        match item:
            case media.Done(id=id) if id == self._record:
                return Input.STARTED
            case media.RecordEnded(id=id) if id == self._record:
                self._ended = item
                return Input.ENDED
            case media.Failed(id=id) if id == self._record:
                return Input.REFUSED
            case media.EngineGone():
                return Input.LOST
            case Delivered(token=token) if token == self._token:
                return Input.DELIVERED_PART if self._ended and self._ended.why == "disk_full" else Input.DELIVERED
            case WorkFailed(token=token) if token == self._token:
                return Input.UNDELIVERED
            case Interrupt():
                return Input.INTERRUPT
            case LegGone():
                return Input.GONE
        return None

    def timer(self, name: str) -> Input:
        return Input.LOST if name == "record_end" else Input.LATE

    def save(self, **changes: Any) -> None:
        """Put out the recording's row as it stands now."""
        self._row = msgspec.structs.replace(self._row, **changes)
        self.put(self._row)

    def started(self, _item: Any) -> None:
        """The file exists from now on."""
        self.save(started_at=self.context.wall(self.now))

    def expect_end(self, _item: Any) -> None:
        """The stream is being closed: the end event must come soon."""
        self.timers.set("record_end", self.now + _END_WAIT_S, "record_end")

    def stop(self, _item: Any) -> None:
        """Have the engine close the file."""
        self.put(media.Stop(id=self.command_id(), stream=self.stream, target=self._record))

    def ended(self, ended: media.RecordEnded) -> None:
        """The file is closed."""
        self.timers.cancel("record_end")
        self.save(finished=True, samples=ended.samples, path=ended.path)
        if ended.why == "disk_full":
            self.note("the disk is full: the recording was cut short")

    def deliver(self, _item: Any) -> None:
        """Have the file copied into its bucket."""
        self._token = self.token()
        row = self._row
        self.put(Deliver(token=self._token, recording=row.recording, path=row.path, bucket=row.bucket, key=row.key))
        self.timers.set("deliver", self.now + self.context.deliver_timeout_s, "deliver")

    def delivered(self, _item: Any) -> None:
        """The object is there."""
        self.save(delivered=True, tries=1)

    def finish(self, _item: Any) -> None:
        """Report where it is."""
        results: dict[str, Any] = {"RecordingDestination": {"Type": "S3", "BucketName": self._row.bucket, "Key": self._row.key}}
        if self._ended is not None and self._ended.why == "digit":
            results["RecordingTerminatorUsed"] = self._ended.digit
        self.put(Finished(results=results))

    def keep(self, failed: WorkFailed | None) -> None:
        """Report that it is not there; the row says that it is still to be delivered."""
        why = f"not delivered within {self.context.deliver_timeout_s:g} s" if failed is None else failed.detail or failed.reason
        self.save(tries=1, error=why)
        self.note(f"the recording is kept and will be delivered later: {why}")
        self.put(FailedAs(error_type=INVALID, message=NOT_UPLOADED))

    def broken(self, _item: Any) -> None:
        """Fail for what is not the application's fault."""
        self.put(FailedAs(error_type=SYSTEM, message=self.system_error))

    def interrupted(self, _item: Any) -> None:
        """Stopped for a call update."""
        self.put(Interrupted())


_ENDED = IGNORE("the file is closed already")
_NOT_SENT = IGNORE("nothing has been sent to the bucket yet")

RECORD_AUDIO: Table = {
    State.RECORDING: {
        Input.STARTED: (State.RECORDING, (RecordAudio.started,)),
        Input.ENDED: (State.DELIVERING, (RecordAudio.ended, RecordAudio.deliver)),
        Input.REFUSED: (State.OVER, (RecordAudio.break_down,)),
        Input.LOST: (State.OVER, (RecordAudio.broken,)),
        Input.DELIVERED: _NOT_SENT,
        Input.DELIVERED_PART: _NOT_SENT,
        Input.UNDELIVERED: _NOT_SENT,
        Input.LATE: _NOT_SENT,
        Input.INTERRUPT: (State.STOPPING, (RecordAudio.stop,)),
        Input.GONE: (State.RECORDING, (RecordAudio.expect_end,)),
    },
    State.STOPPING: {
        Input.STARTED: (State.STOPPING, (RecordAudio.started,)),
        Input.ENDED: (State.OVER, (RecordAudio.ended, RecordAudio.interrupted)),
        Input.REFUSED: (State.OVER, (RecordAudio.interrupted,)),
        Input.LOST: (State.OVER, (RecordAudio.interrupted,)),
        Input.DELIVERED: _NOT_SENT,
        Input.DELIVERED_PART: _NOT_SENT,
        Input.UNDELIVERED: _NOT_SENT,
        Input.LATE: _NOT_SENT,
        Input.INTERRUPT: IGNORE("it is being stopped"),
        Input.GONE: (State.STOPPING, (RecordAudio.expect_end,)),
    },
    State.DELIVERING: {
        Input.STARTED: _ENDED,
        Input.ENDED: _ENDED,
        Input.REFUSED: _ENDED,
        Input.LOST: IGNORE("the file is closed: the engine is not needed any more"),
        Input.DELIVERED: (State.OVER, (RecordAudio.delivered, RecordAudio.finish)),
        Input.DELIVERED_PART: (State.OVER, (RecordAudio.delivered, RecordAudio.broken)),
        Input.UNDELIVERED: (State.OVER, (RecordAudio.keep,)),
        Input.LATE: (State.OVER, (RecordAudio.keep,)),
        Input.INTERRUPT: (State.OVER, (RecordAudio.interrupted,)),
        Input.GONE: IGNORE("a recording is delivered and reported whether the leg is there or not"),
    },
    State.OVER: {item: IGNORE("the action has ended") for item in Input},
}


def _destination(raw: dict[str, Any], name: str) -> tuple[str, str]:
    """Bucket and prefix (empty, or ending in `/`). Raises `Refused`."""
    wanted = table(raw, "RecordingDestination") or {}
    kind, bucket = present(wanted, "Type"), present(wanted, "BucketName")
    prefix = text(wanted, "Prefix", BAD_DESTINATION) or ""
    if not isinstance(kind, str) or kind.strip().upper() != "S3" or not isinstance(bucket, str):
        raise Refused(INVALID, BAD_DESTINATION)
    if len(prefix.encode()) > LONGEST_PREFIX or _AVOIDED.search(prefix):
        raise Refused(INVALID, BAD_DESTINATION)
    if prefix and {"", ".", ".."}.intersection(prefix.removesuffix("/").split("/")):
        raise Refused(INVALID, BAD_DESTINATION)
    return bucket, f"{prefix.removesuffix('/')}/{name}" if prefix else name


@beginning
def begin(action: Action, context: Context) -> Running:
    """Record what a leg says, until a terminator, the limit or silence."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    limit = number(raw, "DurationInSeconds", BAD_DURATION, least=1)
    if limit is None and context.max_recording_s is None:
        raise Refused(INVALID, BAD_DURATION)
    limits = [value for value in (limit, context.max_recording_s) if value is not None]
    silence = number(raw, "SilenceDurationInSeconds", BAD_SILENCE, least=1, most=1000)
    threshold = number(raw, "SilenceThreshold", BAD_THRESHOLD, least=1, most=1000)
    terminators = digit_set(raw, "RecordingTerminators", BAD_TERMINATORS)
    if terminators is None:
        raise Refused(MISSING, "RecordingTerminators is a required parameter.")
    bucket, key = _destination(raw, f"{leg.leg}-{context.recording_number}.wav")
    rules = Rules(
        limit_s=min(limits),
        silence_s=silence,
        threshold=200 if threshold is None else threshold,
        terminators=terminators,
        bucket=bucket,
        key=key,
    )
    known = {
        "DurationInSeconds": limit,
        "SilenceDurationInSeconds": silence,
        "SilenceThreshold": threshold,
        "RecordingTerminators": list(terminators),
        "RecordingDestination": legs.as_given(raw["RecordingDestination"], "Type", "BucketName", "Prefix"),
    }
    return RecordAudio(legs.echo(action, leg, known), leg.leg, context, rules)
