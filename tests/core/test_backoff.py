"""Deaths within a window delay the next start, each more than the one before."""

from __future__ import annotations

from outdial.core import Backoff


def test_each_death_within_the_window_delays_more_and_the_last_delay_stays() -> None:
    backoff = Backoff((0.0, 1.0, 30.0), 60.0)
    assert [backoff.died(at) - at for at in (10.0, 11.0, 12.0, 50.0)] == [0.0, 1.0, 30.0, 30.0]


def test_deaths_outside_the_window_are_forgotten() -> None:
    backoff = Backoff((0.0, 1.0, 30.0), 60.0)
    assert [backoff.died(at) - at for at in (0.0, 60.0, 119.5, 179.5)] == [0.0, 0.0, 1.0, 0.0]


def test_what_has_worked_begins_anew() -> None:
    backoff = Backoff((0.0, 5.0), 60.0)
    backoff.died(1.0)
    backoff.worked()
    assert (backoff.deaths, backoff.died(2.0)) == (0, 2.0)
