"""Recording: from an emitted event to the journal, and from the journal to the store.

Private: what users import is in ``turnspan`` and its public modules.
"""
