"""All settings, in one file; whatever differs between installations comes from the environment.

| variable             | meaning                                                    | default                      |
|----------------------|------------------------------------------------------------|------------------------------|
| DATA_DIR             | where the embedded database, queue and secrets are kept    | ./data                       |
| DATABASE_URL         | a PostgreSQL server instead of the embedded SQLite file    | DATA_DIR/crm.sqlite3         |
| REDIS_URL            | a Redis or Valkey server instead of the embedded Valkey    | DATA_DIR/valkey.sock         |
| HOST, PORT           | where `manage.py serve` (`make run`) listens               | 127.0.0.1, 8000              |
| WORKERS              | how many queue workers `manage.py serve` runs              | 2                            |
| DEMO                 | `manage.py serve` loads the demo at its first start        | yes                          |
| SECRET_KEY           | Django's secret key                                        | generated once in DATA_DIR   |
| ALLOWED_HOSTS        | host names this site answers to, comma separated           | localhost,127.0.0.1,[::1]    |
| HTTPS                | the site is served through HTTPS only                      | no                           |
| DEBUG                | Django's debug pages                                       | no                           |
| BEHIND_PROXY         | a proxy in front says in X-Forwarded-Proto what was asked  | no                           |
| CSRF_TRUSTED_ORIGINS | origins whose forms are accepted, comma separated          | none                         |
| CONN_MAX_AGE         | seconds for which a PostgreSQL connection is kept          | 60                           |
| PGBOUNCER            | DATABASE_URL names a PgBouncer that pools by transaction   | no                           |
| LOST_AFTER           | seconds after which a host that is cut off is given up     | 30                           |
| LOG_LEVEL            | from which level on processes report to the console        | WARNING                      |
| TIME_ZONE            | in which dates are shown                                   | UTC                          |
| PHONE_REGION         | region of phone numbers that have no country code          | US                           |
| SWEEP_SECONDS        | how long work may lie about before the sweep takes it up   | 30                           |
| READY_WITHIN       | /readyz fails when an event has waited for more seconds    | 60                           |
| METRICS_TOKEN      | bearer token for /metrics; staff may always                | none                         |
| LOG_FORMAT         | line, or json: one JSON object a line, with all the ids    | line                         |
| EXPORT_DAYS          | how long files of exports are kept                         | 7                            |
| HISTORY_DAYS         | for how long `prune_history` keeps the history             | 180                          |
| LABELS_PER_PAIR      | how many labels one pair of object types may have          | 50                           |
| API_RATE_LIMIT       | API requests of one token in 10 seconds; 0: no limit       | 1000                         |
| API_RATE_LIMIT_DAILY | and in a day; 0: what the other one comes to               | 0                            |
| PORTAL_ID            | the account's number, as API clients know HubSpot's        | 1                            |
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from crmproject.api.settings import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).absolute()


def _secret_key() -> str:
    """The installation's own key: written once and as a whole, readable by its owner only."""
    path = DATA_DIR / "secret_key"
    try:
        if not path.exists():
            DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(50))
            draft.rename(path)
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR {DATA_DIR} cannot be used ({error.strerror}):"
            " it has to be a writable folder with some space; set DATA_DIR to name another."
        ) from error


SECRET_KEY = env.str("SECRET_KEY", default="") or _secret_key()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "crmproject",
    "associations",
    "workflows",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_rq",
    "whitenoise.runserver_nostatic",
    "crmproject.site.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "crmproject.urls"
WSGI_APPLICATION = "crmproject.wsgi.application"

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

# Data -------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database() -> dict[str, Any]:
    url = env.str("DATABASE_URL", default="")
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "crm.sqlite3")}
    if not url.startswith(("postgres://", "postgresql://", "sqlite:///")):
        raise ImproperlyConfigured("DATABASE_URL should look like postgres://user:password@host:5432/name.")
    return dict(env.db_url_config(url))


def _connection_options(lost_after: int, *, on_server: bool) -> dict[str, Any]:
    """After how many seconds either side gives up one that is cut off: in the middle of its work a host holds locks.
    And no compiling of statements, which takes longer than what it saves, again for each of them."""
    keepalives = {"tcp_keepalives_idle": lost_after // 3, "tcp_keepalives_interval": lost_after // 3}
    server = {"tcp_user_timeout": f"{lost_after}s", **keepalives, "tcp_keepalives_count": 2, "jit": "off"}
    options: dict[str, Any] = {
        "connect_timeout": 10,
        "tcp_user_timeout": lost_after * 1000,
        "keepalives_idle": lost_after // 3,
        "keepalives_interval": lost_after // 3,
        "keepalives_count": 2,
    }
    if on_server:
        options["options"] = " ".join(f"-c {name}={value}" for name, value in server.items())
    return options


DATABASES: dict[str, dict[str, Any]] = {"default": _database()}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, who waits for the lock at the start and so never fails in the middle.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 60,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-64000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Pooled by transaction, a connection serves many: nothing may be left behind in it, or be asked at its start.
    PGBOUNCER = env.bool("PGBOUNCER", default=False)
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = PGBOUNCER
    defaults = _connection_options(env.int("LOST_AFTER", default=30), on_server=not PGBOUNCER)
    DATABASES["default"]["OPTIONS"] = defaults | DATABASES["default"].get("OPTIONS", {})

# The queue --------------------------------------------------------------------------------------


def _queue_socket() -> Path:
    """Systems cut a socket's path at 104 or 108 bytes: a DATA_DIR that lies deeper gets a short path of its own."""
    path = DATA_DIR / "valkey.sock"
    if len(os.fsencode(path)) < 104:
        return path
    digest = hashlib.sha256(os.fsencode(DATA_DIR)).hexdigest()[:16]
    return Path("/tmp") / f"crm-{os.getuid()}-{digest}" / "valkey.sock"  # noqa: S108 - serve checks whose it is


# Where the embedded queue listens; None where REDIS_URL names another.
QUEUE_SOCKET = None if env.str("REDIS_URL", default="") else _queue_socket()
REDIS_URL = f"unix://{quote(str(QUEUE_SOCKET))}" if QUEUE_SOCKET else env.str("REDIS_URL")
RQ_QUEUES = {
    # What people wait for: single changes. Then backfills, imports and exports.
    name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 3600, "SERIALIZER": "rq.serializers.JSONSerializer"}
    for name in ("default", "bulk")
}
RQ = {
    # queues.py enqueues on commit itself, so that a queue that is down never fails a save.
    "COMMIT_MODE": "auto",
    "DEFAULT_RESULT_TTL": 0,
    "WORKER_CLASS": "crmproject.workers.JSONWorker",
}

# People -----------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# The API ----------------------------------------------------------------------------------------

API_RATE_LIMIT = env.int("API_RATE_LIMIT", default=1000)
API_RATE_LIMIT_DAILY = env.int("API_RATE_LIMIT_DAILY", default=0)
PORTAL_ID = env.int("PORTAL_ID", default=1)

# Language, time, files --------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
# Served from where the packages keep them: nothing is to be collected before a start.
WHITENOISE_USE_FINDERS = True

# Security ---------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz)$"]  # asked on the host itself, where nobody speaks HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# A workflow with 250 filters is one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# The product ------------------------------------------------------------------------------------

LABELS_PER_PAIR = env.int("LABELS_PER_PAIR", default=50)
HISTORY_DAYS = env.int("HISTORY_DAYS", default=180)
PHONE_REGION = env.str("PHONE_REGION", default="US")
# Whether `manage.py serve` fills an empty database with the demo.
DEMO = env.bool("DEMO", default=True)
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=30)
READY_WITHIN = env.int("READY_WITHIN", default=60)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
EXPORT_DAYS = env.int("EXPORT_DAYS", default=7)
# Which job reads the outbox: associations rings this bell without knowing who listens.
RECORD_EVENTS_JOB = "workflows.jobs.process_events"
# Asked when options of a property go: who names one of them still.
OPTION_USES = "workflows.services.usage.without_options"
# What people can have done to many records at once: classes of BulkKind, of both apps.
BULK_KINDS = {
    "archive": "associations.services.bulk_records.Archive",
    "restore": "associations.services.bulk_records.Restore",
    "export": "associations.services.bulk_records.Export",
    "enroll": "workflows.services.bulk_enrolling.Enroll",
    "replace_label": "workflows.services.replacing.ReplaceLabel",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            # `manage.py serve` names its processes, which share one console.
            "format": f"{{asctime}} {env.str('PROCESS_NAME', default='crm')} {{levelname}} {{name}}: {{message}}",
            "style": "{",
        },
        # Everything a message has besides its text (run, batch, record, …) becomes a key of the object.
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": env.str("LOG_FORMAT", default="line")},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
