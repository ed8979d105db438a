"""How a process ended, in words."""

from __future__ import annotations

import signal

_MEANING = {
    "SIGSEGV": ": a crash in native code, or a stack that overflowed",
    "SIGABRT": ": the interpreter gave up",
    "SIGKILL": ": by the kernel for want of memory, or by somebody",
}


def exit_text(loading: bool, status: int, detail: str = "") -> str:
    """A sentence about an exit; `status` is minus the signal where one ended the process, `detail` the error that it named itself."""
    if detail:
        return f"the handler's process ended with an error that nothing caught: {detail}"
    when = "while it was being loaded" if loading else "of its own"
    if status >= 0:
        return f"the handler's process exited {when} with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"the handler's process was ended {when if loading else 'by itself or from outside'} with {name}{_MEANING.get(name, '')}"
