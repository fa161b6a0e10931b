"""One command a module, each with a ``command``; none imports another."""
