"""The WSGI application that the web server (gunicorn) loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmproject.settings")

application = get_wsgi_application()
# It stays for ever: to look through all of it for garbage holds a request up for tens of milliseconds.
gc.freeze()
