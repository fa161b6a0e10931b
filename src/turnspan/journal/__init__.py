"""The journal: an append-only, hash-chained file for each process, which nothing observed is lost from.

Private: what users import is in ``turnspan`` and its public modules.
"""
