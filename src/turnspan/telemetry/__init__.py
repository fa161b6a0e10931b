"""Events as spans, log lines and metrics. Speaks to the OpenTelemetry API only, never to its SDK.

Private: what users import is in ``turnspan`` and its public modules.
"""
