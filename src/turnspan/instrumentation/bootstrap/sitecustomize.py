"""Run by Python at the start of every program that ``turnspan run`` starts, and of its children.

The folder of this file is on ``PYTHONPATH``. A ``sitecustomize`` of the user's own, which this one hides, is run too.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  pathlib is slow to import here
elsewhere = [path for path in sys.path if os.path.abspath(path) != here]  # noqa: PTH100
sys.path[:] = elsewhere
hidden = PathFinder.find_spec("sitecustomize", elsewhere)
if hidden is not None and hidden.loader is not None:
    module = module_from_spec(hidden)
    sys.modules["sitecustomize"] = module
    hidden.loader.exec_module(module)

from turnspan.instrumentation.zero_code import begin  # noqa: E402

begin()
