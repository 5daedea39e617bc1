"""The documentation site: Markdown pages, built by Sphinx with MyST; every warning fails the build."""

from __future__ import annotations

import guardrail

project = "guardrail"
author = "the guardrail authors"
version = release = guardrail.__version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# A link to something that is not a page (a file of the repository, say) is a mistake here.
myst_all_links_external = False

html_theme = "furo"
html_title = f"guardrail {version}"
html_copy_source = False
html_show_copyright = False
