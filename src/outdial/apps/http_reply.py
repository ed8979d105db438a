"""What an HTTP function's answer means: a reply, or an error that is worth another attempt (reference/processes 2.3)."""

from __future__ import annotations

from ..model.workers import HttpReply
from .reply_json import is_function_error


def http_error(reply: HttpReply) -> str | None:
    """Why it is no reply, in words, or None."""
    if reply.error:
        return f"the function's address did not answer: {reply.error}"
    if reply.function_error:
        return f"the function answered with an error: {is_function_error(reply.text) or reply.text[:500]}"
    if not 200 <= reply.status < 300:
        return f"the function's address answered {reply.status}: {reply.text[:200]}"
    message = is_function_error(reply.text)
    return None if message is None else f"the function answered with an error: {message}"
