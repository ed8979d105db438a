"""A SIP user agent without sockets, clock or threads, both roles: RFC 3261 with 6026, 3263 (targets), 3311, 3326, 3581 and 7616.

`endpoint.Endpoint` is what others drive; `values` are what goes in and out. `docs/sip.md` is the guide.
"""
