"""What official clients ask first: the account, what a token may do, and who people are. Nothing here writes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from crmproject.models import ApiToken

from . import tokens
from .documenting import AFTER, documented, limit, query
from .errors import bad_request, iso, not_found
from .paging import collection, next_page, read_after, read_id, read_limit
from .reading import Model, read_body
from .scopes import OWNERS, Needs
from .views import ApiView

Json = dict[str, Any]
TAG = "Account"
MOST = 500


class PortalInformation(Model):
    portal_id: int
    account_type: str
    time_zone: str
    company_currency: str
    additional_currencies: list[str]
    utc_offset: str
    utc_offset_milliseconds: int
    ui_domain: str
    data_hosting_location: str


class AccessTokenKey(Model):
    token_key: str


class AccessTokenInfo(Model):
    user_id: int
    hub_id: int
    app_id: int
    scopes: list[str]


class AccessToken(Model):
    token: str
    token_type: str
    user: str
    user_id: int
    hub_id: int
    hub_domain: str
    app_id: int
    scopes: list[str]
    expires_in: int


class Owner(Model):
    id: str
    type: str
    email: str
    first_name: str
    last_name: str
    user_id: int
    user_id_including_inactive: int
    created_at: str
    updated_at: str
    archived: bool


class CollectionResponseOwner(Model):
    results: list[Owner]
    paging: Json | None = None


class Details(ApiView):
    name = "Account"

    def needs(self) -> Needs:
        return Needs()

    @documented("The account's details", {200: PortalInformation}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        offset = timezone.localtime().utcoffset()
        seconds = int(offset.total_seconds()) if offset else 0
        hours, minutes = divmod(abs(seconds) // 60, 60)
        return Response(
            {
                "portalId": settings.PORTAL_ID,
                "accountType": "STANDARD",
                "timeZone": settings.TIME_ZONE,
                "companyCurrency": "USD",
                "additionalCurrencies": [],
                "utcOffset": f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}",
                "utcOffsetMilliseconds": seconds * 1000,
                "uiDomain": request.get_host(),
                "dataHostingLocation": "na1",
            }
        )


class PrivateAppToken(ApiView):
    """Whoever has a token may know what it is good for."""

    name = "Access token information"

    def needs(self) -> Needs:
        return Needs()

    def example(self) -> Any:
        return {"tokenKey": ""}

    @documented("What a token may do", {200: AccessTokenInfo}, body=AccessTokenKey, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        token = _found(read_body(request, AccessTokenKey).token_key)
        portal = settings.PORTAL_ID
        return Response({"userId": _user_id(token), "hubId": portal, "appId": token.pk, "scopes": token.scopes})


class OAuthToken(ApiView):
    """The token in the address is all it takes, as at HubSpot."""

    name = "Access token"
    authentication_classes = []
    permission_classes = []
    throttle_classes = []

    @documented("What a token may do, and how long", {200: AccessToken}, tag=TAG)
    def get(self, request: Request, token: str) -> Response:
        found = _found(token)
        left = int((found.expires_at - timezone.now()).total_seconds()) if found.expires_at else 0
        return Response(
            {
                "token": token,
                "token_type": "access",
                "user": found.user.email if found.user else "",
                "user_id": _user_id(found),
                "hub_id": settings.PORTAL_ID,
                "hub_domain": request.get_host(),
                "app_id": found.pk,
                "scopes": found.scopes,
                "expires_in": left,
            }
        )


def _found(secret: str) -> ApiToken:
    token = tokens.find_token(secret)
    now = timezone.now()
    if token is None or token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now):
        raise not_found("There is no such access token, or it is not good any more.")
    return token


def _user_id(token: ApiToken) -> int:
    """Who made the token; the first administrator for one that a command made, as clients go on to look them up."""
    if token.user_id:
        return token.user_id
    first = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").values_list("pk", flat=True).first()
    return first or 0


# Owners -----------------------------------------------------------------------------------------


class OwnerView(ApiView):
    def needs(self) -> Needs:
        return Needs((OWNERS,), "auth.view_user")


class Owners(OwnerView):
    name = "Owners"

    @documented(
        "The people who can log in here",
        {200: CollectionResponseOwner},
        parameters=[limit(100, MOST), AFTER, query("email", "Only who has this address")],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        most, after = read_limit(request, default=100, most=MOST), read_after(request.query_params.get("after"))
        people = User.objects.filter(is_active=request.query_params.get("archived") != "true", pk__gt=after)
        if email := request.query_params.get("email"):
            people = people.filter(email__iexact=email)
        found = list(people.order_by("pk")[: most + 1])
        paging = next_page(request, found[most - 1].pk) if len(found) > most else None
        return Response(collection([_owner(each) for each in found[:most]], paging))


class OneOwner(OwnerView):
    name = "Owner"

    @documented(
        "One of the people",
        {200: Owner},
        parameters=[query("idProperty", "What the id is; here both are the same", enum=["id", "userId"], default="id")],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        if (kind := request.query_params.get("idProperty") or "id") not in ("id", "userId"):
            raise bad_request(f"idProperty should be id or userId, not {kind:.40}.")
        id_ = read_id(kwargs["ownerId"])
        person = User.objects.filter(pk=id_).first() if id_ is not None else None
        if person is None:
            raise not_found(f"There is no owner {kwargs['ownerId']:.40}.")
        return Response(_owner(person))


def _owner(person: User) -> Json:
    return {
        "id": str(person.pk),
        "type": "PERSON",
        "email": person.email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "userId": person.pk,
        "userIdIncludingInactive": person.pk,
        "createdAt": iso(person.date_joined),
        "updatedAt": iso(person.last_login or person.date_joined),
        "archived": not person.is_active,
    }
