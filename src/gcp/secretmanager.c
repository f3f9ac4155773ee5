#include "gcp/secretmanager.h"

#include "base/codec.h"
#include "base/format.h"
#include "base/json_write.h"
#include "gcp/method.h"
#include "sys/opt.h"

static const struct conn_limits LIMITS = {
	.dial = { .resolve_ms = 10000, .connect_ms = 5000 },
	.handshake_ms = 10000,
	.first_byte_ms = 30000,
	.exchange_ms = 60000,
};

const char SECRETMANAGER_HINTS[] =
	"SERVICE_DISABLED\0\0"
	"enable the API in the project: gcloud services enable "
	"secretmanager.googleapis.com; with user credentials, set "
	"GOOGLE_CLOUD_QUOTA_PROJECT too\0"
	"IAM_PERMISSION_DENIED|PERMISSION_DENIED\0\0"
	"grant the identity roles/secretmanager.secretVersionAdder and "
	"roles/secretmanager.secretAccessor, and for a new secret "
	"secretmanager.secrets.create; a new binding may take minutes "
	"(--permission-wait)\0"
	"ACCESS_TOKEN_SCOPE_INSUFFICIENT\0\0"
	"the node's or instance's access scopes lack cloud-platform\0"
	"ACCESS_TOKEN_EXPIRED\0\0"
	"the token was new: set the clock here (NTP)\0"
	"FAILED_PRECONDITION|LOCATION_ORG_POLICY_VIOLATED\0"
	"gcp.resourceLocations\0"
	"use locations that the organization allows: --location A,B "
	"(SECRET_LOCATIONS), or --regional LOCATION (SECRET_REGION)\0"
	"FAILED_PRECONDITION|PERMISSION_DENIED\0"
	"cloudkms.\0"
	"check the key's name, and grant roles/cloudkms."
	"cryptoKeyEncrypterDecrypter on it to service-PROJECT_NUMBER"
	"@gcp-sa-secretmanager.iam.gserviceaccount.com\0";

enum code
secretmanager_init(struct secretmanager *sm, const char *endpoint,
		   const char *location, struct cred *cred, struct call *call,
		   const struct retry_listener *listener, struct status *st)
{
	char service[LOCATION_SIZE + 32] = "secretmanager";

	sm->location[0] = '\0';
	if (location != NULL) {
		if (!placement_is_location(str_from(location)))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s must be a location, as us-east1",
					  opt_given("SECRET_REGION"));
		(void)str_copy(str_from(location), sm->location,
			       sizeof(sm->location));
		(void)format_text(service, sizeof(service),
				  "secretmanager.%s.rep", location);
	}
	sm->name = "Secret Manager";
	sm->hints = SECRETMANAGER_HINTS;
	sm->cred = cred;
	sm->call = call;
	sm->listener = listener;
	return method_endpoint(&sm->url, endpoint, service, cred->universe,
			       "SECRET_MANAGER_ENDPOINT", st);
}

void
secretmanager_connect(struct secretmanager *sm, const struct network *network)
{
	conn_init(&sm->conn, &sm->url, network, &LIMITS);
}

/* The Secret. */
static void
put_secret(const struct args *args, struct json_writer *json)
{
	const struct new_secret *new_secret = args->new_secret;
	const struct json_value none = { .json = NULL };

	placement_put(&new_secret->placement, args->location, json);
	(void)pairs_put(&new_secret->labels, "labels", none, NULL, json);
	if (new_secret->annotations.more != NULL)
		(void)pairs_put(&new_secret->annotations, "annotations", none,
				NULL, json);
}

/* {"payload": {"data": BASE64, "dataCrc32c": "N"}} */
static void
put_payload(const struct args *args, struct json_writer *json)
{
	struct str payload = args->payload;

	json_key(json, "payload");
	json_open_object(json);
	json_key(json, "data");
	json_put_base64(json, payload.ptr, payload.len);
	json_key(json, "dataCrc32c");
	json_put_uint_string(json, crc32c(payload.ptr, payload.len));
	json_close(json);
}

/*
 * Takes "projects/P/secrets/SECRET" or, at a location, "projects/P/locations/
 * LOCATION/secrets/SECRET" off the front of a resource name, where P may be the
 * project's number.
 */
static bool
skip_secret_name(struct str *rest, const struct args *args)
{
	struct str part;

	return method_skip_parts(rest, STR("projects"), &part) &&
	       str_only(part, "a-z0-9.:-") &&
	       (args->location[0] == '\0' ||
		(method_skip_parts(rest, STR("locations"), &part) &&
		 str_eq(part, str_from(args->location)))) &&
	       method_skip_parts(rest, STR("secrets"), &part) &&
	       str_eq(part, str_from(args->secret));
}

bool
method_read_version_name(struct json_value value, const struct args *args,
			 struct secret_version *version)
{
	struct str rest, number;

	if (!json_cstr(value, version->name, sizeof(version->name)))
		return false;
	rest = str_from(version->name);
	if (skip_secret_name(&rest, args) &&
	    method_skip_parts(&rest, STR("versions"), &number) &&
	    rest.ptr == NULL && parse_uint(number, &version->number) &&
	    version->number > 0)
		return true;
	wipe(version->name, sizeof(version->name));
	return false;
}

static enum code
read_added(struct call *call, const struct args *args, struct status *st)
{
	struct json_value name = json_get(json_root(&call->json), "name");

	if (!method_read_version_name(name, args, args->found))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply to addVersion does not name a "
				  "version of %s",
				  args->secret);
	return CODE_OK;
}

/*
 * Decodes the payload into the memory of the request, which is free now. A
 * payload with escapes ('=' as \u003d) is decoded by way of that of the body.
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

static enum code
read_accessed(struct call *call, const struct args *args, struct status *st)
{
	struct json_value name = json_get(json_root(&call->json), "name");
	uint64_t number;

	if (!method_read_version_name(name, args, args->found))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply to access does not name a "
				  "version of %s",
				  args->secret);
	if (parse_uint(str_from(args->version), &number) &&
	    number != args->found->number)
		return status_set(st, CODE_DATA_LOSS,
				  "version %s was asked for, the reply is %s",
				  args->version, args->found->name);
	return take_payload(call, args->data, st);
}

static enum code
read_secret(struct call *call, const struct args *args, struct status *st)
{
	struct json_value root = json_root(&call->json);
	struct secret_resource *found = args->resource;
	char name[VERSION_NAME_SIZE];
	struct str rest;

	if (found == NULL)
		return CODE_OK;
	if (!json_cstr(json_get(root, "name"), name, sizeof(name)))
		name[0] = '\0';
	rest = str_from(name);
	if (!skip_secret_name(&rest, args) || rest.ptr != NULL)
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply to get does not name secret %s",
				  args->secret);
	found->whole = root;
	found->labels = json_get(root, "labels");
	found->aliases = json_get(root, "versionAliases");
	if (!json_cstr(json_get(root, "etag"), found->etag,
		       sizeof(found->etag)) ||
	    found->etag[0] == '\0')
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply to get has no usable etag");
	return CODE_OK;
}

static const struct method GET_SECRET = {
	.verb = "GET",
	.path = SECRETS "/{secret}",
	.idempotent = true,
	.quota = QUOTA_READ,
	.expected = CODE_NOT_FOUND,
	.read = read_secret,
};

/* With the etag it deletes only what was read, however often it is sent. */
static const struct method DELETE_SECRET = {
	.verb = "DELETE",
	.path = SECRETS "/{secret}?etag={etag}",
	.idempotent = true,
	.quota = QUOTA_WRITE,
	.expected = CODE_NOT_FOUND,
};

/* Sent twice it makes one secret: ALREADY_EXISTS says so. */
static const struct method CREATE_SECRET = {
	.verb = "POST",
	.path = SECRETS "?secretId={secret}",
	.idempotent = true,
	.quota = QUOTA_WRITE,
	.body = put_secret,
};

/* With the etag it changes only what was read, however often it is sent. */
static const struct method PATCH_SECRET = {
	.verb = "PATCH",
	.path = SECRETS "/{secret}?updateMask=labels,annotations",
	.idempotent = true,
	.quota = QUOTA_WRITE,
};

static const struct method TEST_PERMISSIONS = {
	.verb = "POST",
	.path = SECRETS "/{secret}:testIamPermissions",
	.idempotent = true,
	.quota = QUOTA_READ,
	.body = method_put_permissions,
	.read = method_read_permissions,
};

static const struct method ADD_VERSION = {
	.verb = "POST",
	.path = SECRETS "/{secret}:addVersion",
	.idempotent = false,
	.quota = QUOTA_WRITE,
	.expected = CODE_NOT_FOUND,
	.body = put_payload,
	.read = read_added,
};

static const struct method ACCESS_VERSION = {
	.verb = "GET",
	.path = SECRETS "/{secret}/versions/{version}:access",
	.idempotent = true,
	.read = read_accessed,
};

void
secretmanager_hint(struct status *st, const char *hint)
{
	if (st->code != CODE_PERMISSION_DENIED ||
	    !str_contains(str_from(st->hint), STR("roles/secretmanager.")))
		return;
	st->hint[0] = '\0';
	status_hint(st, "%s", hint);
}

enum code
secretmanager_get(struct secretmanager *sm, const char *project,
		  const char *secret, struct secret_resource *found,
		  struct retry *retry, struct status *st)
{
	const struct args args = { .project = project,
				   .secret = secret,
				   .resource = found };

	return method_call(sm, &GET_SECRET, &args, retry, st);
}

enum code
secretmanager_delete(struct secretmanager *sm, const char *project,
		     const char *secret, const char *etag, struct retry *retry,
		     struct status *st)
{
	const struct args args = { .project = project,
				   .secret = secret,
				   .etag = etag };

	return method_call(sm, &DELETE_SECRET, &args, retry, st);
}

enum code
secretmanager_test_permissions(struct secretmanager *sm, const char *project,
			       const char *secret,
			       const char *const *permission, size_t count,
			       bool *granted, struct retry *retry,
			       struct status *st)
{
	const struct args args = { .project = project,
				   .secret = secret,
				   .permission = permission,
				   .permission_count = count,
				   .granted = granted };

	return method_call(sm, &TEST_PERMISSIONS, &args, retry, st);
}

enum code
secretmanager_create(struct secretmanager *sm, const char *project,
		     const char *secret, const struct new_secret *new_secret,
		     struct retry *retry, struct status *st)
{
	const struct args args = { .project = project,
				   .secret = secret,
				   .new_secret = new_secret };

	return method_call(sm, &CREATE_SECRET, &args, retry, st);
}

enum code
secretmanager_patch(struct secretmanager *sm, const char *project,
		    const char *secret, const struct secret_resource *found,
		    const struct pairs *labels, const struct pairs *annotations,
		    struct buf *body, struct retry *retry, struct status *st)
{
	struct args args = { .project = project, .secret = secret };
	struct buf *scratch = &sm->call->request;
	struct json_writer json;
	bool fits;

	json_writer_init(&json, body);
	json_open_object(&json);
	json_member(&json, "etag", str_from(found->etag));
	fits = pairs_put(labels, "labels", found->labels, scratch, &json) &&
	       pairs_put(annotations, "annotations",
			 json_get(found->whole, "annotations"), scratch, &json);
	json_close(&json);
	if (!fits || !json_writer_done(&json))
		return status_set(st, CODE_RESOURCE_EXHAUSTED,
				  "labels and annotations are too large");
	args.body = buf_view(body);
	return method_call(sm, &PATCH_SECRET, &args, retry, st);
}

enum code
secretmanager_add_version(struct secretmanager *sm, const char *project,
			  const char *secret, struct str payload,
			  struct secret_version *version, struct retry *retry,
			  struct status *st)
{
	const struct args args = { .project = project,
				   .secret = secret,
				   .payload = payload,
				   .found = version };

	(void)method_call(sm, &ADD_VERSION, &args, retry, st);
	buf_reset(&sm->call->request);
	return st->code;
}

enum code
secretmanager_access(struct secretmanager *sm, const char *project,
		     const char *secret, const char *version,
		     struct secret_version *found, struct str *data,
		     struct retry *retry, struct status *st)
{
	const struct args args = { .project = project,
				   .secret = secret,
				   .version = version,
				   .found = found,
				   .data = data };

	return method_call(sm, &ACCESS_VERSION, &args, retry, st);
}
