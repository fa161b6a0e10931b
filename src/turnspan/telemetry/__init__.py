"""Events as spans, log lines and metrics. Speaks to the OpenTelemetry API only, never to its SDK."""
