"""What keeps a store small and lawful: erasure, retention, rebuilding from journals.

Private: what users import is in ``turnspan`` and its public modules.
"""
