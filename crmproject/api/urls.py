"""The addresses of what official clients ask first."""

from __future__ import annotations

from django.urls import path

from . import account

urlpatterns = [
    path("account-info/v3/details", account.Details.as_view()),
    path("account-info/<dated:version>/details", account.Details.as_view()),
    path("oauth/v2/private-apps/get/access-token-info", account.PrivateAppToken.as_view()),
    path("oauth/v1/access-tokens/<str:token>", account.OAuthToken.as_view()),
    path("crm/v3/owners", account.Owners.as_view()),
    path("crm/v3/owners/", account.Owners.as_view()),
    path("crm/v3/owners/<str:ownerId>", account.OneOwner.as_view()),
    path("crm/owners/<dated:version>", account.Owners.as_view()),
    path("crm/owners/<dated:version>/<str:ownerId>", account.OneOwner.as_view()),
]
