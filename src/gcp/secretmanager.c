#include "gcp/secretmanager.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/json_write.h"
#include "base/redact.h"

static const struct conn_limits LIMITS = {
	.dial = { .resolve_ms = 10000, .connect_ms = 5000 },
	.handshake_ms = 10000,
	.first_byte_ms = 30000,
	.exchange_ms = 60000,
};

enum code
secretmanager_init(struct secretmanager *sm, const char *endpoint,
		   struct cred *cred, struct call *call,
		   const struct retry_listener *listener, struct status *st)
{
	char usual[sizeof(cred->universe) + 32];

	sm->cred = cred;
	sm->call = call;
	sm->listener = listener;
	(void)snprintf(usual, sizeof(usual), "https://secretmanager.%s",
		       cred->universe);
	if (url_parse(&sm->url, str_from(endpoint != NULL ? endpoint : usual),
		      "SECRET_MANAGER_ENDPOINT", st) != CODE_OK)
		return st->code;
	if (!sm->url.tls && !url_is_loopback(&sm->url))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "SECRET_MANAGER_ENDPOINT must be https, or "
				  "http on the loopback");
	return CODE_OK;
}

void
secretmanager_connect(struct secretmanager *sm, const struct trust *trust,
		      const struct resolver_config *resolver,
		      const struct proxy *proxy)
{
	conn_init(&sm->conn, &sm->url, trust, resolver, &LIMITS);
	conn_use_proxy(&sm->conn, proxy);
}

/* One call of the API, from which its request is written. */
struct operation {
	enum {
		GET_SECRET,
		CREATE_SECRET,
		ADD_VERSION,
		ACCESS_VERSION,
		TEST_PERMISSIONS
	} kind;
	const char *project;
	const char *secret;
	const char *version;        /* ACCESS_VERSION */
	struct str payload;         /* ADD_VERSION */
	const struct label *labels; /* CREATE_SECRET */
	size_t label_count;
	const char *const *permission; /* TEST_PERMISSIONS */
	size_t permission_count;
};

static void
write_target(const struct operation *op, struct buf *out)
{
	buf_put_cstr(out, "/v1/projects/");
	percent_encode(out, str_from(op->project));
	buf_put_cstr(out, "/secrets");
	if (op->kind == CREATE_SECRET) {
		buf_put_cstr(out, "?secretId=");
		buf_put_cstr(out, op->secret);
		return;
	}
	buf_put_char(out, '/');
	buf_put_cstr(out, op->secret);
	if (op->kind == ADD_VERSION)
		buf_put_cstr(out, ":addVersion");
	if (op->kind == TEST_PERMISSIONS)
		buf_put_cstr(out, ":testIamPermissions");
	if (op->kind != ACCESS_VERSION)
		return;
	buf_put_cstr(out, "/versions/");
	buf_put_cstr(out, op->version);
	buf_put_cstr(out, ":access");
}

/* The Secret: {"replication": {"automatic": {}}, "labels": {...}}. */
static bool
write_secret(const struct operation *op, struct buf *out)
{
	struct json_builder json;

	json_build(&json, out);
	json_open_object(&json);
	json_key(&json, "replication");
	json_open_object(&json);
	json_key(&json, "automatic");
	json_open_object(&json);
	json_close(&json);
	json_close(&json);
	json_key(&json, "labels");
	json_open_object(&json);
	for (size_t i = 0; i < op->label_count; i++)
		json_member(&json, op->labels[i].key,
			    str_from(op->labels[i].value));
	json_close(&json);
	json_close(&json);
	return json_built(&json);
}

/* {"payload": {"data": BASE64, "dataCrc32c": "N"}} */
static bool
write_payload(const struct operation *op, struct buf *out)
{
	struct json_builder json;

	json_build(&json, out);
	json_open_object(&json);
	json_key(&json, "payload");
	json_open_object(&json);
	json_key(&json, "data");
	json_put_base64(&json, op->payload.ptr, op->payload.len);
	json_key(&json, "dataCrc32c");
	json_put_uint_string(&json, crc32c(op->payload.ptr, op->payload.len));
	json_close(&json);
	json_close(&json);
	return json_built(&json);
}

/* {"permissions": [...]} */
static bool
write_permissions(const struct operation *op, struct buf *out)
{
	struct json_builder json;

	json_build(&json, out);
	json_open_object(&json);
	json_key(&json, "permissions");
	json_open_array(&json);
	for (size_t i = 0; i < op->permission_count; i++)
		json_put_string(&json, str_from(op->permission[i]));
	json_close(&json);
	json_close(&json);
	return json_built(&json);
}

static bool
write_request(struct secretmanager *sm, const struct operation *op)
{
	call_start(sm->call, &sm->conn);
	write_target(op, &sm->call->target);
	switch (op->kind) {
	case CREATE_SECRET:
		return write_secret(op, &sm->call->request);
	case ADD_VERSION:
		return write_payload(op, &sm->call->request);
	case TEST_PERMISSIONS:
		return write_permissions(op, &sm->call->request);
	case GET_SECRET:
	case ACCESS_VERSION:
		break;
	}
	return true;
}

/* Sends what stands in `call`, with the token that is there. */
static enum code
send_authorized(struct secretmanager *sm, const char *method,
		struct deadline until, struct status *st)
{
	const struct call_service service = { &sm->conn, "Secret Manager" };
	const char *quota = sm->cred->quota_project;
	struct http_field fields[3];
	struct buf bearer;
	size_t count = 0;

	buf_init(&bearer, sm->bearer, sizeof(sm->bearer));
	buf_put_cstr(&bearer, "Bearer ");
	buf_put_str(&bearer, cred_token(sm->cred));
	fields[count++] =
		(struct http_field){ STR("Authorization"), buf_view(&bearer) };
	if (sm->call->request.len > 0)
		fields[count++] =
			(struct http_field){ STR("Content-Type"),
					     STR("application/json") };
	if (quota[0] != '\0')
		fields[count++] =
			(struct http_field){ STR("X-Goog-User-Project"),
					     str_from(quota) };
	(void)call_run(sm->call, &service, method, fields, count, until, st);
	/* The server saw them and may quote them. */
	redact_status(st, cred_token(sm->cred));
	redact_status(st, sm->secret);
	buf_wipe(&bearer);
	return st->code;
}

/* An API that refuses a token has not acted: one new token is worth a try. */
static enum code
run_operation(struct secretmanager *sm, const struct operation *op,
	      struct deadline until, struct status *st)
{
	const char *method =
		op->kind == GET_SECRET || op->kind == ACCESS_VERSION ? "GET"
								     : "POST";

	for (unsigned attempt = 1;; attempt++) {
		if (cred_fetch(sm->cred, sm->call, sm->listener, until, st) !=
		    CODE_OK)
			return st->code;
		if (!write_request(sm, op))
			return status_set(st, CODE_INTERNAL,
					  "the request cannot be built");
		if (send_authorized(sm, method, until, st) !=
			    CODE_UNAUTHENTICATED ||
		    attempt == 2)
			return st->code;
		cred_forget(sm->cred);
		status_clear(st);
	}
}

enum code
secretmanager_get(struct secretmanager *sm, const char *project,
		  const char *secret, struct deadline until, struct status *st)
{
	const struct operation op = { .kind = GET_SECRET,
				      .project = project,
				      .secret = secret };

	return run_operation(sm, &op, until, st);
}

enum code
secretmanager_test_permissions(struct secretmanager *sm, const char *project,
			       const char *secret,
			       const char *const *permission, size_t count,
			       bool *granted, struct deadline until,
			       struct status *st)
{
	const struct operation op = { .kind = TEST_PERMISSIONS,
				      .project = project,
				      .secret = secret,
				      .permission = permission,
				      .permission_count = count };
	struct json_iter iter;

	for (size_t i = 0; i < count; i++)
		granted[i] = false;
	if (run_operation(sm, &op, until, st) != CODE_OK)
		return st->code;
	iter = json_iter(json_get(json_root(&sm->call->json), "permissions"));
	while (json_next(&iter))
		for (size_t i = 0; i < count; i++)
			if (json_equals(iter.value, str_from(permission[i])))
				granted[i] = true;
	return CODE_OK;
}

enum code
secretmanager_create(struct secretmanager *sm, const char *project,
		     const char *secret, const struct label *labels,
		     size_t count, struct deadline until, struct status *st)
{
	const struct operation op = { .kind = CREATE_SECRET,
				      .project = project,
				      .secret = secret,
				      .labels = labels,
				      .label_count = count };

	return run_operation(sm, &op, until, st);
}

/*
 * Checks "projects/P/secrets/SECRET/versions/N": the project may be its
 * number, secret and number must be there.
 */
static bool
take_name(struct json_value value, const char *secret,
	  struct secret_version *version)
{
	struct str rest, part[6];
	size_t parts = 0;
	bool good;

	if (!json_cstr(value, version->name, sizeof(version->name)))
		return false;
	rest = str_from(version->name);
	while (parts < 6 && str_split(&rest, '/', &part[parts]))
		parts++;
	good = parts == 6 && rest.ptr == NULL &&
	       str_eq(part[0], STR("projects")) &&
	       str_only(part[1], "a-z0-9.:-") &&
	       str_eq(part[2], STR("secrets")) &&
	       str_eq(part[3], str_from(secret)) &&
	       str_eq(part[4], STR("versions")) &&
	       parse_uint(part[5], &version->number) && version->number > 0;
	if (!good)
		wipe(version->name, sizeof(version->name));
	return good;
}

enum code
secretmanager_add_version(struct secretmanager *sm, const char *project,
			  const char *secret, struct str payload,
			  struct secret_version *version, struct deadline until,
			  struct status *st)
{
	const struct operation op = { .kind = ADD_VERSION,
				      .project = project,
				      .secret = secret,
				      .payload = payload };
	struct json_value root;

	if (run_operation(sm, &op, until, st) != CODE_OK) {
		/* It may have acted before it failed. */
		if (st->http_status >= 500 || st->http_status == 408 ||
		    (st->http_status >= 200 && st->http_status < 300))
			st->ambiguous = true;
	} else {
		root = json_root(&sm->call->json);
		version->checksum_seen = json_is_true(
			json_get(root, "clientSpecifiedPayloadChecksum"));
		if (!take_name(json_get(root, "name"), secret, version)) {
			st->ambiguous = true;
			(void)status_set(st, CODE_UNAVAILABLE,
					 "the reply to addVersion does not "
					 "name a version of %s",
					 secret);
		}
	}
	buf_reset(&sm->call->request);
	return st->code;
}

/*
 * Decodes the payload into the memory of the request, which is free now. A
 * payload with escapes ('=' as \u003d) takes the way over that of the body.
 */
static bool
decode_payload(struct call *call, struct json_value text, struct str *data)
{
	buf_reset(&call->request);
	if (json_is_plain(text)) {
		*data = json_raw(text);
		if (!base64_decode_any(&call->request, *data))
			return false;
		*data = buf_view(&call->request);
		return true;
	}
	if (!json_string(text, &call->request))
		return false;
	buf_reset(&call->body);
	if (!base64_decode_any(&call->body, buf_view(&call->request)))
		return false;
	*data = buf_view(&call->body);
	return true;
}

static enum code
take_payload(struct call *call, struct str *data, struct status *st)
{
	struct json_value payload = json_get(json_root(&call->json), "payload");
	struct json_value crc = json_get(payload, "dataCrc32c");
	bool checked = json_type(crc) != JSON_ABSENT;
	uint64_t expected = 0;
	bool readable = !checked || json_uint(crc, &expected);

	if (!decode_payload(call, json_get(payload, "data"), data))
		return status_set(st, CODE_DATA_LOSS,
				  "the reply's payload.data is no base64");
	if (!readable || (checked && expected != crc32c(data->ptr, data->len)))
		return status_set(st, CODE_DATA_LOSS,
				  "the payload that came back does not match "
				  "its own dataCrc32c");
	return CODE_OK;
}

enum code
secretmanager_access(struct secretmanager *sm, const char *project,
		     const char *secret, const char *version,
		     struct secret_version *found, struct str *data,
		     struct deadline until, struct status *st)
{
	const struct operation op = { .kind = ACCESS_VERSION,
				      .project = project,
				      .secret = secret,
				      .version = version };
	struct json_value name;

	if (run_operation(sm, &op, until, st) != CODE_OK)
		return st->code;
	name = json_get(json_root(&sm->call->json), "name");
	if (!take_name(name, secret, found))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply to access does not name a "
				  "version of %s",
				  secret);
	return take_payload(sm->call, data, st);
}
