"""The only package that imports ``opentelemetry.sdk``: set-up, exporters, external spans, rehydration."""
