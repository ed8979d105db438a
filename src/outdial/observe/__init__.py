"""Watches the pump: the log, metrics, the SIP record, live follow. An observer is called with (source, destination, value, now)."""
