"""The WSGI application that the web server (gunicorn) loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmproject.settings")

application = get_wsgi_application()
