"""Cloud Resource Manager v3 over REST: what a caller may do on a whole project."""

import re
from urllib.parse import unquote

from . import errors, jsonbody
from .refusal import Refusal
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

HOST = "cloudresourcemanager.googleapis.com"
_PROJECT = re.compile(r"/v1/projects/([^/:]+)")
_TEST = re.compile(r"/v3/projects/([^/:]+):testIamPermissions")


class ResourceManager:
    """Knobs: disabled, the API is off in the caller's project; conditional,
    permissions that are granted with a condition on names of secrets, which the
    project itself does not have."""

    name = "resourcemanager"
    hosts = (HOST,)

    def __init__(self, tokens, iam, projects):
        self.disabled = False
        self.conditional = set()
        self._tokens = tokens
        self._iam = iam
        self._projects = projects

    def operations(self):
        return ("testIamPermissions", "getProject", "unknown")

    def operation(self, request):
        if request.method == "POST" and _TEST.fullmatch(request.raw_path):
            return "testIamPermissions"
        if request.method == "GET" and _PROJECT.fullmatch(request.raw_path):
            return "getProject"
        return "unknown"

    def answer(self, request, operation):
        if operation == "unknown":
            return errors.html_404(request.path)
        try:
            token = self._caller(request)
            if operation == "getProject":
                return self._project(request)
            body = jsonbody.read(request, {"resource": "string", "permissions": ["string"]})
        except Refusal as refusal:
            return refusal.reply
        asked = body.get("permissions", [])
        project = unquote(_TEST.fullmatch(request.raw_path)[1])
        if not self._known(project):
            return errors.api("PERMISSION_DENIED", "The caller does not have permission")
        granted = [permission for permission in asked if permission not in self.conditional
                   and self._iam.allows(token.identity, permission)]
        value = {"permissions": granted} if granted else {}
        return Reply(200, json_bytes(value), errors.API_HEADERS)

    def _caller(self, request):
        """The token of the caller, who may use the API at all."""
        scheme, _, value = (request.header("Authorization") or "").partition(" ")
        token = self._tokens.find(value)
        if scheme != "Bearer" or token is None or not token.valid:
            raise Refusal(errors.credentials_invalid())
        if token.audience or CLOUD_PLATFORM not in token.scopes:
            raise Refusal(errors.scope_insufficient())
        quota = request.header("X-Goog-User-Project")
        if quota is not None and not (self._known(quota) and self._iam.allows(
                token.identity, "serviceusage.services.use")):
            raise Refusal(errors.user_project_denied(quota))
        if self.disabled:
            raise Refusal(errors.service_disabled(
                service=HOST, title="Cloud Resource Manager API"))
        return token

    def _project(self, request):
        """What Python's client asks to know the project of a workload pool."""
        given = unquote(_PROJECT.fullmatch(request.raw_path)[1])
        for project, number in self._projects.items():
            if given in (project, number):
                value = {"projectNumber": number, "projectId": project,
                         "lifecycleState": "ACTIVE", "name": project}
                return Reply(200, json_bytes(value), errors.API_HEADERS)
        return errors.api("PERMISSION_DENIED", "The caller does not have permission")

    def _known(self, project):
        return project in self._projects or project in self._projects.values()
