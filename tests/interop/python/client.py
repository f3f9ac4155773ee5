"""Google's own client makes the calls that are asked for, over REST. Prints what came of
each."""

import json
import re
import sys

import google.auth
from google.api_core.exceptions import GoogleAPICallError
from google.auth.transport.requests import Request
from google.cloud import secretmanager_v1
from google.cloud.location import locations_pb2
from google.iam.v1 import iam_policy_pb2
from google.oauth2 import id_token
from google.protobuf import json_format

PLAIN = {  # messages that proto-plus does not wrap
    "getIamPolicy": iam_policy_pb2.GetIamPolicyRequest,
    "setIamPolicy": iam_policy_pb2.SetIamPolicyRequest,
    "testIamPermissions": iam_policy_pb2.TestIamPermissionsRequest,
    "getLocation": locations_pb2.GetLocationRequest,
    "listLocations": locations_pb2.ListLocationsRequest,
}


def snake(name):
    return re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)


def as_json(message):
    message = getattr(message, "_pb", message)
    return json_format.MessageToDict(message)


def make(wanted):
    """A client with the credentials that are found."""
    options = {"api_endpoint": wanted["endpoint"]} if wanted.get("endpoint") else {}
    more = {}
    if wanted.get("audience"):
        credentials, _ = google.auth.default()
        more["credentials"] = credentials.with_gdch_audience(wanted["audience"])
    return secretmanager_v1.SecretManagerServiceClient(
        transport="rest", client_options=options, **more)


def call(client, name, request):
    if name == "idToken":
        return {"token": id_token.fetch_id_token(Request(), request["audience"])}
    if name in PLAIN:
        message = json_format.ParseDict(request, PLAIN[name]())
    else:
        kind = getattr(secretmanager_v1, name[0].upper() + name[1:] + "Request")
        message = kind.from_json(json.dumps(request))
    reply = getattr(client, snake(name))(request=message)
    if reply is None:
        return {}
    if name == "listLocations":  # which has no iterator here
        rows = [as_json(row) for row in reply.locations]
        while reply.next_page_token:
            message.page_token = reply.next_page_token
            reply = client.list_locations(request=message)
            rows += [as_json(row) for row in reply.locations]
        return rows
    if hasattr(reply, "pages"):
        return [as_json(row) for row in reply]
    return as_json(reply)


def outcome(client, name, request):
    try:
        return {"reply": call(client, name, request)}
    except GoogleAPICallError as error:
        return {"error": error.message, "code": error.code}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    wanted = json.loads(sys.argv[1])
    try:
        client = make(wanted)
    except Exception as error:
        print(json.dumps([{"error": f"{type(error).__name__}: {error}"}
                          for _ in wanted["calls"]]))
        return
    print(json.dumps([outcome(client, *row) for row in wanted["calls"]]))


main()
