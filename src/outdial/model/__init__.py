"""The values that pass between the rooms (reference/interfaces); one module a subject, nothing decides anything here."""
