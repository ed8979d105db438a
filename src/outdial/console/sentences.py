"""A plain sentence for every way in which a call can end: what happened and, where something can be done, what."""

from __future__ import annotations

from typing import Final

from ..model.records import Cdr
from ..model.terminations import Reason, Termination
from .text import clean, lasted

WHO: Final = {"us": "Outdial", "callee": "The callee", "caller": "The caller", "network": "The network", "handler": "The handler"}
SENTENCES: Final[dict[Reason, str]] = {
    "completed": "{who} hung up.",
    "busy": "The callee was busy.",
    "no_answer": "Nobody answered.",
    "rejected": "The call was rejected.",
    "unreachable": "The trunk could not be reached: `outdial doctor` says whether its address resolves and answers.",
    "no_media": "No audio could be agreed on, or none arrived: `outdial doctor` says which codecs and addresses are offered.",
    "handler_failed": "The handler failed: its output stands beside the events below.",
    "handler_timeout": "The handler did not answer in time: its output stands beside the events below.",
    "handler_invalid": "The handler's replies were not valid: the events below say where.",
    "media_lost": "The media engine ended in the middle of the call; it has been started again.",
    "node_restart": "The node ended in the middle of the call; the next start hung up.",
    "shutdown": "The node was shut down and the call did not end in the time that a drain gives.",
    "too_long": "The call reached the longest time that calls may last (setting max_call).",
}


def sentence(end: Termination) -> str:
    """What happened, in one or two sentences, with what the far end said."""
    plain, text = SENTENCES[end.reason].format(who=WHO[end.who]), clean(end.detail)
    if text and not text.endswith((".", "!", "?")):
        text += "."
    if text.partition(" ")[0].isalpha():  # a word, not a host or a path
        text = text[0].upper() + text[1:]
    if not text or (end.sip_status and str(end.sip_status) in text):  # a status alone means something to engineers only
        text = f"{plain} {text}".rstrip()
    if end.sip_status >= 300 and str(end.sip_status) not in text:
        text += f" The far end answered {end.sip_status} {clean(end.sip_phrase)}".rstrip() + "."
    if end.sip_reason and end.sip_reason not in text:
        text += f" Its reason: {clean(end.sip_reason)}."
    return text


def outcome(end: Termination, cdr: Cdr | None) -> str:
    """`completed`, or `failed (busy)`, and how long it took."""
    head = end.reason if end.result == "success" else f"failed ({end.reason})"
    if cdr is None:
        return head
    whole = lasted(cdr.ended_at - cdr.started_at)
    if cdr.answered_at is None:
        return f"{head} after {whole}, not answered"
    return f"{head} after {whole}, answered after {lasted(cdr.answered_at - cdr.started_at)}"
