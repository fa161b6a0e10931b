"""``make bench``: what turnspan costs, each part in a process of its own, as ratios against a floor of the same run."""

import subprocess
import sys
from pathlib import Path

for part in ("turn", "session_length", "startup", "added", "proof", "stores", "adapters", "pages", "serve"):
    subprocess.run([sys.executable, str(Path(__file__).with_name(f"{part}.py"))], check=True)
