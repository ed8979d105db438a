"""The reminder of this folder's neighbour, tested in virtual time: `pytest examples/testing`, with `examples/handlers` on the path."""

import reminder

BUSY = """
app > us         CALL args.name=Ann
us > handler     NEW_OUTBOUND_CALL seq=1
us > alice       INVITE
alice > us       486
us > handler     HANGUP seq=2 code=486              ends: callee, failure, busy
"""

WRONG_KEY = """
answered call
us > alice       RTP speech "Hello there. This is a reminder of your appointment on Monday at noon. Please press 1 to confirm."
alice > us       DIGITS 7
us > alice       RTP speech "That was not 1."
us > alice       RTP speech "Hello there. This is a reminder of your appointment on Monday at noon. Please press 1 to confirm."
alice > us       BYE
us > handler     HANGUP seq=3 code=0                ends: callee, success, completed
"""


def test_a_busy_line_is_nothing_to_worry_about(ladder):
    ladder(BUSY, reminder.handler)


def test_a_wrong_key_is_asked_for_again(ladder):
    world = ladder(WRONG_KEY, reminder.handler)
    assert world.types == ["NEW_OUTBOUND_CALL", "CALL_ANSWERED", "HANGUP"]
