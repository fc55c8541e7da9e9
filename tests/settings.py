"""The product's settings as the tests run them; conftest.py moves data, database and queue to temporary places."""

import os

# With a key of its own nothing is written to an installation's DATA_DIR.
os.environ["SECRET_KEY"] = "known-to-everybody-and-so-for-tests-only-0123456789"

from crmproject.settings import *  # noqa: F403

# Users are made in many tests; their passwords protect nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
