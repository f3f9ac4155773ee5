/*
 * Floor 3, Google. One call of a JSON API: request out, JSON or error in.
 */
#ifndef GCP_CALL_H
#define GCP_CALL_H

#include "base/json.h"
#include "base/redact.h"
#include "net/conn.h"

/* One request and what became of it; holds no secret. */
struct call_event {
	const char *method;
	struct str path; /* without the query */
	const char *service;
	enum code code;
	int http_status; /* 0: no reply */
	int64_t duration_ms;
	const struct conn_usage *usage;
};

/* Called after each request. */
struct call_observer {
	void (*notify)(void *context, const struct call_event *event);
	void *context;
};

/*
 * The memory of the call under way, shared by all calls of a run, of which one
 * is under way at a time. Holds secrets: end with call_wipe(). Readable after
 * call_run(): `response`, and `json` if that succeeded.
 */
struct call {
	struct http_response response;
	struct json json;
	const struct call_observer *observer; /* NULL: nobody */
	/* Of the next request; call_start() clears them. */
	bool any_content;       /* the reply need not be JSON: see `body` */
	enum code expected;     /* this error is an answer, its text not read */
	struct secrets secrets; /* what the server gets and may quote */
	/* The part of `request` that is secret, percent-encoded; or len 0. */
	size_t secret_from, secret_len;
	enum delivery delivery; /* readable: of the last request */
	struct buf target;      /* path and query of the next request */
	struct buf request;     /* body of the next request */
	struct buf head;
	struct buf body;
	struct json_tokens tokens;
	char target_memory[2 * URL_PATH_MAX];
	char request_memory[HTTP_REQUEST_BODY_MAX];
	char head_memory[HTTP_HEAD_MAX];
	char body_memory[HTTP_RESPONSE_BODY_MAX];
};

/* Where a call goes, its name in messages, and what to do about its errors. */
struct call_service {
	struct conn *conn;
	const char *name;  /* "the metadata server", "Secret Manager" */
	const char *hints; /* a table (hint.h), or NULL */
	bool plain_text;   /* errors are, or may be */
};

/* Gives `call` its memory; once, before everything else. */
void call_init(struct call *call);

/*
 * Starts the next call: empties `target` (to the base path) and `request`, and
 * clears what is said of the request.
 */
void call_start(struct call *call, const struct conn *conn);

/*
 * Sends `method` with `target` ("/" if it is empty), `request` and the `count`
 * fields, and reads the JSON reply. Codes: those of conn_exchange(); for a
 * status outside 200 to 299 the code of its google.rpc.Status or OAuth error
 * (rpcstatus.h); UNAVAILABLE if a success is not a JSON object. All messages
 * start with "METHOD TARGET of NAME"; what they quote of the reply shows none
 * of `secrets`, to which the proxy's login is added. `delivery` is MAYBE_ACTED
 * also where the reply leaves it open: 408, 499, 5xx, and a success that cannot
 * be read.
 */
MUST_CHECK enum code call_run(struct call *call,
			      const struct call_service *service,
			      const char *method,
			      const struct http_field *fields, size_t count,
			      struct deadline until, struct status *st);

/*
 * Reads a success that is an OAuth error (RFC 6749 section 5.2), as some token
 * services send it, into `st`; OK if it is none.
 */
MUST_CHECK enum code call_check_oauth(struct call *call,
				      const struct call_service *service,
				      struct status *st);

/* Wipes what the last call wrote. */
void call_reset(struct call *call);

/* Wipes requests and replies, and all of the memory. */
void call_wipe(struct call *call);

#endif
