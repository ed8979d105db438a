"""Metrics: what the pump shows, as Prometheus reads it."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from helpers import call_records as made
from helpers.sip_values import trace
from outdial.model.ids import CallId, Token
from outdial.model.invocations import InvocationFailed, Invoke, Replied
from outdial.model.media import Load
from outdial.model.requests import Refusal, Refused
from outdial.model.work import MachineState, Save, Saved, StoreState, Withdrawn
from outdial.observe.metrics import REMEMBERED, Metrics


def shown(metrics: Metrics) -> dict[str, float]:
    """Each sample, its labels in braces."""
    samples = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples


def see(metrics: Metrics, value: Any, now: float = 0.0) -> None:
    metrics("a", "b", value, now)


def test_calls_count_from_their_commit_to_their_cdr() -> None:
    metrics = Metrics()
    see(metrics, Save(token=Token(1), unit=made.created(), grade="synced"), 1.0)
    assert shown(metrics)["outdial_calls_in_progress"] == 0
    see(metrics, Saved(token=Token(1)), 1.004)
    assert shown(metrics)["outdial_calls_in_progress"] == 1
    see(metrics, Save(token=Token(2), unit=made.created(CallId("x")), grade="synced"), 2.0)
    see(metrics, Withdrawn(token=Token(2)), 5.0)
    samples = shown(metrics)
    assert samples["outdial_calls_in_progress"] == 1
    assert samples["outdial_calls_placed_total"] == 1
    assert samples["outdial_store_seconds_count{grade=synced}"] == 1
    assert samples["outdial_store_seconds_bucket{grade=synced,le=0.005}"] == 1
    assert samples["outdial_store_seconds_bucket{grade=synced,le=0.002}"] == 0
    for unit in made.life()[1:]:
        see(metrics, Save(token=Token(0), unit=unit))
    samples = shown(metrics)
    assert samples["outdial_calls_in_progress"] == 0
    assert samples["outdial_calls_ended_total{reason=completed}"] == 1
    assert samples["outdial_billable_seconds_total"] == 7


def test_invocations_by_outcome() -> None:
    metrics = Metrics()
    for sequence, end in (
        (1, Replied(call=made.CALL, sequence=1)),
        (2, InvocationFailed(call=made.CALL, sequence=2, reason="timeout", detail="")),
    ):
        row = made.call_row()
        see(metrics, Invoke(
            call=row.call, leg=made.LEG, sequence=sequence, number=sequence, function=row.function, application=row.application,
            account=row.account, region=row.region, event=made.event(1).event, participants=(),
        ), 10.0)  # fmt: skip
        see(metrics, end, 10.2 if sequence == 1 else 30.0)
    samples = shown(metrics)
    assert samples["outdial_invocation_seconds_bucket{le=0.25,outcome=replied}"] == 1
    assert samples["outdial_invocation_seconds_bucket{le=0.1,outcome=replied}"] == 0
    assert samples["outdial_invocation_seconds_sum{outcome=timeout}"] == 20.0


def test_the_machine_the_store_and_refusals() -> None:
    metrics = Metrics()
    see(metrics, Load(streams=3, sent=150, late=2, worst_ms=21.5, ports_free=90, ports=100, cpu=0.25))
    see(metrics, MachineState(loop_lag_ms=12.0))
    see(metrics, StoreState(refusing=True))
    see(metrics, Refused(token=Token(1), refusal=Refusal(reason="draining", detail="")))
    samples = shown(metrics)
    assert samples["outdial_media_streams"] == 3
    assert samples["outdial_media_packets_late_total"] == 2
    assert samples["outdial_media_worst_seconds"] == 0.0215
    assert samples["outdial_loop_lag_seconds"] == 0.012
    assert samples["outdial_store_refusing"] == 1
    assert samples["outdial_requests_refused_total{reason=draining}"] == 1


def test_sip_messages_and_peers_cannot_invent_labels() -> None:
    metrics = Metrics()
    see(metrics, trace(made.invite()))
    see(metrics, trace(made.response(486, "Busy Here"), "received"))
    for letter in "ABCDEFG":
        see(metrics, trace(f"{letter}X sip:x SIP/2.0\nCSeq: 1 {letter}X\n\n", "received"))
        see(metrics, trace(f"SIP/2.0 9{ord(letter)} x\nCSeq: 1 {letter}X\n\n", "received"))
    samples = {name: value for name, value in shown(metrics).items() if name.startswith("outdial_sip_messages_total")}
    assert samples == {
        "outdial_sip_messages_total{method=INVITE,status=,way=sent}": 1,
        "outdial_sip_messages_total{method=INVITE,status=486,way=received}": 1,
        "outdial_sip_messages_total{method=other,status=,way=received}": 14,
    }


def test_beginnings_without_an_end_do_not_pile_up() -> None:
    metrics = Metrics()
    for token in range(1, REMEMBERED + 500):
        see(metrics, Save(token=Token(token), unit=()))
    assert len(metrics._saves) == REMEMBERED
