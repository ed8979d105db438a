"""What the handler's context object says of one invocation (DESIGN 6, functions)."""

from __future__ import annotations

from datetime import UTC, datetime

from ..model.ids import Ids
from ..model.invocations import Invoke
from ..model.workers import Context, FunctionSpec
from .environment import bare_name


def context_of(invoke: Invoke, spec: FunctionSpec, ids: Ids, log_stream: str, deadline_ms: int) -> Context:
    """The context of one attempt; the version is the ARN's, where that is a number."""
    arn = invoke.lambda_arn or f"arn:aws:lambda:{invoke.region}:{invoke.account}:function:{invoke.function}"
    name = bare_name(spec)
    qualifier = arn.split(":")[7:8]
    return Context(
        aws_request_id=ids.uuid(),
        function_name=name,
        function_version=qualifier[0] if qualifier and qualifier[0].isdigit() else "$LATEST",
        invoked_function_arn=arn,
        memory_limit_in_mb=spec.memory_mb,
        log_group_name=f"/aws/lambda/{name}",
        log_stream_name=log_stream,
        deadline_ms=deadline_ms,
    )


def log_stream_name(ids: Ids, now_ms: int) -> str:
    """A worker's log stream as CloudWatch would name it: the day, and 32 random digits."""
    return f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y/%m/%d}/[$LATEST]{ids.hex(32)}"
