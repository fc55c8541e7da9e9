"""The one exception handler of the API: what services refuse, in HubSpot's words and status codes.

Set as EXCEPTION_HANDLER; serves the APIs of both apps.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from rest_framework.response import Response

from associations.errors import InUse, InvalidRecords, LimitReached, Missing, Refused, ValueProblem
from associations.services.derived import TAKEN
from crmproject.api.errors import ApiError, answer, bad_request, not_found, unforeseen

TOLD = 20


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to whatever a view raised."""
    number = getattr(context.get("view"), "correlation_id", "")
    return answer(as_api_error(error), number) or unforeseen(error, number)


def as_api_error(error: Exception) -> Exception:
    """A service's refusal as what the API says of it; anything else as it is."""
    match error:
        case InvalidRecords():
            return invalid_records(error)
        case Missing():
            context = {"ids": [str(id_) for id_ in error.ids[:TOLD]]}
            return not_found(str(error), context=context)
        case LimitReached():
            return bad_request(
                str(error),
                sub_category="crm.associations.ASSOCIATION_LIMIT_EXCEEDED",
                context={"objectIds": [f"{record}-{other}" for record, other in error.pairs[:TOLD]]},
            )
        case InUse():
            return bad_request(str(error), sub_category="crm.IN_USE", context={"uses": error.uses})
        case Refused():
            return bad_request(str(error))
        case ValidationError():
            return _invalid_fields(error)
        case IntegrityError():
            return ApiError(409, "Another request was faster with the same thing; look at what is there, or try again.")
    return error


def invalid_records(error: InvalidRecords) -> ApiError:
    """Values that cannot be kept: 409 with the holder where the only thing wrong is that a value is taken, else 400."""
    first = error.problems[0]
    if all(problem.code == TAKEN for problem in error.problems):
        return ApiError(409, _taken(first), errors=[_told(each) for each in error.problems[:TOLD]])
    told = [
        {
            "isValid": False,
            "message": message_of(problem),
            "error": problem.code,
            "name": problem.property,
            "localizedErrorMessage": message_of(problem),
            "portalId": settings.PORTAL_ID,
        }
        for problem in error.problems[:TOLD]
    ]
    return bad_request(
        f"Property values were not valid: {json.dumps(told, ensure_ascii=False)}",
        errors=[_told(each) for each in error.problems[:TOLD]],
    )


def message_of(problem: ValueProblem) -> str:
    if problem.code == "PROPERTY_DOESNT_EXIST":
        return f'Property "{problem.property[:100]}" does not exist'
    return f"{problem.property} {problem.reason}"


def _taken(problem: ValueProblem) -> str:
    """Clients read the id of the record that is there from this text."""
    if problem.holder is None:
        return f"{problem}."
    return f"{problem.holder_type} already exists. Existing ID: {problem.holder}"


def _told(problem: ValueProblem) -> dict[str, Any]:
    return {
        "message": message_of(problem),
        "code": problem.code,
        "in": f"inputs[{problem.index}].properties.{problem.property[:100]}",
        "context": {"propertyName": [problem.property[:100]]},
    }


def _invalid_fields(error: ValidationError) -> ApiError:
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    told = [(field, message) for field, messages in by_field.items() for message in messages]
    return bad_request(
        " ".join(message if field == NON_FIELD_ERRORS else f"{_camel(field)}: {message}" for field, message in told),
        errors=[{"message": message, "in": _camel(field)} for field, message in told],
    )


def _camel(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)
