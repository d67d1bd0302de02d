"""Every setting of the framework, in one file. What differs between instances comes from configuration.py."""

from __future__ import annotations

from django.utils.csp import CSP

from mindstage.config.configuration import load
from mindstage.config.databases import database
from mindstage.config.mail import mailers
from mindstage.kit.addresses import EVERYWHERE, as_name
from mindstage.vault.root_key import framework_secret

MINDSTAGE = load()

DEBUG = MINDSTAGE.debug
SECRET_KEY = framework_secret(MINDSTAGE.keys_dir)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *MINDSTAGE.allowed_hosts]
if MINDSTAGE.host not in EVERYWHERE:
    ALLOWED_HOSTS.append(as_name(MINDSTAGE.host))

INSTALLED_APPS = [
    "mindstage.ui",
    "mindstage.datamap",
    "mindstage.ledger",
    "mindstage.vault",
    "mindstage.accounts",
    "mindstage.gateway",
    "mindstage.library",
    "mindstage.stories",
    "mindstage.rights",
    "mindstage.ops",
]

# Outermost what every page carries, also one that is refused before it reaches a room.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mindstage.ui.middleware.PrivatePagesMiddleware",
    "django.middleware.common.CommonMiddleware",  # refuses names of hosts that are not ours; adds a missing slash
    "django.middleware.gzip.GZipMiddleware",
    "mindstage.accounts.middleware.SessionMiddleware",
    "mindstage.rights.middleware.GlobalPrivacyControlMiddleware",
    "mindstage.ui.middleware.SecureCookiesMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "mindstage.ui.middleware.NotAllowedMiddleware",
]

ROOT_URLCONF = "mindstage.config.urls"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "mindstage.ui.context.every_page",
                "mindstage.accounts.context.who_is_here",
                "mindstage.rights.context.policy_banner",
            ],
        },
    }
]

DATABASES = {
    "default": database(MINDSTAGE.database_url, MINDSTAGE.database_file),
    "keystore": database(MINDSTAGE.keystore_url, MINDSTAGE.keystore_file, keystore=True),
}
DATABASE_ROUTERS = ["mindstage.config.databases.KeystoreRouter"]

# Nothing is cached outside the process; the key function hides what a key is about, should that ever change.
# MAX_ENTRIES: a full cache drops entries, and a dropped counter would be tries given back.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "TIMEOUT": 900,
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

MAILERS = mailers(MINDSTAGE.mail)
SILENCED_SYSTEM_CHECKS = ["mail.W001"]
"""An instance without a mail server is whole: nothing is offered that would need one."""

TASKS = {"default": {"BACKEND": "mindstage.ops.jobs.JobBackend"}}

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

SESSION_COOKIE_NAME = "session"
CSRF_COOKIE_NAME = "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "mindstage.ui.views.csrf_failure"
COOKIES = ("session", "door", "csrf", "theme")
"""Every cookie that the program sets; the data map declares each."""

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.NONCE, CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["mindstage"],
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 21 * 1024 * 1024
"""An uploaded card stays in memory: a temporary file would be a clear copy on the disk."""
FILE_UPLOAD_HANDLERS = ["mindstage.library.uploads.MemoryOnlyUploadHandler"]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One stream, to the terminal. Nothing logs a request line, a body or a person; see docs/subsystems/data-map.md.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "mindstage.config.logs.PlainFormatter"}},
    "handlers": {"terminal": {"class": "mindstage.config.logs.TerminalHandler", "formatter": "plain"}},
    "root": {"handlers": ["terminal"], "level": "WARNING"},
    "loggers": {
        "mindstage": {"level": "INFO"},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "CRITICAL"},
        "django.server": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "django.security": {"level": "CRITICAL"},
        "fido2": {"level": "WARNING"},  # at INFO it writes each credential's identifier
        "uvicorn.access": {"level": "CRITICAL"},
        "asyncio": {"level": "CRITICAL"},
    },
}
