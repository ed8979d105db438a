"""How a process ended, in words that name the cause where one is known."""

from __future__ import annotations

import pytest

from outdial.apps.exit_status import exit_text


@pytest.mark.parametrize(
    ("loading", "status", "detail", "text"),
    [
        (False, 0, "", "the handler's process exited of its own with status 0"),
        (True, 3, "", "the handler's process exited while it was being loaded with status 3"),
        (False, -11, "", "with SIGSEGV: a crash in native code, or a stack that overflowed"),
        (False, -9, "", "with SIGKILL: by the kernel for want of memory, or by somebody"),
        (True, -99, "", "while it was being loaded with signal 99"),
        (False, 1, "Error: late\n    at app.mjs:1", "ended with an error that nothing caught: Error: late"),
    ],
)
def test_how_it_ended(loading: bool, status: int, detail: str, text: str) -> None:
    assert text in exit_text(loading, status, detail)
