"""The site's settings on a data folder of this test run's own.

Here and not in a conftest, because Django reads its settings before any conftest is imported.
"""

from __future__ import annotations

import os
import tempfile

_folder = tempfile.TemporaryDirectory(prefix="jhalak-test-")
os.environ["JHALAK_DATA"] = _folder.name

from jhalak.site.settings import *  # noqa: E402, F403
