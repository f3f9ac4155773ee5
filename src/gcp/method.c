#include "gcp/method.h"

#include "base/codec.h"
#include "base/format.h"
#include "sys/opt.h"

static const char *
value_of(const struct args *args, struct str name)
{
	const struct {
		const char *name;
		const char *value;
	} values[] = {
		{ "project", args->project }, { "secret", args->secret },
		{ "version", args->version }, { "etag", args->etag },
		{ "filter", args->filter },   { "page", args->page },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (str_eq(name, str_from(values[i].name)))
			return values[i].value;
	return "";
}

static void
write_target(const char *path, const struct args *args, struct buf *out)
{
	struct str rest = str_from(path), text, name;

	while (str_split(&rest, '{', &text)) {
		buf_put_str(out, text);
		if (rest.ptr == NULL)
			break;
		(void)str_split(&rest, '}', &name);
		if (!str_eq(name, STR("location"))) {
			percent_encode(out, str_from(value_of(args, name)));
		} else if (args->location[0] != '\0') {
			buf_put_cstr(out, "/locations/");
			buf_put_cstr(out, args->location);
		}
	}
}

/* Sends the request of `call`, with the current token. */
static enum code
send_authorized(struct secretmanager *sm, const struct method *method,
		struct deadline until, struct status *st)
{
	const struct call_service service = { &sm->conn, sm->name, sm->hints,
					      false };
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
	secrets_add(&sm->call->secrets, cred_token(sm->cred));
	secrets_add(&sm->call->secrets, sm->secret);
	sm->call->expected = method->expected;
	(void)call_run(sm->call, &service, method->verb, fields, count, until,
		       st);
	if (st->code == CODE_UNAUTHENTICATED)
		cred_hint_refused(sm->cred, st);
	buf_wipe(&bearer);
	return st->code;
}

static bool
write_request(struct secretmanager *sm, const struct method *method,
	      const struct args *args)
{
	struct json_writer json;

	call_start(sm->call, &sm->conn);
	write_target(method->path, args, &sm->call->target);
	if (method->body == NULL) {
		buf_put_str(&sm->call->request, args->body);
		return !sm->call->request.overflow;
	}
	json_writer_init(&json, &sm->call->request);
	json_open_object(&json);
	method->body(args, &json);
	json_close(&json);
	return json_writer_done(&json);
}

/* NOT_FOUND from a token's source does not mean a missing secret, and so on. */
static enum code
fetch_token(struct secretmanager *sm, struct deadline until, struct status *st)
{
	(void)cred_fetch(sm->cred, sm->call, sm->listener, until, st);
	if (st->code == CODE_NOT_FOUND || st->code == CODE_ALREADY_EXISTS ||
	    st->code == CODE_FAILED_PRECONDITION)
		st->code = CODE_UNAUTHENTICATED;
	return st->code;
}

/* What a request is charged to. */
static const char *
charged(const struct secretmanager *sm, const struct args *args)
{
	const char *quota = sm->cred->quota_project;

	return quota[0] != '\0' ? quota : args->project;
}

static enum code
wait_for_turn(struct secretmanager *sm, const struct method *method,
	      const struct args *args, struct deadline until, struct status *st)
{
	const struct pacer *pacer = sm->pacer;

	if (pacer == NULL || method->quota == QUOTA_ACCESS)
		return CODE_OK;
	return pacer->wait(pacer->context, method->quota, charged(sm, args),
			   until, st);
}

static void
tell_pacer(const struct secretmanager *sm, const struct method *method,
	   const struct args *args, const struct status *st)
{
	const struct pacer *pacer = sm->pacer;

	if (pacer != NULL && st->code == CODE_RESOURCE_EXHAUSTED)
		pacer->throttled(pacer->context, method->quota,
				 charged(sm, args), st->retry_after_ms);
}

/*
 * Sends it once, or twice: an API that refuses a token has not acted, so one
 * new token is worth a try. The delivery of the token's exchange does not
 * count.
 */
static enum code
call_once(struct secretmanager *sm, const struct method *method,
	  const struct args *args, struct deadline until, struct status *st)
{
	for (unsigned attempt = 1;; attempt++) {
		sm->delivery = NOT_SENT;
		/* The wait may outlast a token. */
		if (wait_for_turn(sm, method, args, until, st) != CODE_OK ||
		    fetch_token(sm, until, st) != CODE_OK)
			return st->code;
		if (!write_request(sm, method, args))
			return status_set(st, CODE_INTERNAL,
					  "the request cannot be built");
		(void)send_authorized(sm, method, until, st);
		tell_pacer(sm, method, args, st);
		sm->delivery = sm->call->delivery;
		if (st->code != CODE_UNAUTHENTICATED ||
		    sm->delivery != ANSWERED || attempt == 2)
			break;
		cred_forget(sm->cred);
		status_clear(st);
	}
	if (st->code == CODE_OK && method->read != NULL &&
	    method->read(sm->call, args, st) != CODE_OK)
		sm->delivery = MAYBE_ACTED;
	return st->code;
}

enum code
method_call(struct secretmanager *sm, const struct method *method,
	    const struct args *given, struct retry *retry, struct status *st)
{
	struct args args = *given;

	args.location = sm->location;
	sm->may_have_acted = false;
	while (call_once(sm, method, &args, retry->until, st) != CODE_OK) {
		sm->may_have_acted |= sm->delivery == MAYBE_ACTED;
		if (!method->idempotent && sm->delivery == MAYBE_ACTED)
			break;
		if (!retry_again(retry, st))
			break;
	}
	return st->code;
}

bool
method_skip_parts(struct str *rest, struct str word, struct str *part)
{
	struct str first;

	return str_split(rest, '/', &first) && str_eq(first, word) &&
	       str_split(rest, '/', part);
}

enum code
method_endpoint(struct url *url, const char *endpoint, const char *service,
		const char *universe, const char *variable, struct status *st)
{
	const char *name = opt_given(
		endpoint != NULL ? variable : "GOOGLE_CLOUD_UNIVERSE_DOMAIN");
	char usual[sizeof(((struct cred *)NULL)->universe) + 32];

	(void)format_text(usual, sizeof(usual), "https://%s.%s", service,
			  universe);
	if (url_parse(url, str_from(endpoint != NULL ? endpoint : usual), name,
		      st) != CODE_OK)
		return st->code;
	if (!url->tls && !url_is_loopback(url))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be https, or http on the loopback",
				  name);
	return CODE_OK;
}

/* {"permissions": [...]} */
void
method_put_permissions(const struct args *args, struct json_writer *json)
{
	json_key(json, "permissions");
	json_open_array(json);
	for (size_t i = 0; i < args->permission_count; i++)
		json_put_string(json, str_from(args->permission[i]));
	json_close(json);
}

enum code
method_read_permissions(struct call *call, const struct args *args,
			struct status *st)
{
	struct json_iter iter =
		json_iter(json_get(json_root(&call->json), "permissions"));

	(void)st;
	for (size_t i = 0; i < args->permission_count; i++)
		args->granted[i] = false;
	while (json_next(&iter))
		for (size_t i = 0; i < args->permission_count; i++)
			if (json_equals(iter.value,
					str_from(args->permission[i])))
				args->granted[i] = true;
	return CODE_OK;
}
