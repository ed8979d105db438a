"""A handler's reply, from its JSON text to actions and attributes, or what is wrong with it (reference 6, 7, 8; DESIGN 3.3, bad replies).

Only the envelope is judged here; parameters are judged when an action's turn comes. Nothing raises, whatever the text is, and the work on a
text of the largest size stays bounded: keys that mean nothing are skipped without being built.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import msgspec

from ..model.actions import Action
from ..model.ids import CallId
from ..model.invocations import BadReply, Replied
from .event_json import SCHEMA_VERSION

MAX_REPLY_BYTES = 6 * 1024 * 1024
MAX_DEPTH = 100
MAX_ACTIONS = 10
MAX_ATTRIBUTES = 100
MAX_ATTRIBUTES_BYTES = 20 * 1024
MAX_READ_BYTES = 1024 * 1024
"""Of `Actions` and `TransactionAttributes` each: what is larger is refused unread. Ten actions of Speak's full length are 10 kB."""

ACTION_TYPES = frozenset(
    {
        "CallAndBridge", "Hangup", "JoinChimeMeeting", "ModifyChimeMeetingAttendees", "Pause", "PauseCallRecording", "PlayAudio",
        "PlayAudioAndGetDigits", "ReceiveDigits", "RecordAudio", "ResumeCallRecording", "SendDigits", "Speak", "SpeakAndGetDigits",
        "StartBotConversation", "StartCallRecording", "StopCallRecording", "VoiceFocus",
    }
)  # fmt: skip
"""Every `Type` that the service knows (reference 10), whether or not this node serves it yet."""

UNREADABLE = "Error while reading actions list."
WRONG_SCHEMA = "The schema version in the invocation request does not match the schema version in the response."
TOO_MANY_ACTIONS = "Too many actions specified in a response."
TOO_MANY_ATTRIBUTES = f"Transaction Attributes has too many mappings. Maximum number of mappings is {MAX_ATTRIBUTES}"
ATTRIBUTES_TOO_LARGE = "Transaction Attributes is too large. Maximum size is 20 KB"
BLANK = "Response is blank or empty"

INVALID_RESPONSE = "InvalidLambdaResponse"
"""Ours: no source names an ErrorType for what is wrong with a reply, but the next one (reference 19)."""
INVALID_MAP_SIZE = "TransactionAttributesInvalidMapSize"


class Blank(msgspec.Struct, frozen=True, kw_only=True):
    """The handler answered with nothing: a failure of the invocation, not a bad reply, and not retried."""

    detail: str = BLANK


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a reply."""

    error_type: str
    message: str
    """As AWS words it (reference 8)."""
    path: str
    wanted: str
    """What was expected and what was found, for whoever reads the record."""

    def __str__(self) -> str:
        return f"{self.path or 'reply'}: {self.wanted}"


class _Envelope(msgspec.Struct):
    SchemaVersion: msgspec.Raw = msgspec.Raw()
    Actions: msgspec.Raw = msgspec.Raw()
    TransactionAttributes: msgspec.Raw = msgspec.Raw()


class _Entry(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


_envelope = msgspec.json.Decoder(_Envelope)
_any = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|([\[{])|[\]}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SCAN_BYTES = 256 * 1024


def read_reply(text: str, call: CallId, sequence: int, *, ignored: bool = False) -> Replied | Blank | Fault:
    """Judge one reply. `ignored`: its actions will be ignored, so that nothing is judged and only usable attributes are kept."""
    if ignored:
        return Replied(call=call, sequence=sequence, attributes=_usable_attributes(text))
    if not text or text.isspace() or (len(text) < 64 and text.strip() in ("null", '""')):
        return Blank()
    try:
        envelope = _open(text)
        _schema(envelope)
        return Replied(
            call=call, sequence=sequence, actions=_actions(envelope.Actions), attributes=_attributes(envelope.TransactionAttributes)
        )
    except _Entry as refused:
        return refused.fault


def bad_reply(fault: Fault, call: CallId, sequence: int) -> BadReply:
    """The fault as call control is told of it."""
    return BadReply(call=call, sequence=sequence, error_type=fault.error_type, message=fault.message, path=fault.path)


def too_large(what: str) -> Fault:
    """A reply that was refused unread: `what` says in words why."""
    return Fault(error_type=INVALID_RESPONSE, message=UNREADABLE, path="", wanted=what)


def is_function_error(text: str) -> str | None:
    """The message of a runtime's error document (`errorMessage`, `errorType`), which emulators answer with 200 and without a header."""
    if len(text) > MAX_READ_BYTES or '"errorMessage"' not in text:
        return None
    try:
        document = _any.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not isinstance(document, dict) or "SchemaVersion" in document or "errorMessage" not in document:
        return None
    return f"{document.get('errorType') or 'Error'}: {document['errorMessage']}"


def _refuse(path: str, wanted: str, message: str = UNREADABLE, error_type: str = INVALID_RESPONSE) -> _Entry:
    return _Entry(Fault(error_type=error_type, message=message, path=path, wanted=wanted))


def _whole_characters(text: str) -> str:
    """The same JSON with what is half a character (a handler cut a text within an emoji: `"\\ud83d"`) replaced. Raises as `json` does."""
    return json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace").decode()


def _open(text: str) -> _Envelope:
    if len(text) > MAX_REPLY_BYTES:
        raise _refuse("", f"at most 6 MB, got {len(text)} characters")
    if len(text) <= _SCAN_BYTES and _deeper_than_allowed(text):
        raise _refuse("", f"at most {MAX_DEPTH} levels of nesting")
    try:
        return _envelope.decode(text)
    except msgspec.ValidationError:
        raise _refuse("", f"expected a JSON object, got {_kind_of_text(text)}") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        if len(text) <= MAX_READ_BYTES and _SURROGATE.search(text):
            with suppress(ValueError, RecursionError, msgspec.MsgspecError):
                return _envelope.decode(_whole_characters(text))
        raise _refuse("", f"not JSON: {error}") from None
    except RecursionError:
        raise _refuse("", f"at most {MAX_DEPTH} levels of nesting") from None


def _schema(envelope: _Envelope) -> None:
    found = bytes(envelope.SchemaVersion)
    if found == b'"1.0"':
        return
    value = _value(envelope.SchemaVersion, "SchemaVersion") if found else None
    if value == SCHEMA_VERSION:
        return
    got = _kind(value) if found else "none"
    raise _refuse("SchemaVersion", f'expected "{SCHEMA_VERSION}", got {got}', WRONG_SCHEMA)


def _actions(raw: msgspec.Raw) -> tuple[Action, ...]:
    value = _value(raw, "Actions")
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _refuse("Actions", f"expected a list, got {_kind(value)}")
    if len(value) > MAX_ACTIONS:
        raise _refuse("Actions", f"at most {MAX_ACTIONS} actions, got {len(value)}", TOO_MANY_ACTIONS)
    return tuple(_action(entry, f"Actions[{i}]") for i, entry in enumerate(value))


def _action(entry: Any, path: str) -> Action:
    if not isinstance(entry, dict):
        raise _refuse(path, f"expected an object with Type, got {_kind(entry)}")
    kind = entry.get("Type")
    if not isinstance(kind, str) or not kind:
        raise _refuse(f"{path}.Type", f"expected the name of an action, got {_kind(kind) if 'Type' in entry else 'none'}")
    if kind not in ACTION_TYPES:
        raise _refuse(f"{path}.Type", f"{_kind(kind)} is not an action{_nearest(kind)}", f"Unsupported action {kind[:100]} specified")
    parameters = entry.get("Parameters")
    if parameters is None:
        return Action(type=kind)
    if not isinstance(parameters, dict):
        raise _refuse(f"{path}.Parameters", f"expected an object, got {_kind(parameters)}")
    return Action(type=kind, parameters=parameters)


def _attributes(raw: msgspec.Raw) -> dict[str, Any] | None:
    path = "TransactionAttributes"
    if len(bytes(raw)) > MAX_READ_BYTES:
        raise _refuse(path, f"at most 20 KB, got {len(bytes(raw))} bytes", ATTRIBUTES_TOO_LARGE, INVALID_MAP_SIZE)
    value = _value(raw, path)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _refuse(path, f"expected an object, got {_kind(value)}")
    if len(value) > MAX_ATTRIBUTES:
        raise _refuse(path, f"at most {MAX_ATTRIBUTES} pairs, got {len(value)}", TOO_MANY_ATTRIBUTES, INVALID_MAP_SIZE)
    size = len(bytes(raw))
    if size > MAX_ATTRIBUTES_BYTES:
        size = len(_encode(value))  # spaces and escapes do not count
    if size > MAX_ATTRIBUTES_BYTES:
        raise _refuse(path, f"at most 20 KB, got {size} bytes", ATTRIBUTES_TOO_LARGE, INVALID_MAP_SIZE)
    return value


def _usable_attributes(text: str) -> dict[str, Any] | None:
    try:
        return _attributes(_open(text).TransactionAttributes)
    except _Entry:
        return None


def _value(raw: msgspec.Raw, path: str) -> Any:
    size = len(bytes(raw))
    if size == 0:
        return None
    if size > MAX_READ_BYTES:
        raise _refuse(path, f"at most {MAX_READ_BYTES} bytes are read, got {size}")
    try:
        value = _any.decode(raw)
    except RecursionError:
        raise _refuse(path, f"at most {MAX_DEPTH} levels of nesting") from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _refuse(path, f"not JSON: {error}") from None
    if size > _SCAN_BYTES and _depth_of_value_exceeds(value, MAX_DEPTH - 1):
        raise _refuse(path, f"at most {MAX_DEPTH} levels of nesting")
    return value


def _deeper_than_allowed(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[1]:
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0][0] != '"':
            depth -= 1
    return False


def _depth_of_value_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _kind(value: Any) -> str:
    """A value as a sentence names it: `the text "1.1"`, `a list`; never long."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{value[:40]}…"' if len(value) > 40 else f'the text "{value}"'
    if isinstance(value, int | float):
        return f"the number {value}"[:60]
    return "a list" if isinstance(value, list) else "an object"


def _kind_of_text(text: str) -> str:
    first = text.lstrip()[:1]
    if first == "[":
        return "a list"
    if first == '"':
        return "a text"
    return "true or false" if first in {"t", "f"} else "a number"


def _nearest(kind: str) -> str:
    for known in sorted(ACTION_TYPES):
        if known.lower() == kind.lower().removesuffix("action"):
            return f', did you mean "{known}"?'
    return ""
