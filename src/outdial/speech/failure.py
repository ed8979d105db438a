"""Why nothing is spoken."""

from __future__ import annotations


class SpeechFailed(Exception):
    """`reason` is `voice`, `ssml`, `too_long` or `engine` (as in `model.work.Prompt`), `detail` a sentence for the application's author."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
