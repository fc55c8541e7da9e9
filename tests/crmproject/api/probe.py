"""A view that does next to nothing, to try what all API views have in common."""

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from associations.errors import LimitReached
from crmproject.api.paging import collection, next_page, read_after, read_limit
from crmproject.api.reading import Id, Model, Number, Scalar, read_body
from crmproject.api.scopes import Needs
from crmproject.api.views import ApiView


class Thing(Model):
    id: Id
    type_id: Number = 0
    properties: dict[str, Scalar] = {}


class Probe(ApiView):
    def needs(self) -> Needs:
        verb = "write" if self.writes else "read"
        permission = "change_record" if self.writes else "view_record"
        return Needs((f"crm.objects.contacts.{verb}",), f"associations.{permission}")

    def get(self, request: Request) -> Response:
        limit, after = read_limit(request, default=10, most=100), read_after(request.query_params.get("after"))
        return Response(collection(range(after, after + limit), next_page(request, after + limit)))

    def post(self, request: Request) -> Response:
        return Response(read_body(request, Thing).model_dump(by_alias=True), status=201)

    def put(self, request: Request) -> Response:
        raise LimitReached("too many", [(1, 2)])

    def delete(self, request: Request) -> Response:
        raise RuntimeError("nobody foresaw this")


urlpatterns = [path("crm/probe", Probe.as_view()), path("", include("crmproject.urls"))]
