"""Samples of what earlier versions stored, and how they are unpacked."""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(sample: Path, folder: Path) -> None:
    """Unpack a sample into a folder, with the filter where Python has one (from 3.11.4 on)."""
    with tarfile.open(sample) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
