"""``python -m turnspan`` is the command line, where ``turnspan`` is not on the path."""

from turnspan.cli import main

main()
