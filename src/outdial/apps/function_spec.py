"""Functions as they are written down: `NAME=SPEC` (DESIGN 6), with errors that say how to mend them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from ..model.ids import FunctionName
from ..model.workers import FunctionSpec

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?")
_PYTHON_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_LATER = {
    "webhook": "a signed web address",
    "runtime": "a program that speaks the Lambda Runtime API",
    "aws": "the real Lambda",
}
_NODE_SUFFIXES = (".js", ".mjs", ".cjs")


class FunctionSpecError(ValueError):
    """A function is written down wrongly. The text names what is wrong; `hint` says how to mend it."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def parse_option(text: str) -> FunctionSpec:
    """`NAME=SPEC`, as `--function` takes it. Raises `FunctionSpecError`."""
    name, equals, spec = text.partition("=")
    if not equals:
        raise FunctionSpecError(f'"{text}" is not NAME=SPEC', f"for example --function reminders={text or 'python:app.py:handler'}")
    return parse_function(name, spec)


def parse_function(
    name: str,
    spec: str,
    *,
    interpreter: str | None = None,
    environment: dict[str, str] | None = None,
    memory_mb: int = 1024,
    max_workers: int = 64,
) -> FunctionSpec:
    """A function from its name and SPEC; paths are taken from the working directory. Raises `FunctionSpecError`."""
    if not _NAME.fullmatch(name):
        raise FunctionSpecError(
            f'"{name}" cannot be the name of a function',
            "1 to 64 letters, digits, - and _, as in the last part of a Lambda ARN; NAME:ALIAS for a version or alias of its own",
        )
    if memory_mb < 32:
        raise FunctionSpecError(f"memory_mb of {name} is {memory_mb}: no interpreter fits into that", "at least 32, usually 256 or more")
    if max_workers < 1:
        raise FunctionSpecError(f"max_workers of {name} is {max_workers}: nothing would answer", "at least 1, by default 64")
    kind, colon, rest = spec.partition(":")
    if kind in ("http", "https"):
        target, handler, kind = _address(name, spec), "", "http"
    elif kind in ("python", "node"):
        target, handler = (_python if kind == "python" else _node)(name, rest)
        target = str(Path(target).expanduser().absolute())
    elif kind in _LATER:
        raise FunctionSpecError(
            f"{kind}: ({_LATER[kind]}) is not supported yet, for function {name}", "with python:, node:, http:// or https://"
        )
    else:
        raise FunctionSpecError(f'function {name}: "{spec}" does not say what runs it', _nearest(spec if not colon else rest))
    return FunctionSpec(
        name=FunctionName(name),
        kind=kind,  # type: ignore[arg-type]
        target=target,
        handler=handler,
        interpreter=interpreter,
        environment=environment or {},
        memory_mb=memory_mb,
        max_workers=max_workers,
    )


def written(spec: FunctionSpec) -> str:
    """The SPEC of a function, as `function ls` shows it."""
    return spec.target if spec.kind == "http" else f"{spec.kind}:{spec.target}:{spec.handler}"


def _split(name: str, kind: str, rest: str, example: str) -> tuple[str, str]:
    target, colon, handler = rest.rpartition(":")
    if not colon or not target or not handler:
        where = rest.strip(":") or "nothing"
        raise FunctionSpecError(
            f"function {name}: {kind}:{rest} names {where}, but not both a file or folder and a function in it", example
        )
    return target, handler


def _python(name: str, rest: str) -> tuple[str, str]:
    file = rest.rstrip(":")
    if file.endswith(".py"):
        raise FunctionSpecError(f"function {name}: python:{rest} does not name the function", f"python:{file}:handler")
    if ":" not in rest and "." in rest and "/" not in rest:
        raise FunctionSpecError(f"function {name}: python:{rest} does not name a folder", f"python:.:{rest}")
    target, handler = _split(name, "python", rest, "python:PATH.py:NAME, or python:FOLDER:MODULE.NAME")
    if target.endswith(".py"):
        if not _PYTHON_NAME.fullmatch(handler):
            raise FunctionSpecError(f'function {name}: "{handler}" is not a name in Python', f"python:{target}:handler")
    elif "." not in handler:
        raise FunctionSpecError(
            f"function {name}: in the folder {target} a handler is MODULE.NAME, not {handler}", f"python:{target}:{handler}.handler"
        )
    return target, handler


def _node(name: str, rest: str) -> tuple[str, str]:
    file = rest.rstrip(":")
    if file.endswith(_NODE_SUFFIXES):
        raise FunctionSpecError(f"function {name}: node:{rest} does not name the function", f"node:{file}:handler")
    if ":" not in rest and "." in rest and "/" not in rest:
        raise FunctionSpecError(f"function {name}: node:{rest} does not name a folder", f"node:.:{rest}")
    target, handler = _split(name, "node", rest, "node:PATH.js:NAME, or node:FOLDER:MODULE.NAME")
    if target.endswith((".ts", ".mts", ".cts", ".tsx")):
        built = re.sub(r"\.[mc]?tsx?$", ".js", target)
        raise FunctionSpecError(f"function {name}: Node does not run {target}", f"compile it first, then node:{built}:{handler}")
    if not target.endswith(_NODE_SUFFIXES) and "." not in handler:
        raise FunctionSpecError(
            f"function {name}: in the folder {target} a handler is MODULE.NAME, not {handler}", f"node:{target}:{handler}.handler"
        )
    return target, handler


def _address(name: str, spec: str) -> str:
    try:
        parts = urlsplit(spec)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FunctionSpecError(f"function {name}: {spec} is not a web address ({error})", "http://HOST:PORT") from None
    if not host or port == 0 or any(c.isspace() for c in spec):
        raise FunctionSpecError(
            f"function {name}: {spec} is not a web address", "http://HOST:PORT, or the whole address of the invocations"
        )
    return spec


def _nearest(rest: str) -> str:
    file = rest.partition(":")[0]
    if file.endswith(".py"):
        return f"python:{rest if ':' in rest else rest + ':handler'}"
    if file.endswith(_NODE_SUFFIXES):
        return f"node:{rest if ':' in rest else rest + ':handler'}"
    return "python:PATH.py:NAME, python:FOLDER:MODULE.NAME, node:PATH.js:NAME, http://HOST:PORT"
