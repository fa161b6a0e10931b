"""Sphinx's settings: Markdown through MyST, docstrings through autodoc, and every warning an error (``make docs``)."""

from turnspan._version import __version__

project = "turnspan"
author = "turnspan contributors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"turnspan {release}"
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
suppress_warnings = ["ref.python"]  # one record is exported by two public modules
nitpicky = False
