"""The web server's application with the floors' addresses."""

from .floor_server import application as application
from .floor_server import serve_floors

serve_floors()
