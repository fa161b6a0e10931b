"""Joining: what several sources say of the same session becomes one record, in whatever order they say it.

A coding agent is heard of twice: over OTLP while it works, and in the transcript that it keeps, and later cuts, copies or
deletes. Each source gives what it knows of a turn as a record of its own. ``elements`` says how two accounts of one call
become one, ``turns`` which of two are about the same, ``joiner`` puts on record what is new. Joining is a union: it never
takes anything away, and neither the order nor a repetition matters.

Private: what users import is in ``turnspan`` and its public modules.
"""
