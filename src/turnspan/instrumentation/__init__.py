"""Zero code: adapters found, woken and undone, calls wrapped, context propagated.

Private: what users import is in ``turnspan`` and its public modules.
"""

from turnspan.otel_sdk.registration import register

register()
