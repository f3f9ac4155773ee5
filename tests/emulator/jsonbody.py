"""The JSON body of a request to one of Google's APIs, or the refusal it deserves."""

from . import errors, protojson
from .refusal import Refusal


def read(request, schema, path=""):
    """The body as a message; nothing, where there is none.

    path is the field that the body fills.
    """
    if not request.body:
        return {}
    if request.media_type != "application/json":
        raise Refusal(errors.invalid_json(
            "Invalid JSON payload received. Unknown name "
            f'"{request.body[:20].decode("latin-1")}": Cannot bind query parameter. '
            "Field could not be found in request message."))
    try:
        return protojson.message(protojson.loads(request.body), schema, path)
    except protojson.Malformed as problem:
        raise Refusal(errors.malformed_json(problem.snippet)) from None
    except protojson.Unfit as problem:
        raise Refusal(errors.invalid_json(problem.message, problem.field)) from None
