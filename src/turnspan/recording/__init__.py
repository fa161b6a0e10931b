"""Recording: from an emitted event to the journal, and from the journal to the store."""
