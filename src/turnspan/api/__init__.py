"""The hand-written API: sessions, turns and calls as context managers and decorators, and ``observe()``."""
