"""What the API's two libraries are told, the same in every installation; read by crmproject.settings."""

# How views answer stands in crmproject/api/views.py; a view that forgot to derive from there is for the staff only.
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_SCHEMA_CLASS": "crmproject.api.schema.Schema",
    "EXCEPTION_HANDLER": "associations.api.errors.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Association workflows",
    "DESCRIPTION": "Records, how they are associated, and the workflows that see to it."
    " Addresses, bodies and answers are HubSpot's, so that its clients work here unmodified.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["crmproject.api.schema.leave_out_aliases"],
    "POSTPROCESSING_HOOKS": [],
}
