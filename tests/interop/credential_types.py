"""Every credential type of the clients: each gets a token and calls with it."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import clients
from proxyserver import ProxyServer
from test_credential_types import (IAM, MIDDLE, ROBOT, SUBJECT_TYPE, TARGET, Files,
                                   federation)

from emulator import Emulator, aws

AWS = {  # keys that exist here only
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret+/of/the/emulator",
    "AWS_SESSION_TOKEN": "session/of/the+emulator==", "AWS_REGION": "us-east-2"}
NAME = "projects/test-project/secrets/s/versions/1"
ACCESS = ["accessSecretVersion", {"name": NAME}]
ID_TOKEN = ["idToken", {"audience": "https://a.example"}]


def user(files):
    files.emulator.make_authorized_user(files.folder / "adc.json")
    return files.folder / "adc.json"


def external(files, **changes):
    return files.external_account(**INTROSPECT, **changes)


def impersonating(files):
    emulator = files.emulator
    emulator.federation.impersonators.add((emulator.federation.identity(), TARGET))
    return external(
        files, service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken")


def delegated(files):
    files.emulator.federation.impersonators |= {(ROBOT, MIDDLE), (MIDDLE, TARGET)}
    return files.impersonated(delegates=[f"projects/-/serviceAccounts/{MIDDLE}"])


def workforce(files):
    return external(files, audience=federation.WORKFORCE,
                    workforce_pool_user_project="billing-project")


def json_file(files):
    path = files.folder / "token.json"
    path.write_text(json.dumps({"nested": files.emulator.federation.subject}))
    return external(files, credential_source={"file": str(path), "format": {
        "type": "json", "subject_token_field_name": "nested"}})


def from_url(files):
    """Over the proxy's tunnel as all else; the name is one of the certificate."""
    return external(files, credential_source={
        "url": "https://sts.googleapis.com/subject?format=json", "format": {
            "type": "json", "subject_token_field_name": "access_token"}})


def executable(files):
    script = files.folder / "give-token"
    reply = {"version": 1, "success": True, "token_type": SUBJECT_TYPE,
             "id_token": files.emulator.federation.subject,
             "expiration_time": 4102444800}
    script.write_text(f"#!{sys.executable}\nprint('''{json.dumps(reply)}''')\n")
    script.chmod(0o700)
    return external(files, credential_source={"executable": {
        "command": str(script), "timeout_millis": 5000}})


def from_aws(files):
    """With keys of the environment: nobody is asked, and the request is signed here."""
    files.emulator.federation.aws[AWS["AWS_ACCESS_KEY_ID"]] = (
        AWS["AWS_SECRET_ACCESS_KEY"], AWS["AWS_SESSION_TOKEN"])
    region = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
    return external(files, subject_token_type=aws.TOKEN_TYPE, credential_source={
        "environment_id": "aws1", "regional_cred_verification_url": region})


def certificate(files):
    """X.509: the exchange itself is mutual TLS, which some clients take no proxy for."""
    config, (chain, key) = files.folder / "certificates.json", files.emulator.workload
    config.write_text(json.dumps({"cert_configs": {"workload": {
        "cert_path": chain, "key_path": key}}, "version": 1}))
    return external(
        files, subject_token_type=federation.MUTUAL,
        token_url=f"https://localhost:{files.emulator.port('mtls')}/v1/token",
        credential_source={
            "certificate": {"certificate_config_location": str(config)}})


# Type -> what makes the file, or None for the metadata server; and what is called.
TYPES = {
    "metadata": (None, ACCESS),
    "metadata, ID token": (None, ID_TOKEN),
    "authorized_user": (user, ACCESS),
    "service_account": (lambda files: files.service_account(), ACCESS),
    "service_account, ID token": (lambda files: files.service_account(), ID_TOKEN),
    "external_account, file": (external, ACCESS),
    "external_account, JSON file": (json_file, ACCESS),
    "external_account, url": (from_url, ACCESS),
    "external_account, executable": (executable, ACCESS),
    "external_account, AWS": (from_aws, ACCESS),
    "external_account, X.509": (certificate, ACCESS),
    "external_account, impersonating": (impersonating, ACCESS),
    "external_account, workforce": (workforce, ACCESS),
    "external_account_authorized_user": (lambda files: files.external_user(**INTROSPECT),
                                         ACCESS),
    "impersonated_service_account": (lambda files: files.impersonated(), ACCESS),
    "impersonated_service_account, delegates": (delegated, ACCESS),
    "impersonated_service_account, ID token": (lambda files: files.impersonated(), ID_TOKEN),
    "gdch_service_account": (lambda files: files.gdch(), ACCESS),
}
# What a client does not have, and what it says then.
LACKS = {
    ("python", "gdch_service_account"): "For GDCH service account credentials, request must",
    ("node", "gdch_service_account"): "does not contain a client_email field",
    ("gcloud", "gdch_service_account"): "has no attribute 'refresh_token'",
    # It sends no token of the source with the request, so it is refused everywhere.
    ("go", "impersonated_service_account, ID token"): "impersonate: status code 401",
}
INTROSPECT = {"token_info_url": "https://sts.googleapis.com/v1/introspect"}  # for gcloud


def run(client, kind, folder):
    make, call = TYPES[kind]
    home = folder / f"{client.name}-{kind}".replace(" ", "").replace(",", "-")
    home.mkdir()
    emulator = Emulator(folder / "certificates").start()
    with emulator, ProxyServer(ports=clients.ports(emulator)) as proxy:
        emulator.secretmanager.put("s", b"a")
        adc = make(Files(emulator, home)) if make else None
        options = {}
        if client.name == "node":
            options = {"endpoint": "localhost", "port": emulator.port("secretmanager")}
        if kind == "gdch_service_account":
            options["audience"] = "https://secretmanager.googleapis.com"
        if client.name == "gcloud":
            outcome = _gcloud(client, call, emulator, proxy, adc, home)
        else:
            outcome, = client.run(emulator, proxy, [call], adc, home, AWS, **options)
        if emulator.crashes:
            return f"the emulator crashed: {emulator.crashes}"
        return verdict(call, outcome, LACKS.get((client.name, kind)))


def _gcloud(client, call, emulator, proxy, adc, home):
    if call is ID_TOKEN:
        words = ["auth", "print-identity-token", "--audiences=https://a.example"]
        outcome = client.command(words, emulator, proxy, adc, home, env=AWS)
        if "reply" in outcome:
            outcome["reply"] = {"token": outcome["reply"]}
        return outcome
    words = ["secrets", "versions", "access", "1", "--secret=s"]
    outcome = client.command(words, emulator, proxy, adc, home, env=AWS)
    if "reply" in outcome:
        outcome["reply"] = {"payload": {"data": {"a": "YQ=="}.get(outcome["reply"])}}
    return outcome


def verdict(call, outcome, lack=None):
    if lack and lack in outcome.get("error", ""):
        return "none"
    if "error" in outcome:
        return outcome["error"]
    if call is ID_TOKEN:
        return "ok" if outcome["reply"]["token"].count(".") == 2 else "no ID token"
    data = outcome["reply"]["payload"]["data"]
    return "ok" if data and data.rstrip("=") == "YQ" else f"read {data}"


def fill(table, found, folder):
    jobs = [(kind, client) for kind in TYPES for client in found]
    with ThreadPoolExecutor(max_workers=3) as pool:
        verdicts = pool.map(lambda job: run(job[1], job[0], folder), jobs)
        for (kind, client), word in zip(jobs, verdicts):
            table.put(kind, client.name, word)
