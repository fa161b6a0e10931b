"""What turnspan logs about itself: warnings reach somebody, whatever the program does to its logging."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any

from turnspan.model.inert import inert_line


class OwnLogger(logging.LoggerAdapter[logging.Logger]):
    """The logger ``turnspan``, with a voice of its own where that was silenced without being asked.

    ``logging.config.dictConfig`` disables every logger that it does not name, unless it is asked not to. Nobody means
    ours by that, and what is lost must be said; so warnings go to standard error then. Who wants silence sets its level.
    """

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log, or say it on standard error where the logger was disabled. What errors quote moves no terminal."""
        args = tuple(inert_line(str(one)) if isinstance(one, (str, BaseException)) else one for one in args)
        if not self.logger.disabled:
            super().log(level, msg, *args, **kwargs)
        elif level >= max(logging.WARNING, self.logger.getEffectiveLevel()) and sys.stderr is not None:
            with suppress(OSError, ValueError):  # it is closed
                sys.stderr.write(inert_line(str(msg) % args if args else str(msg)) + "\n")


logger = OwnLogger(logging.getLogger("turnspan"), {})
