"""Real workers: an event in, a reply out, the context, the environment, logging, what they print, how they end."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpers.handler_node import HandlerNode, invoke, javascript, python, run
from helpers.proc import needs_proc
from outdial.io.interpreters import CannotRun, command_line
from outdial.io.process_memory import resident_mb
from outdial.model.actions import Action
from outdial.model.ids import FunctionName
from outdial.model.invocations import InvocationFailed, Replied
from outdial.model.records import InvocationRow
from outdial.model.workers import FunctionSpec, WorkerExited

SPEAKS = {
    "python": """
def handler(event, context):
    return {"SchemaVersion": "1.0", "Actions": [{"Type": "Speak", "Parameters": {"Text": event["InvocationEventType"]}}]}
""",
    "node": """
export const handler = async (event) =>
    ({ SchemaVersion: "1.0", Actions: [{ Type: "Speak", Parameters: { Text: event.InvocationEventType } }] });
""",
}


def function(language: str, folder: Path, code: str, **more: Any) -> FunctionSpec:
    return python(folder, code, **more) if language == "python" else javascript(folder, code, **more)


@pytest.fixture(params=["python", "node"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def attributes(node: HandlerNode, **more: Any) -> dict[str, Any]:
    """What the handler answers as TransactionAttributes."""
    found = await node.ask(invoke("app", **more))
    assert isinstance(found, Replied), found
    assert found.attributes is not None
    return found.attributes


def test_a_warm_worker_answers_events_of_many_calls(tmp_path: Path, language: str) -> None:
    async def main() -> None:
        async with HandlerNode(function(language, tmp_path, SPEAKS[language])) as node:
            for number in range(1, 21):
                asked = invoke("app", call=number, sequence=3)
                assert await node.ask(asked) == Replied(
                    call=asked.call, sequence=3, actions=(Action(type="Speak", parameters={"Text": "CALL_ANSWERED"}),)
                )
                assert node.done(asked).outcome == "replied"
            assert len(node.started) == 1

    run(main)


def test_what_is_given_is_what_was_committed(tmp_path: Path) -> None:
    async def main() -> None:
        async with HandlerNode(python(tmp_path, SPEAKS["python"])) as node:
            asked = invoke("app")
            await node.ask(asked)
            assert [given.text.encode() for given in node.given] == [row.request for row in node.records if isinstance(row, InvocationRow)]
            assert json.loads(node.given[0].text)["CallDetails"]["TransactionId"] == asked.call

    run(main)


CONTEXT = {
    "python": """
import os, sys
first = sys.path[0]
def handler(event, context):
    return {"SchemaVersion": "1.0", "TransactionAttributes": {
        "request": context.aws_request_id, "name": context.function_name, "version": context.function_version,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(), "folder": os.getcwd(), "path": first,
        "environment": {k: v for k, v in os.environ.items() if k.startswith(("AWS_", "LAMBDA", "OUTDIAL", "_HANDLER", "TZ"))}}}
""",
    "node": """
export const handler = async (event, context) => ({ SchemaVersion: "1.0", TransactionAttributes: {
    request: context.awsRequestId, name: context.functionName, version: context.functionVersion, arn: context.invokedFunctionArn,
    memory: context.memoryLimitInMB, group: context.logGroupName, stream: context.logStreamName,
    left: context.getRemainingTimeInMillis(), folder: process.cwd(), path: process.cwd(),
    environment: Object.fromEntries(Object.entries(process.env).filter(([k]) => /^(AWS_|LAMBDA|OUTDIAL|_HANDLER|TZ)/.test(k))) } });
""",
}


def test_trait_23_context_and_environment(tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        spec = function(language, tmp_path, CONTEXT[language], memory_mb=512)
        async with HandlerNode(spec, endpoint="http://127.0.0.1:8060", access_key="outdial", secret_key="secret") as node:
            found = await attributes(node)
            context = node.given[0].context
            assert found["request"] == context.aws_request_id
            assert (found["name"], found["version"], found["memory"]) == ("app", "$LATEST", "512")
            assert found["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:app"
            assert (found["group"], found["stream"]) == ("/aws/lambda/app", context.log_stream_name)
            assert 15_000 < found["left"] <= 20_000
            assert found["folder"] == found["path"] == str(tmp_path)
            environment = found["environment"]
            assert environment.pop("AWS_EXECUTION_ENV").startswith("AWS_Lambda_python3." if language == "python" else "AWS_Lambda_nodejs")
            assert environment == {
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_LAMBDA_FUNCTION_NAME": "app",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/app",
                "AWS_LAMBDA_LOG_STREAM_NAME": context.log_stream_name,
                "AWS_ENDPOINT_URL_CHIME": "http://127.0.0.1:8060",
                "AWS_ENDPOINT_URL_CHIME_SDK_VOICE": "http://127.0.0.1:8060",
                "AWS_ACCESS_KEY_ID": "outdial",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "LAMBDA_TASK_ROOT": str(tmp_path),
                "_HANDLER": "handler",
                "TZ": ":UTC",
            }

    run(main)


STATE = {
    "python": "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n"
    '    return {"SchemaVersion": "1.0", "TransactionAttributes": {"count": count}}\n',
    "node": 'let count = 0; export const handler = async () => ({ SchemaVersion: "1.0", TransactionAttributes: { count: ++count } })',
}


def test_trait_22_module_state_lives_as_long_as_the_worker(tmp_path: Path, language: str) -> None:
    async def main() -> None:
        async with HandlerNode(function(language, tmp_path, STATE[language])) as node:
            assert [(await attributes(node))["count"] for _ in range(3)] == [1, 2, 3]

    run(main)


PRINTS = {
    "python": "import sys\ndef handler(event, context):\n    print('one')\n    print('two', file=sys.stderr)\n"
    '    return {"SchemaVersion": "1.0"}\n',
    "node": 'export const handler = async () => { console.log("one"); console.error("two"); return { SchemaVersion: "1.0" } }',
}


def test_lines_stand_beside_the_event_that_they_were_printed_in(tmp_path: Path, language: str) -> None:
    async def main() -> None:
        async with HandlerNode(function(language, tmp_path, PRINTS[language])) as node:
            for sequence in range(1, 6):
                asked = invoke("app", call=1, sequence=sequence)
                await node.ask(asked)
                assert sorted(node.output(asked)) == ["one", "two"]

    run(main)


def test_a_logger_whose_level_is_set_is_heard_as_in_lambda(tmp_path: Path) -> None:
    code = (
        "import logging\nlogger = logging.getLogger()\nlogger.setLevel(logging.INFO)\n"
        'def handler(event, context):\n    logger.info("hello %s", 1)\n    logger.debug("not this")\n    return {"SchemaVersion": "1.0"}\n'
    )

    async def main() -> None:
        async with HandlerNode(python(tmp_path, code)) as node:
            asked = invoke("app")
            await node.ask(asked)
            (line,) = node.output(asked)
            level, _, request, message = line.split("\t")
            assert (level, request, message) == ("[INFO]", node.given[0].context.aws_request_id, "hello 1")

    run(main)


def test_decimals_as_dynamodb_gives_them_are_numbers(tmp_path: Path) -> None:
    code = (
        "from decimal import Decimal\ndef handler(event, context):\n"
        '    return {"SchemaVersion": "1.0", "TransactionAttributes": {"a": Decimal("3"), "b": Decimal("0.5"), "c": "Grüße"}}\n'
    )

    async def main() -> None:
        async with HandlerNode(python(tmp_path, code)) as node:
            assert await attributes(node) == {"a": 3, "b": 0.5, "c": "Grüße"}

    run(main)


def test_trait_24_a_folder_with_a_module_of_its_own_packages(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    code = "from shared.words import WORD\n\nclass H:\n    @staticmethod\n    def on(event, context):\n"
    code += '        return {"SchemaVersion": "1.0", "TransactionAttributes": {"word": WORD}}\n'
    (tmp_path / "src" / "app.py").write_text(code)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "words.py").write_text('WORD = "here"\n')

    async def main() -> None:
        spec = FunctionSpec(name=FunctionName("app"), kind="python", target=str(tmp_path), handler="src/app.H.on")
        async with HandlerNode(spec) as node:
            assert isinstance(await node.ask(invoke("app")), InvocationFailed)  # MODULE.NAME: H is no module
        (tmp_path / "src" / "app.py").write_text((tmp_path / "src" / "app.py").read_text() + "\non = H.on\n")
        spec = FunctionSpec(name=FunctionName("app"), kind="python", target=str(tmp_path), handler="src/app.on")
        async with HandlerNode(spec) as node:
            assert await attributes(node) == {"word": "here"}

    run(main)


@pytest.mark.parametrize(
    ("file", "code", "handler"),
    [
        ("index.js", 'exports.sip = async () => ({ SchemaVersion: "1.0" })', "index.sip"),
        ("index.mjs", 'export const sip = async () => ({ SchemaVersion: "1.0" })', "index.sip"),
        ("index.mjs", 'export default { sip: async () => ({ SchemaVersion: "1.0" }) }', "index.sip"),
        ("src/index.cjs", 'module.exports = { a: { sip: async () => ({ SchemaVersion: "1.0" }) } }', "src/index.a.sip"),
        ("index.js", 'const { word } = require("./lib/word"); exports.sip = (e, c, cb) => cb(null, { SchemaVersion: word })', "index.sip"),
    ],
)
def test_trait_24_javascript_folders_of_both_module_systems(tmp_path: Path, file: str, code: str, handler: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "word.js").write_text('exports.word = "1.0"')
    (tmp_path / file).write_text(code)

    async def main() -> None:
        async with HandlerNode(FunctionSpec(name=FunctionName("app"), kind="node", target=str(tmp_path), handler=handler)) as node:
            asked = invoke("app")
            assert await node.ask(asked) == Replied(call=asked.call, sequence=1)

    run(main)


ANSWERS = {
    "callback": "(event, context, callback) => { callback(null, OK) }",
    "callback later": "(event, context, callback) => { setTimeout(() => callback(null, OK), 5) }",
    "async function that answers by callback": "async (event, context, callback) => { callback(null, OK) }",
    "async function": "async () => OK",
    "promise": "() => new Promise((resolve) => setImmediate(() => resolve(OK)))",
    "context.succeed": "(event, context) => { context.succeed(OK) }",
    "context.done": "(event, context) => { context.done(null, OK) }",
    "callback before resolution": "async (event, context, callback) => { callback(null, OK); await 1; return { SchemaVersion: '9' } }",
    "resolution before callback": "async (event, context, callback) => { setTimeout(() => callback(new Error('late')), 20); return OK }",
}


@pytest.mark.parametrize("how", ANSWERS)
def test_trait_21_ways_to_answer_in_javascript(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with HandlerNode(
            javascript(tmp_path, f'const OK = {{ SchemaVersion: "1.0" }}; export const handler = {ANSWERS[how]}')
        ) as node:
            for _ in range(2):
                asked = invoke("app")
                assert await node.ask(asked) == Replied(call=asked.call, sequence=1)

    run(main)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ('(event, context, callback) => { callback(new Error("no")) }', "Error: no"),
        ('(event, context, callback) => { callback("plain words") }', "string: plain words"),
        ('(event, context) => { context.fail(new RangeError("far")) }', "RangeError: far"),
        ("(event, context) => { context.fail() }", "context.fail was called"),
        ("async () => { throw undefined }", "rejected with nothing"),
    ],
)
def test_ways_to_fail_in_javascript(tmp_path: Path, how: str, words: str) -> None:
    async def main() -> None:
        async with HandlerNode(javascript(tmp_path, f"export const handler = {how}"), handler_retries=0) as node:
            found = await node.ask(invoke("app"))
            assert isinstance(found, InvocationFailed)
            assert words in found.detail

    run(main)


@pytest.mark.parametrize("code", ["() => new Promise(() => {})", "() => {}", '() => ({ SchemaVersion: "1.0" })'])
def test_javascript_that_never_answers_and_has_nothing_left_to_do_answers_with_nothing(tmp_path: Path, code: str) -> None:
    """As in Lambda, whose runtime answers null once its event loop is empty."""

    async def main() -> None:
        async with HandlerNode(javascript(tmp_path, f"export const handler = {code}")) as node:
            for _ in range(2):
                found = await node.ask(invoke("app"))
                assert isinstance(found, InvocationFailed)
                assert found.detail == "Response is blank or empty"
            assert len(node.started) == 1

    run(main)


def test_events_with_any_text_arrive_as_they_are(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'def handler(event, context):\n    return {"SchemaVersion": "1.0", '
        '"TransactionAttributes": event["CallDetails"]["TransactionAttributes"]}\n',
        "node": 'export const handler = async (event) => ({ SchemaVersion: "1.0", '
        "TransactionAttributes: event.CallDetails.TransactionAttributes })",
    }[language]
    odd = {"text": 'line\nfeed, "quotes", \\, \u2028, Grüße, 😀, \x00', "nested": {"a": [1, 2.5, None, True]}, "long": "x" * 200_000}
    small = {**odd, "long": "x" * 15_000}

    async def main() -> None:
        async with HandlerNode(function(language, tmp_path, code)) as node:
            assert await attributes(node, attributes=small) == small

    run(main)


def test_the_interpreter_in_a_virtual_environment_beside_the_file_is_used(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / ".venv")], check=True, timeout=60)
    code = (
        'import sys\ndef handler(event, context):\n    return {"SchemaVersion": "1.0", "TransactionAttributes": {"prefix": sys.prefix}}\n'
    )

    async def main() -> None:
        async with HandlerNode(python(tmp_path, code)) as node:
            assert await attributes(node) == {"prefix": str(tmp_path / ".venv")}

    run(main)


def test_which_program_runs_a_handler(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("")
    spec = FunctionSpec(name=FunctionName("app"), kind="python", target=str(tmp_path / "app.py"), handler="handler")
    assert command_line(spec)[0] == sys.executable
    node = FunctionSpec(name=FunctionName("app"), kind="node", target=str(tmp_path), handler="app.handler", memory_mb=300)
    assert command_line(node)[:2] == [shutil.which("node"), "--max-old-space-size=300"]
    with pytest.raises(CannotRun, match="install Node 16 or later"):
        command_line(node, str(tmp_path))


@needs_proc
def test_the_memory_of_a_group_is_that_of_all_its_processes() -> None:
    code = "import subprocess, sys, time; x = b'x' * 50_000_000; print(flush=True); sys.stdin.read()"
    whole = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {code!r}], stdin=subprocess.PIPE); {code}"
    with subprocess.Popen([sys.executable, "-c", whole], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            process.stdout.readline()
            assert 100 <= resident_mb(frozenset({process.pid}))[process.pid] < 250
        finally:
            os.killpg(process.pid, 9)


def test_a_worker_that_does_not_read_is_taken_for_dead_once_4_mb_wait(tmp_path: Path) -> None:
    async def main() -> None:
        async with HandlerNode(python(tmp_path, "def handler(event, context):\n    while True: pass\n")) as node:
            gone: list[WorkerExited] = []
            node.watch_exits(gone.append)
            node.begin(invoke("app"))
            await node.until(lambda: bool(node.given))
            for _ in range(20):
                node.workers.put(msgspec.structs.replace(node.given[0], text="x" * 256_000), 0.0)
            await node.until(lambda: bool(gone))
            assert gone[0].status == -9

    run(main)


def test_no_worker_is_left_when_the_node_stops(tmp_path: Path, language: str) -> None:
    hangs = {"python": "def handler(event, context):\n    while True: pass\n", "node": "export const handler = () => { while (true); }"}
    pids: list[int] = []

    async def main() -> None:
        async with HandlerNode(function(language, tmp_path, hangs[language])) as node:
            waiting = node.begin(invoke("app"))
            await node.until(lambda: bool(node.given))
            pids.extend(process.pid for process in node.workers._processes.values())
            waiting.cancel()

    run(main)
    assert len(pids) == 1
    assert not os.path.exists(f"/proc/{pids[0]}")


NODE = """
import asyncio, sys
from pathlib import Path
from helpers.handler_node import HandlerNode, invoke, python

async def main():
    file = Path(sys.argv[1]) / "app.py"
    async with HandlerNode(python(file.parent, file.read_text())) as node:
        waiting = node.begin(invoke("app"))
        await node.until(lambda: bool(node.given))
        print("given", flush=True)
        await waiting

asyncio.run(main())
"""


def test_a_worker_in_an_endless_loop_dies_with_the_node(tmp_path: Path) -> None:
    """Whatever ends the node: nothing tells the worker but the kernel (reference/processes, common part)."""
    pid_file = tmp_path / "pid"
    code = f"import os\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ndef handler(event, context):\n    while True: pass\n"
    python(tmp_path, code)
    (tmp_path / "node.py").write_text(NODE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, str(tmp_path / "node.py"), str(tmp_path)], stdout=subprocess.PIPE, env=environment) as node:
        assert node.stdout is not None
        assert node.stdout.readline() == b"given\n"
        pidfd = os.pidfd_open(int(pid_file.read_text()))
        node.kill()

        async def main() -> None:
            ended = asyncio.Event()
            asyncio.get_running_loop().add_reader(pidfd, ended.set)
            await asyncio.wait_for(ended.wait(), 10)

        run(main)
        os.close(pidfd)
