"""Records, ids and clock, JSON-safe values: what everything else is made of."""
