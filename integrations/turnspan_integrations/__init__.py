"""Adapters: one file a runtime. Each imports only ``turnspan.events`` and its runtime."""
