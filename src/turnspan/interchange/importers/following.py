"""Following: transcripts are read as they grow, and what they say is on record within a moment.

A file that became shorter, or another under the same name, is read anew: what is on record already is found there, so what a
program took out of its file stays, and nothing is doubled. What is removed is removed there, not here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from turnspan.errors import StoreUnavailableError
from turnspan.interchange.importers.files import MOST_OF_A_LINE, Unreadable, files_in, is_regular, parsed, why_not
from turnspan.interchange.importers.transcripts import Transcript, entries_of, fed, in_order
from turnspan.interchange.joining.joiner import Joined, Joiner

_TAIL_BYTES = 256
_PIECE_BYTES = 8 * 1024 * 1024


class _Seen(NamedTuple):
    """What of a file has been read."""

    transcript: Transcript
    inode: int = -1
    tail: bytes = b""
    """The end of what was read, which stands there still unless the file was written anew."""
    offset: int = 0
    size: int = 0
    modified_ns: int = 0


class Follower:
    """Follows the transcripts below a folder.

    Args:
        kind: Whose they are: one of the histories that can be joined.
        path: The folder, or one file.
        joiner: Takes what they say.

    """

    def __init__(self, kind: str, path: Path, joiner: Joiner) -> None:
        module = importlib.import_module(f"turnspan.interchange.importers.{kind.replace('-', '_')}")
        self._patterns: tuple[str, ...] = module.PATTERNS
        self._reader: Callable[[Path], Transcript] = module.reader()
        self._path, self._joiner = path, joiner
        self._seen: dict[Path, _Seen] = {}

    def step(self) -> Iterator[Joined | Unreadable]:
        """Read what has come since the last time; yield what became of it, and what could not be read.

        Raises:
            StoreUnavailableError: When the store is away; what was read then is read again.

        """
        if not self._path.exists():
            return
        grown = []
        for pattern in self._patterns:
            for file in files_in(self._path, pattern):
                if isinstance(file, Path) and file not in grown and self._has_grown(file):
                    grown.append(file)
        for file in in_order(grown):
            more = True
            while more:
                try:
                    yield from self._read(file)
                except StoreUnavailableError:
                    self._seen.pop(file, None)
                    raise
                except OSError as error:
                    yield Unreadable(str(file), f"it cannot be read: {error.strerror}")
                    break
                seen = self._seen[file]
                more = seen.size - seen.offset >= _PIECE_BYTES

    def _has_grown(self, file: Path) -> bool:
        seen = self._seen.get(file)
        try:
            now = file.stat()
        except OSError:  # it is removed; what it said stays on record
            return False
        if not is_regular(file):
            return False
        return seen is None or (seen.size, seen.inode, seen.modified_ns) != (now.st_size, now.st_ino, now.st_mtime_ns)

    def _read(self, file: Path) -> Iterator[Joined | Unreadable]:
        """Read the next piece of a file, up to the end of its last line."""
        seen, now = self._seen.get(file), file.stat()
        if file.suffix == ".json":
            seen = _Seen(self._reader(file), now.st_ino, b"", now.st_size)
            entries = list(entries_of(file))
        else:
            with file.open("rb") as opened:
                if seen is None or seen.inode != now.st_ino or not _goes_on(opened, seen):
                    seen = _Seen(self._reader(file), now.st_ino)
                opened.seek(seen.offset)
                piece = opened.read(_PIECE_BYTES)
                while b"\n" not in piece and len(piece) < MOST_OF_A_LINE and (more := opened.read(_PIECE_BYTES)):
                    piece += more
            whole = piece[: piece.rfind(b"\n") + 1] if len(piece) < MOST_OF_A_LINE else piece
            seen = seen._replace(offset=seen.offset + len(whole), tail=(seen.tail + whole)[-_TAIL_BYTES:])
            entries = [(str(file), parsed(line, str(file))) for line in whole.splitlines() if line.strip()]
        self._seen[file] = seen._replace(size=now.st_size, modified_ns=now.st_mtime_ns)
        yield from self._take(seen.transcript, entries)

    def _take(self, transcript: Transcript, entries: list[tuple[str, object]]) -> Iterator[Joined | Unreadable]:
        for where, entry in entries:
            if isinstance(entry, Unreadable):
                yield entry
            elif not fed(transcript, entry):
                yield Unreadable(where, "a line is not as expected; the others are read")
        for session in transcript.take():
            try:
                yield self._joiner.take(session)
            except StoreUnavailableError:
                raise
            except Exception as error:  # one session that is not what its reader took it for
                yield Unreadable(session.session_id[:80], why_not(error))


def _goes_on(opened: BinaryIO, seen: _Seen) -> bool:
    """Return whether what was read of a file still stands in it."""
    opened.seek(seen.offset - len(seen.tail))
    return opened.read(len(seen.tail)) == seen.tail
