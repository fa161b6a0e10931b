"""One command a module, each with a ``command``; none imports another.

Private: what users import is in ``turnspan`` and its public modules.
"""
