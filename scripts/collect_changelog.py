"""Gathers the fragments in changelog.d into a version of CHANGELOG.md, and removes them.

python scripts/collect_changelog.py 0.2.0
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGELOG = ROOT / "CHANGELOG.md"


def collect(version):
    """Write the version on top of the changelog."""
    fragments = sorted(p for p in (ROOT / "changelog.d").glob("*.md") if p.name != "README.md")
    if not fragments:
        sys.exit("changelog.d has no fragments: nothing changed since the last version?")
    lines = "\n".join("- " + " ".join(p.read_text().split()) for p in fragments)
    title, _, rest = CHANGELOG.read_text().partition("\n\n")
    CHANGELOG.write_text(f"{title}\n\n## {version} ({datetime.now(UTC):%Y-%m-%d})\n\n{lines}\n\n{rest}")
    for fragment in fragments:
        fragment.unlink()


if __name__ == "__main__":
    collect(sys.argv[1])
