"""The one error of this package: a session description that cannot be used, in a sentence that says what, where and how to mend."""

from __future__ import annotations

_SHOWN = 60


class SdpError(ValueError):
    """A description that is malformed, or that cannot be agreed on. `str()` is a whole sentence; `line` counts from 1, 0 for the whole."""

    def __init__(self, problem: str, mend: str, *, line: int = 0, text: str = "") -> None:
        self.problem = problem
        self.mend = mend
        self.line = line
        self.text = text
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        if not self.line:
            return f"SDP: {self.problem}; {self.mend}"
        shown = self.text if len(self.text) <= _SHOWN else self.text[: _SHOWN - 1] + "…"
        shown = shown.encode("utf-8", "backslashreplace").decode()
        return f'SDP line {self.line} "{shown}": {self.problem}; {self.mend}'
