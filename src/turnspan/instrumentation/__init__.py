"""Zero code: adapters found, woken and undone, calls wrapped, context propagated."""
