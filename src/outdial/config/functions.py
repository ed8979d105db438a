"""A function's SPEC, as DESIGN 6 writes it: what serves a handler."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import ConfigError
from ..model.ids import FunctionName
from ..model.workers import FunctionSpec

WANTED = "a function: python:PATH.py:NAME, python:FOLDER:MODULE.NAME, the same with node:, or an http:// or https:// address"
LATER = {"webhook": "Signed web hooks", "runtime": "Programs that speak the Lambda Runtime API", "aws": "Functions of AWS Lambda itself"}
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9$_-]{1,128})?")
"""As Lambda's own, with a qualifier where a function of that full name is meant."""


def function_spec(name: FunctionName, text: str, *, setting: str = "function") -> FunctionSpec:
    """Read a SPEC; its path is made absolute and not looked at. Raises `ConfigError` for what is none."""
    if NAME.fullmatch(name) is None:
        raise ConfigError(setting, name, "the name of a function: letters, digits, - and _, at most 64")
    kind, colon, rest = text.strip().partition(":")
    if kind in ("http", "https") and rest.startswith("//") and len(rest) > 2:
        return FunctionSpec(name=name, kind="http", target=text.strip())
    if kind in LATER:
        raise ConfigError(
            setting, text, "served yet", mend=f"{kind}: stands for {LATER[kind]}, which come later. Use python:, node: or http:."
        )
    if not colon or kind not in ("python", "node"):
        raise ConfigError(setting, text, WANTED)
    path, colon, handler = rest.rpartition(":")
    if not colon or not path or not handler:
        raise ConfigError(setting, text, WANTED)
    is_file = path.endswith((".py",) if kind == "python" else (".js", ".mjs", ".cjs"))
    if not is_file and "." not in handler:
        raise ConfigError(setting, text, f"complete: a folder needs MODULE.NAME, for example {kind}:{path}:index.handler")
    whole = str(Path(path).expanduser().absolute())
    return FunctionSpec(name=name, kind="python" if kind == "python" else "node", target=whole, handler=handler)
