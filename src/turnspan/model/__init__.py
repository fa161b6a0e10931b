"""Records, ids and clock, JSON-safe values: what everything else is made of.

Private: what users import is in ``turnspan`` and its public modules.
"""
