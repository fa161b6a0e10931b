"""Sessions in the browser: ``turnspan view``, the one-file export and what a notebook shows. Reads, and never writes.

``app`` has the pages and their addresses, ``guard`` says who may ask for them, ``conversation`` turns a turn's tree into
what is shown of it, ``values`` content into inert markup, ``pictures`` has what is drawn, ``live`` tells open pages of
news, and ``serving`` starts the server. Templates and assets lie beside them; there is no build step.

Private: what users import is in ``turnspan`` and its public modules.
"""
