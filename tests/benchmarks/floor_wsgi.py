"""The web server's application with the floors' addresses."""

from crmproject.wsgi import application  # sets Django up, which models need

from .floor_server import serve_floors

serve_floors()
__all__ = ["application"]
