#include "gcp/call.h"

#include <string.h>

#include "base/codec.h"
#include "base/json_walk.h"
#include "base/redact.h"
#include "gcp/rpcstatus.h"

void
call_init(struct call *call)
{
	call->observer = NULL;
	buf_init(&call->target, call->target_memory,
		 sizeof(call->target_memory));
	buf_init(&call->request, call->request_memory,
		 sizeof(call->request_memory));
	buf_init(&call->head, call->head_memory, sizeof(call->head_memory));
	buf_init(&call->body, call->body_memory, sizeof(call->body_memory));
}

void
call_start(struct call *call, const struct conn *conn)
{
	buf_reset(&call->target);
	buf_reset(&call->request);
	call->any_content = false;
	call->expected = CODE_OK;
	call->secrets.count = 0;
	call->secret_len = 0;
	buf_put_cstr(&call->target, conn->url->path);
}

/* The body as JSON; absent if it is not JSON or has another media type. */
static struct json_value
body_json(struct call *call, struct status *why)
{
	if (!http_is_json(&call->response)) {
		(void)status_set(why, CODE_UNAVAILABLE,
				 "the reply is not application/json");
		return (struct json_value){ NULL, 0 };
	}
	if (json_parse(&call->json, buf_view(&call->body), &call->tokens,
		       why) != CODE_OK)
		return (struct json_value){ NULL, 0 };
	return json_root(&call->json);
}

static enum code
read_error(struct call *call, const struct call_service *service,
	   struct json_value root, struct status *st)
{
	const struct error_reply reply = {
		.http_status = call->response.status,
		.json = root,
		.text = service->plain_text ? buf_view(&call->body)
					    : (struct str){ NULL, 0 },
		.hints = service->hints,
		.secrets = &call->secrets,
		.expected = call->expected,
	};

	st->retry_after_ms = http_retry_after_ms(&call->response, clock_unix());
	return rpcstatus_read(&reply, st);
}

static enum code
read_reply(struct call *call, const struct call_service *service,
	   struct status *st)
{
	struct status why = { .code = CODE_OK };
	struct json_value root = body_json(call, &why);
	int http_status = call->response.status;

	if (http_status < 200 || http_status > 299)
		return read_error(call, service, root, st);
	if (call->any_content || json_type(root) == JSON_OBJECT)
		return CODE_OK;
	st->http_status = http_status;
	redact(why.message, &call->secrets); /* it may name members */
	status_hint(st, "something in between answered instead, as a proxy or "
			"a captive portal does: check the endpoint and "
			"HTTPS_PROXY");
	return status_set(st, CODE_UNAVAILABLE,
			  "HTTP %d, but the body cannot be read: %s",
			  http_status,
			  why.code != CODE_OK ? why.message
					      : "it is no JSON object");
}

enum code
call_check_oauth(struct call *call, const struct call_service *service,
		 struct status *st)
{
	struct json_value root = json_root(&call->json);

	if (json_type(json_get(root, "error")) != JSON_STRING)
		return CODE_OK;
	(void)read_error(call, service, root, st);
	status_prefix(st, "the reply of %s", service->name);
	return st->code;
}

/* Once it was sent it is kept only to be kept out of messages, so decoded. */
static void
decode_secret(struct call *call)
{
	struct str sent = { call->request.ptr + call->secret_from,
			    call->secret_len };
	struct buf plain;

	buf_init(&plain, call->request.ptr + call->secret_from, sent.len);
	if (percent_decode(&plain, sent))
		secrets_add(&call->secrets, buf_view(&plain));
}

/* Whether a reply that gave `code` tells what the server did. */
static enum delivery
delivery_of(int http_status, enum code code)
{
	if (http_status >= 200 && http_status <= 299)
		return code == CODE_OK ? ANSWERED : MAYBE_ACTED;
	if (http_status >= 500 || http_status == 408 ||
	    code == CODE_CANCELLED || code == CODE_DEADLINE_EXCEEDED ||
	    code == CODE_INTERNAL || code == CODE_UNAVAILABLE)
		return MAYBE_ACTED;
	return ANSWERED;
}

static void
notify(const struct call *call, const struct call_service *service,
       const char *method, struct str path, int64_t started, enum code code)
{
	const struct call_event event = {
		.method = method,
		.path = path,
		.service = service->name,
		.code = code,
		.http_status = call->response.status,
		.duration_ms = clock_ms() - started,
		.usage = &service->conn->usage,
	};

	if (call->observer != NULL)
		call->observer->notify(call->observer->context, &event);
}

enum code
call_run(struct call *call, const struct call_service *service,
	 const char *method, const struct http_field *fields, size_t count,
	 struct deadline until, struct status *st)
{
	struct http_request request = {
		.method = method,
		.authority = service->conn->url->authority,
		.fields = fields,
		.field_count = count,
		.body = buf_view(&call->request),
	};
	const struct proxy *proxy = service->conn->proxy;
	int64_t started = clock_ms();
	struct str path;

	if (call->target.len == 0)
		buf_put_char(&call->target, '/');
	request.target = path = buf_view(&call->target);
	path.len = str_find(path, '?');
	buf_reset(&call->head);
	buf_reset(&call->body);
	http_response_init(&call->response, method, &call->head, &call->body);
	call->delivery = NOT_SENT;
	if (call->target.overflow || call->request.overflow) {
		st->permanent = true;
		(void)status_set(st, CODE_INTERNAL, "the request is too large");
	} else if (conn_exchange(service->conn, &request, &call->response,
				 until, &call->delivery, st) == CODE_OK) {
		/* A proxy that opens TLS may quote it, too. */
		if (proxy != NULL)
			secrets_add(&call->secrets, str_from(proxy->login));
		if (call->secret_len > 0)
			decode_secret(call);
		call->delivery = delivery_of(call->response.status,
					     read_reply(call, service, st));
	}
	notify(call, service, method, path, started, st->code);
	if (st->code != CODE_OK && !status_interrupted(st))
		status_prefix(st, "%s %.*s of %s", method, (int)path.len,
			      path.ptr, service->name);
	return st->code;
}

void
call_reset(struct call *call)
{
	buf_reset(&call->target);
	buf_reset(&call->request);
	buf_reset(&call->head);
	buf_reset(&call->body);
}

void
call_wipe(struct call *call)
{
	buf_wipe(&call->target);
	buf_wipe(&call->request);
	buf_wipe(&call->head);
	buf_wipe(&call->body);
}
