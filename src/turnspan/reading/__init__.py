"""Reading sessions back: pages, look-ups, timelines, links. What all faces share; nothing here writes."""
