"""The hand-written API: sessions, turns and calls as context managers and decorators, and ``observe()``.

Private: what users import is in ``turnspan`` and its public modules.
"""

from turnspan.otel_sdk.registration import register

register()
