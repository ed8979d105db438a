"""What is to be heard: reads audio sources and speech parameters, and says what a prompt's failure means (reference 10.1 to 10.5)."""

from __future__ import annotations

from typing import Any, Final, Literal, cast

from ..model.work import ObjectSource, SpeechSource, WorkFailed
from .parameters import BAD_AUDIO, INVALID, MISSING, SYSTEM, SYSTEM_ERROR, Refused, present, table, text, word
from .values import FailedAs

BAD_SOURCE: Final = "Audio Source parameter value is invalid."
NO_ACCESS: Final = "Cannot access S3 bucket or audio file."
MOST_TEXT: Final = 1000
ENGINES: Final = frozenset({"standard", "neural", "generative", "long-form"})
"""The documentation has two; applications also name Polly's later ones (real-handlers, section 1)."""


def audio(raw: dict[str, Any], name: str) -> ObjectSource:
    """`{"Type": "S3", "BucketName": …, "Key": …}`. Raises `Refused` (InvalidAudioSource)."""
    source = table(raw, name)
    if source is not None:
        kind, bucket, key = (present(source, part) for part in ("Type", "BucketName", "Key"))
        if isinstance(kind, str) and kind.strip().upper() == "S3" and isinstance(bucket, str) and isinstance(key, str):
            return ObjectSource(bucket=bucket, key=key)
    raise Refused(BAD_AUDIO, BAD_SOURCE)


def audio_echo(source: ObjectSource) -> dict[str, Any]:
    """An object as events echo it."""
    return {"Type": "S3", "BucketName": source.bucket, "Key": source.key}


def speech(raw: dict[str, Any] | None, base: SpeechSource | None = None) -> SpeechSource:
    """Text and how to speak it; what is absent comes from `base`, then from the defaults. Raises `Refused`."""
    if raw is None or present(raw, "Text") is None:
        raise Refused(MISSING, "Text is a required parameter.")
    spoken = text(raw, "Text", "The Text parameter is invalid.") or ""
    if len(spoken) > MOST_TEXT:
        raise Refused(MISSING, "Text is limited to 1,000 characters")
    usual = base or SpeechSource(text="")
    kind = word(raw, "TextType", "The TextType parameter is invalid.", frozenset({"text", "ssml"}))
    return SpeechSource(
        text=spoken,
        text_type=cast(Literal["text", "ssml"], kind or usual.text_type),
        engine=word(raw, "Engine", "The Engine parameter is invalid.", ENGINES) or usual.engine,
        voice=(text(raw, "VoiceId", "The VoiceId parameter is invalid.") or usual.voice).strip(),
        language=text(raw, "LanguageCode", "The LanguageCode parameter is invalid.") or usual.language,
    )


def failure(failed: WorkFailed, source: ObjectSource | SpeechSource, system_error: str = SYSTEM_ERROR) -> FailedAs:
    """What the handler is told about a prompt that could not be made."""
    if isinstance(source, ObjectSource):
        if failed.reason in {"format", "too_large", "too_long"}:
            return FailedAs(error_type=BAD_AUDIO, message=BAD_SOURCE)
        if failed.reason in {"not_found", "denied", "unreachable"}:
            return FailedAs(error_type=BAD_AUDIO, message=NO_ACCESS)
    elif failed.reason in {"voice", "ssml", "too_long"}:
        return FailedAs(error_type=INVALID, message=failed.detail)
    return FailedAs(error_type=SYSTEM, message=system_error)


def described(source: ObjectSource | SpeechSource) -> str:
    """A prompt in a note: never what is spoken."""
    return f"s3://{source.bucket}/{source.key}" if isinstance(source, ObjectSource) else f"speech by {source.voice}"
