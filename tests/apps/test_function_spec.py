"""Functions as they are written down, and what is said of those written wrongly (DESIGN 6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdial.apps.function_spec import FunctionSpecError, parse_function, parse_option, written


@pytest.mark.parametrize(
    ("text", "kind", "target", "handler"),
    [
        ("a=python:/srv/app.py:handler", "python", "/srv/app.py", "handler"),
        ("a=python:/srv/app.py:Handlers.on_event", "python", "/srv/app.py", "Handlers.on_event"),
        ("a=python:/srv/folder:app.handler", "python", "/srv/folder", "app.handler"),
        ("a=python:/srv/folder:src/lambda_function.lambda_handler", "python", "/srv/folder", "src/lambda_function.lambda_handler"),
        ("a=node:/srv/index.js:handler", "node", "/srv/index.js", "handler"),
        ("a=node:/srv/sma.mjs:lambdaHandler", "node", "/srv/sma.mjs", "lambdaHandler"),
        ("a=node:/srv/folder:index.sip", "node", "/srv/folder", "index.sip"),
        ("a=http://127.0.0.1:9000", "http", "http://127.0.0.1:9000", ""),
        ("a=https://example.com/2015-03-31/functions/x/invocations", "http", "https://example.com/2015-03-31/functions/x/invocations", ""),
        ("a=python:/srv/with:colon/app.py:handler", "python", "/srv/with:colon/app.py", "handler"),
    ],
)
def test_trait_24_what_a_function_may_be(text: str, kind: str, target: str, handler: str) -> None:
    spec = parse_option(text)
    assert (spec.name, spec.kind, spec.target, spec.handler) == ("a", kind, target, handler)
    assert parse_function("a", written(spec)) == spec


def test_paths_are_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_option("a=python:app.py:handler").target == str(tmp_path / "app.py")
    assert parse_option("a=python:.:app.handler").target == str(tmp_path)


def test_a_version_or_alias_may_be_a_function_of_its_own() -> None:
    assert parse_option("reminders:live=python:/srv/app.py:handler").name == "reminders:live"


def test_settings_of_a_function() -> None:
    spec = parse_function(
        "a", "python:/srv/app.py:handler", interpreter="/opt/python", environment={"A": "b"}, memory_mb=256, max_workers=8
    )
    assert (spec.interpreter, spec.environment, spec.memory_mb, spec.max_workers) == ("/opt/python", {"A": "b"}, 256, 8)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("python:app.py:handler", '"python:app.py:handler" is not NAME=SPEC', "for example --function reminders=python:app.py:handler"),
        ("=python:app.py:handler", '"" cannot be the name', "1 to 64 letters"),
        ("my app=python:app.py:handler", '"my app" cannot be the name', "1 to 64 letters"),
        ("a=", 'function a: "" does not say what runs it', "python:PATH.py:NAME"),
        ("a=app.py", 'function a: "app.py" does not say what runs it', "python:app.py:handler"),
        ("a=app.py:lambda_handler", 'function a: "app.py:lambda_handler" does not say what runs it', "python:"),
        ("a=index.mjs", 'function a: "index.mjs" does not say what runs it', "node:index.mjs:handler"),
        ("a=ruby:app.rb:handler", 'function a: "ruby:app.rb:handler" does not say what runs it', "python:PATH.py:NAME"),
        ("a=python:app.py", "function a: python:app.py does not name the function", "python:app.py:handler"),
        ("a=python:app.py:", "function a: python:app.py: does not name the function", "python:app.py:handler"),
        ("a=python:app.handler", "function a: python:app.handler does not name a folder", "python:.:app.handler"),
        ("a=python:app.py:no-name", 'function a: "no-name" is not a name in Python', "python:app.py:handler"),
        ("a=python:src:app", "in the folder src a handler is MODULE.NAME, not app", "python:src:app.handler"),
        ("a=node:index.js", "function a: node:index.js does not name the function", "node:index.js:handler"),
        ("a=node:index.ts:handler", "function a: Node does not run index.ts", "compile it first, then node:index.js:handler"),
        ("a=node:src:index", "in the folder src a handler is MODULE.NAME, not index", "node:src:index.handler"),
        ("a=aws:reminders", "aws: (the real Lambda) is not supported yet, for function a", "with python:"),
        ("a=webhook:https://example.com", "webhook: (a signed web address) is not supported yet", "with python:"),
        ("a=runtime:./bootstrap", "runtime: (a program that speaks the Lambda Runtime API) is not supported yet", "with python:"),
        ("a=http:/127.0.0.1", "http:/127.0.0.1 is not a web address", "http://HOST:PORT"),
        ("a=http://", "http:// is not a web address", "http://HOST:PORT"),
        ("a=http://x:99999", "http://x:99999 is not a web address", "http://HOST:PORT"),
    ],
)
def test_errors_say_what_is_wrong_and_how_to_mend_it(text: str, what: str, hint: str) -> None:
    with pytest.raises(FunctionSpecError) as caught:
        parse_option(text)
    assert what in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(("setting", "value"), [("memory_mb", 8), ("max_workers", 0)])
def test_settings_that_cannot_work_are_refused(setting: str, value: int) -> None:
    with pytest.raises(FunctionSpecError, match=f"{setting} of a is {value}"):
        parse_function("a", "python:/srv/app.py:handler", **{setting: value})  # type: ignore[arg-type]
