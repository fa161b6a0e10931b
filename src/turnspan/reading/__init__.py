"""Reading sessions back: what all faces share. Nothing here writes, and nothing here sends.

``reader`` opens what one home or store has and answers for it; ``pages`` lists sessions, ``tree`` has what happened in a
turn, nested, ``timeline`` the same in order of time, with totals, ``waterfall`` as bars, ``places`` says where an id is in
record, trace and log, and ``span_sources`` and ``line_sources`` read the latter two wherever they are kept.

Private: what users import is in ``turnspan`` and its public modules.
"""
