"""Writes the table of runtimes in docs/adapters/index.md: from what the adapters declare, which the play holds them to.

python scripts/generate_runtimes_table.py
"""

import importlib
import sys
from importlib.metadata import entry_points
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "adapters" / "index.md"
BEGIN, END = "<!-- runtimes: made by scripts/generate_runtimes_table.py -->\n", "<!-- end of runtimes -->\n"


def table():
    """Return the table."""
    names = {entry.module for entry in entry_points(group="turnspan.adapters") if entry.module.startswith("turnspan_")}
    rows = ["| adapter | runtime | what it cannot observe |", "|---|---|---|"]
    for name in sorted(names):
        module = importlib.import_module(name)
        title = module.__doc__.partition("\n\n")[0].rstrip(".").replace("\n", " ")
        cannot = "; ".join(f"{what} ({why})" if why else what for what, why in module.CANNOT.items())
        rows.append(f"| `{name.rpartition('.')[2].replace('_', '-')}` | {title}: `{module.REQUIRES}` | {cannot} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}")
    sys.exit(0)
