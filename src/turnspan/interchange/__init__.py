"""Sessions from and to other formats.

Private: what users import is in ``turnspan`` and its public modules.
"""
