"""Django's settings, derived from `config()`, which reads the MLX_SERVER_* settings."""

from inference.core import data_folder
from inference.core.config import config
from inference.core.installation import INSTALLATION
from inference.fronts.channel_layers import channel_layers
from mlxsite.database import database
from mlxsite.secret import secret_key

CONFIG = config()

SECRET_KEY = secret_key(CONFIG.data_dir)
data_folder.make_private(CONFIG.data_dir)
DEBUG = False
ALLOWED_HOSTS = CONFIG.hosts

INSTALLED_APPS = [
    "daphne",
    "mlxsite.admin_site.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "inference",
    "playground",
]

MIDDLEWARE = [
    "inference.api.ollama.openai_paths.openai_paths",  # before all that look at the path
    "inference.api.http.middleware.json_errors",  # before the others, so that it sees their errors
    "mlxsite.middleware.Security",
    "mlxsite.middleware.SecureCookies",
    "mlxsite.middleware.ContentSecurityPolicy",
    "mlxsite.static_files.static_files",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "mlxsite.middleware.Common",
    "mlxsite.middleware.Csrf",
    "mlxsite.middleware.Authentication",
    "django.contrib.messages.middleware.MessageMiddleware",
    "mlxsite.middleware.XFrameOptions",
]

ROOT_URLCONF = "mlxsite.urls"
ASGI_APPLICATION = "mlxsite.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [INSTALLATION.resources / "templates"],
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

DATABASES = {"default": database(CONFIG)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = channel_layers(CONFIG, SECRET_KEY)

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [INSTALLATION.resources / "static"]
WHITENOISE_USE_FINDERS = True  # no collectstatic step in the newcomer's two commands

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = ["inference.accounts.password_hasher.PasswordHasher"]  # Django's first, two at a time
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
if CONFIG.oidc_issuer:
    AUTHENTICATION_BACKENDS.append("inference.accounts.openid.backend.OpenIDBackend")
PASSWORD_RESET_TIMEOUT = 86_400  # of the links that operators make; no mail is sent

# The body guard in mlxsite/server.py cuts larger uploads before they reach Django; this is the second wall.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(CONFIG.max_body_bytes, CONFIG.picture_body_bytes)
CSRF_TRUSTED_ORIGINS = CONFIG.own_origins
SECURE_HSTS_SECONDS = 365 * 86_400  # sent over TLS alone
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "mlxsite_session"
CSRF_COOKIE_NAME = "mlxsite_csrf"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SILENCED_SYSTEM_CHECKS = [
    # They look for Django's classes by name; mlxsite/middleware.py has subclasses in their places.
    "security.W001",
    "security.W002",
    "security.W003",
    # A proxy redirects to https, and SecureCookies sets the flag wherever TLS was used: on plain
    # http://127.0.0.1 the flag would lock the owner out.
    "security.W008",
    "security.W012",
    "security.W016",
    # Not ours to decide for all hosts below a name.
    "security.W005",
    "security.W021",
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "inference.core.log_lines.of_site"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "ring": {"()": "inference.core.log_ring.ring_of_site"},
    },
    "root": {"handlers": ["console", "ring"], "level": "WARNING"},
    "loggers": {
        "inference": {"level": CONFIG.log_level},
        "playground": {"level": CONFIG.log_level},
        "mlxsite": {"level": CONFIG.log_level},
        "mlxsite.access": {"level": "INFO"},  # MLX_SERVER_ACCESS_LOG switches it
        "django.request": {"level": "ERROR"},
        "channels_redis": {"level": "CRITICAL"},  # front.py says once that the Redis is lost, not each second
    },
}
