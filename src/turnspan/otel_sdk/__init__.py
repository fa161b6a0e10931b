"""The only package that imports ``opentelemetry.sdk``: set-up, exporters, external spans, rehydration.

Private: what users import is in ``turnspan`` and its public modules.
"""
