"""The table of a call: total, and drawn in the documentation as it is."""

from __future__ import annotations

import pytest

from outdial.carrier import steps
from outdial.carrier.conversation import TABLE, Happening, State
from outdial.carrier.performing import DOING
from outdial.carrier.steps import Again, Answer, HangUp, Redirect, Refuse, Step
from outdial.core import Ignore, missing


def test_the_table_has_a_row_for_whatever_can_happen() -> None:
    assert missing(TABLE, State, Happening) == []


def test_what_is_ignored_says_why() -> None:
    assert all(row.reason for rows in TABLE.values() for row in rows.values() if isinstance(row, Ignore))


KINDS = [kind for kind in vars(steps).values() if isinstance(kind, type) and issubclass(kind, Step) and kind is not Step]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_step_is_done_by_a_row_or_by_the_call_itself(kind: type[Step]) -> None:
    assert (kind in DOING) != (kind in {Answer, Refuse, Redirect, HangUp, Again})
