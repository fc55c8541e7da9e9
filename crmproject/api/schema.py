"""The OpenAPI document as a whole: which endpoints it tells of, what they are called, and how one gets in.

Called by drf-spectacular, for which settings name this module.
"""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

# Addresses that are others' over again: by date, and older or newer names of a family.
ALIASES = re.compile(r"/\{version\}/|/\{version\}$|^/crm/v3/schemas|^/crm/v4/associations/|^/crm/v3/owners/$")


def leave_out_aliases(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Each endpoint once, by the address that the newest numbered specification has."""
    return [each for each in endpoints if not ALIASES.search(each[0])]


class Schema(AutoSchema):
    def get_operation_id(self) -> str:
        """get_crm_v3_objects_objectType: the address says all there is to say."""
        return f"{self.method.lower()}_{re.sub('[^A-Za-z0-9]+', '_', self.path).strip('_')}"


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "crmproject.api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token made in the admin or by create_api_token"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "crmproject.api.authentication.Session"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A login to the admin"}
