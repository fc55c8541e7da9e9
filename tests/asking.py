"""A program that asks the API: a test client with a token, and what it sends as JSON."""

from typing import Any

from rest_framework.test import APIClient

from crmproject.api.scopes import SCOPES
from crmproject.api.tokens import create_token


class Asking:
    def __init__(self, client: APIClient) -> None:
        self.client = client

    @classmethod
    def with_token(cls, *scopes: str, **more: Any) -> "Asking":
        _, secret = create_token("a test", scopes or SCOPES, **more)
        return cls.with_secret(secret)

    @classmethod
    def with_secret(cls, secret: str) -> "Asking":
        return cls(APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}"))

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.client.post(path, body, format="json", **more)

    def put(self, path: str, body: Any = None) -> Any:
        return self.client.put(path, body, format="json")

    def patch(self, path: str, body: Any = None) -> Any:
        return self.client.patch(path, body, format="json")

    def delete(self, path: str) -> Any:
        return self.client.delete(path)

    def raw(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        return self.client.post(path, body, content_type=content_type)
