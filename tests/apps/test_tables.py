"""The tables of invocations and workers are total."""

from __future__ import annotations

from outdial.apps.invocation import INVOCATION, InvocationInput, InvocationState
from outdial.apps.worker import WORKER, WorkerInput, WorkerState
from outdial.core import missing


def test_the_invocation_table_is_total() -> None:
    assert missing(INVOCATION, InvocationState, InvocationInput) == []


def test_the_worker_table_is_total() -> None:
    assert missing(WORKER, WorkerState, WorkerInput) == []
