"""Makes the clock of every Python process that has this folder on PYTHONPATH run DAYS_LATER days ahead.

Python imports a module of this name at its start. The program itself has no switch for it.
"""

from __future__ import annotations

import os
from datetime import timedelta

from mindstage.kit import clock

clock._shift = timedelta(days=int(os.environ["DAYS_LATER"]))
