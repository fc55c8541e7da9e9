"""What the tests of the admin share: signed-in users, the addresses of pages, and what a browser would send back."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from associations.models import Record


def sign_in(*codenames: str) -> Client:
    """A client of a member of staff with just these permissions; without any, of a superuser."""
    user = User.objects.create_user(f"user{User.objects.count()}", is_staff=True, is_superuser=not codenames)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def url(page: str, *args: object, **query: str) -> str:
    """The address of a page such as `record_change`."""
    return reverse(f"admin:associations_{page}", args=args, query=query)


def record_url(record: Record) -> str:
    return url("record_change", record.pk)


class _Fields(HTMLParser):
    """The fields of the form with a given id, as a browser that changes nothing would send them."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.values: dict[str, list[str]] = {}
        self.select = self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        unsaid = "on" if has.get("type") == "checkbox" else ""
        name, value = has.get("name") or "", has.get("value") or unsaid
        if tag == "form":
            self.inside = has.get("id") == self.form_id
        if not self.inside or "disabled" in has:
            return
        if tag == "input" and name and has.get("type") not in ("submit", "button"):
            if has.get("type") not in ("checkbox", "radio") or "checked" in has:
                self.values.setdefault(name, []).append(value)
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in has:
            self.values.setdefault(self.select, []).append(value)
        elif tag == "textarea":
            self.textarea = name
            self.values[name] = [""]

    def handle_data(self, data: str) -> None:
        if self.textarea:
            # A browser leaves out the first line's end, and ends the others in its own way.
            text = data.removeprefix("\r\n").removeprefix("\n")
            self.values[self.textarea][0] += text.replace("\r\n", "\n").replace("\n", "\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.textarea = ""


def fields_on(page: Any, form_id: str) -> dict[str, list[str]]:
    """What the page's form would send if nothing were changed in it."""
    parser = _Fields(form_id)
    parser.feed(page.content.decode())
    assert parser.values, f"there is no form {form_id!r}"
    return parser.values


def submit(client: Client, address: str, form_id: str, **changes: object) -> Any:
    """Open a page, change some fields of its form, send it, and follow to where that leads."""
    data: dict[str, object] = {**fields_on(client.get(address), form_id), **changes}
    return client.post(address, data, follow=True)


def messages_on(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def errors_on(page: Any) -> dict[str, list[str]]:
    """The errors of the page's main form, by field."""
    return dict(page.context["adminform"].form.errors)
