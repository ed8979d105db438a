"""Calls as text, for the command line and the console: the list, a call's story, its ladder. Reads only; one record, one text."""
