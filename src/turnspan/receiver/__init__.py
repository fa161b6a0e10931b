"""The receiver: OTLP over HTTP in, from programs in any language; what their spans say becomes sessions.

``otlp`` reads requests and writes answers. ``spool`` keeps each span on disk before its request is answered, once.
``assembly`` makes events of whole traces, by the same reader as in-process, and gives them to the recorder. ``dialects`` makes
sessions of what coding agents report as log records. ``forwarding`` passes requests on as they came. ``app`` is the server's side
of it, ``limits`` what it refuses.

Private: what users import is in ``turnspan`` and its public modules.
"""
