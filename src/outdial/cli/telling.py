"""A call's records as lines for a person: what was said, heard, pressed and recorded, with times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import TERMINATIONS
from ..model import events, records
from ..model.numbers import mask_all, masked
from ..model.terminations import Termination

WHO = {"us": "this side", "callee": "the called side", "caller": "the calling side", "network": "the network", "handler": "the handler"}
_DECODER: msgspec.json.Decoder[records.Record] = msgspec.json.Decoder(records.Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of the tale."""

    at: int
    """Epoch milliseconds."""
    who: str
    text: str


def decode(line: bytes) -> records.Record:
    """One line of a call's follow stream."""
    return _DECODER.decode(line)


class Teller:
    """Remembers of a call what later lines need."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        """The event of each invocation, by its sequence."""
        self._finished: set[str] = set()
        self.last = 0
        """When the last thing happened."""
        self.started = 0

    def tell(self, record: Any) -> list[Said]:
        """The lines that a record makes; records that a restart alone needs make none."""
        return [Said(at=at, who=who, text=text) for at, who, text in self._lines(record)]

    def _lines(self, record: Any) -> Iterable[tuple[int, str, str]]:
        match record:
            case records.CallRow():
                self.started = self.last = record.started_at
                yield record.started_at, "call", f"{masked(record.to)} is called from {masked(record.from_)}"
            case records.EventRow():
                self.last = max(self.last, record.at)
                for who, text in _event(record.event):
                    yield record.at, who, text
            case records.InvocationRow():
                self._asked[record.sequence] = _event_type(record.request)
                self.last = max(self.last, record.given_at)
            case records.InvocationDone():
                self.last = max(self.last, record.done_at)
                asked = self._asked.get(record.sequence, f"event {record.sequence}")
                if record.outcome == "replied":
                    yield from ((record.done_at, "handler", f"{asked}: {text}") for text in _actions(record.reply))
                else:
                    yield record.done_at, "handler", f"{asked}: {record.outcome.replace('_', ' ')}: {record.error}".rstrip(": ")
            case records.OutputRow():
                yield record.at, "handler", f"prints: {record.text.rstrip()}"
            case records.NoteRow():
                yield record.at, "note", record.what
            case records.RecordingRow() if record.finished and record.recording not in self._finished:
                self._finished.add(record.recording)
                yield self.last, "record", f"{record.samples / 8000:.1f} s in {record.path}"
            case records.CallEnded():
                yield record.ended_at, "call", ended(record.termination)


def ended(termination: Termination) -> str:
    """How a call ended, as a sentence."""
    meaning = TERMINATIONS[termination.reason].sentence
    status = f" ({termination.sip_status} {termination.sip_phrase})".replace(" )", ")") if termination.sip_status else ""
    detail = f" {mask_all(termination.detail)}" if termination.detail else ""
    return f"ended by {WHO[termination.who]}, {termination.reason}{status}. {meaning}{detail}"


def _event(event: events.Event) -> Iterable[tuple[str, str]]:
    match event:
        case events.Ringing():
            yield "call", "rings"
        case events.Answered():
            yield "call", "answered"
        case events.UpdateRequested():
            yield "call", "an update is requested"
        case events.ActionSucceeded():
            yield "action", _result(event.action.type, event.results)
        case events.ActionFailed():
            yield "action", f"{event.action.type} failed: {event.error_type}: {event.message}"
        case events.ActionInterrupted():
            yield "action", f"{event.action.type} was interrupted"
        case events.DigitsReceived():
            yield "action", f"ReceiveDigits heard {event.digits}"
        case events.InvalidReply():
            yield "handler", f"the reply is invalid: {event.message}"
        case events.HungUp():
            yield "call", f"hung up by {WHO[event.termination.who]}"
        case _:
            return


def _result(action: str, results: dict[str, Any]) -> str:
    digits = results.get("ReceivedDigits")
    place = results.get("RecordingDestination")
    if digits is not None:
        return f"{action} heard {digits}"
    if isinstance(place, dict):
        return f"{action} delivered to {place.get('BucketName')}/{place.get('Key')}"
    return f"{action} done"


def _event_type(request: bytes) -> str:
    try:
        return str(json.loads(request)["InvocationEventType"])
    except (ValueError, KeyError, TypeError):
        return "event"


def _actions(reply: bytes) -> Iterable[str]:
    try:
        actions = json.loads(reply).get("Actions") or ()
    except (ValueError, AttributeError):
        return
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict):
            parameters = action.get("Parameters")
            yield _action(str(action.get("Type")), parameters if isinstance(parameters, dict) else {})


def _action(kind: str, parameters: dict[str, Any]) -> str:
    speech = parameters.get("SpeechParameters")
    words = parameters.get("Text") or (speech.get("Text") if isinstance(speech, dict) else None)
    if words:
        return f"{kind} “{words}”"
    source = parameters.get("AudioSource")
    if isinstance(source, dict):
        return f"{kind} {source.get('BucketName')}/{source.get('Key')}"
    for name in ("Digits", "DurationInMilliseconds", "DurationInSeconds"):
        if name in parameters:
            return f"{kind} {parameters[name]}{' ms' if name.endswith('Milliseconds') else ' s' if name.endswith('Seconds') else ''}"
    return kind
