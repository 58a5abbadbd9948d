"""Settings. What differs between machines is read and checked in environment.py.

Settings never start anything: ./run does, and exports what it made.
"""

from urllib.parse import urlsplit

from config import environment
from config.environment import BASE_DIR, VAR_DIR

DEBUG = environment.flag("DEBUG", default=False)
SECRET_KEY = environment.secret_key(debug=DEBUG)

SITE_URL = environment.site_url()
ALLOWED_HOSTS = [
    str(urlsplit(SITE_URL).hostname),
    *("127.0.0.1", "localhost", "[::1]"),
    *environment.names("ALLOWED_HOSTS"),
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "config.adminsite.apps.AdminSiteConfig",
    "config.adminsite.apps.DuebookAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_filters",
    "django_q",
    "customfields",
    "billing",
    "contracts",
    "invoicing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Nothing is cached: lists are fast without it, and django-q2 would write its
# statistics to a shared cache twice a second.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
MEDIA_ROOT = VAR_DIR / "media"
# Without the second copy of each file under its plain name.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Said here, because a test run switches DEBUG off after it was read.
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}

globals().update(environment.email())
DEFAULT_FROM_EMAIL = environment.email_address(
    "DEFAULT_FROM_EMAIL", default="Duebook <billing@localhost>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# A contract of many lines and an object with a thousand custom fields are one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# An address with https:// switches everything on that needs it. gunicorn tells
# Django of the https in front of it (X-Forwarded-Proto, from 127.0.0.1 only).
HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = (
    environment.whole_number("SECURE_HSTS_SECONDS", default=31_536_000) if HTTPS else 0
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # HSTS preloading is a promise for a company's whole domain, not for one site.
    "security.W021",
]

WORKERS = environment.whole_number("WORKERS", default=2, at_least=1)

# django-q2 delivers at least once, and its defaults redeliver running work. The
# retry clock starts when a task leaves the queue table, so retry exceeds
# timeout * (1 + queue_limit / workers) with a margin. save_limit 0 keeps every
# result: any other number locks them all after each task.
Q_CLUSTER = {
    "name": "duebook",
    "orm": "default",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,
    "poll": 0.5,
    "timeout": 1800,
    "retry": 5400,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 0,
    "recycle": 500,
    "label": "Background work",
}

LOG_LEVEL = environment.log_level()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers would say everything a second time.
        "django": {"handlers": ["stderr"], "level": LOG_LEVEL, "propagate": False},
    },
}
