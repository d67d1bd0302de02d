"""The application that a server imports: settings first, then Django, then the planes."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
django.setup()

from mindstage.config.logs import log_stray_exceptions  # noqa: E402
from mindstage.config.planes import Application  # noqa: E402 - its models need the settings

log_stray_exceptions()
application = Application()
