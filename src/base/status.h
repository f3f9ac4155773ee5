/*
 * Floor 0, bytes. What went wrong, as a value.
 *
 * Every failure is a canonical code (google.rpc.Code), a message that names
 * what was attempted, against what and what came back, and a hint that names
 * the remedy. The first cause stays: a status that holds an error ignores a
 * later, vaguer one until it is cleared. Nothing here prints.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include "base/bounds.h"
#include "base/buf.h"

/* The numbers of google.rpc.Code (google/rpc/code.proto). */
enum code {
	CODE_OK = 0,
	CODE_CANCELLED = 1,
	CODE_UNKNOWN = 2,
	CODE_INVALID_ARGUMENT = 3,
	CODE_DEADLINE_EXCEEDED = 4,
	CODE_NOT_FOUND = 5,
	CODE_ALREADY_EXISTS = 6,
	CODE_PERMISSION_DENIED = 7,
	CODE_RESOURCE_EXHAUSTED = 8,
	CODE_FAILED_PRECONDITION = 9,
	CODE_ABORTED = 10,
	CODE_OUT_OF_RANGE = 11,
	CODE_UNIMPLEMENTED = 12,
	CODE_INTERNAL = 13,
	CODE_UNAVAILABLE = 14,
	CODE_DATA_LOSS = 15,
	CODE_UNAUTHENTICATED = 16
};

/* Exit status of the program (README, "Exit codes"). */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_RETRY = 1,        /* may succeed later */
	EXIT_CONFIG = 2,       /* usage or configuration */
	EXIT_PULL_SECRET = 3,  /* the pull secret is invalid */
	EXIT_AUTH = 4,         /* not authenticated or not permitted */
	EXIT_INTEGRITY = 5,    /* read back something else */
	EXIT_UNREPORTED = 6,   /* stored and verified, but not reported */
	EXIT_TASKS_FAILED = 7, /* of a list, some tasks failed for good */
	EXIT_SIGINT = 130,
	EXIT_SIGTERM = 143
};

struct status {
	enum code code;
	/* HTTP status of the reply that it came from, 0 without one. */
	int http_status;
	/* Wait at least this long before a retry (Retry-After, RetryInfo). */
	uint64_t retry_after_ms;
	/* The code is one that is retried, but here a retry cannot help. */
	bool permanent;
	/* A role is missing, which a new binding may bring soon. */
	bool not_granted;
	/* ErrorInfo.reason or OAuth error code, or "". */
	char reason[STATUS_REASON_MAX];
	char message[STATUS_MESSAGE_MAX];
	char hint[STATUS_HINT_MAX];
};

/* The canonical name, as "PERMISSION_DENIED"; never NULL. */
const char *code_name(enum code code);

/* The code of a canonical name; CODE_UNKNOWN for any other text. */
enum code code_from_name(struct str name);

/*
 * The code that an HTTP status stands for where the body says nothing
 * (google/rpc/code.proto; 502 counts as UNAVAILABLE, 404 as UNKNOWN: only a
 * google.rpc.Status may say that a resource is missing).
 */
enum code code_from_http(int http_status);

/* The exit status that a code stands for unless the caller knows better. */
enum exit_status code_exit_status(enum code code);

/* Makes `st` OK and empty. */
void status_clear(struct status *st);

/*
 * Records an error, unless `st` holds one already. The message is cut to fit;
 * controls in it become '?' (utf8_make_printable()). Returns the code that `st`
 * then holds, so that a caller can `return status_set(...)`.
 */
enum code status_set(struct status *st, enum code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Records the remedy, unless there is a hint already. */
void status_hint(struct status *st, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Puts "CONTEXT: " in front of the message, for a caller that knows what was
 * attempted.
 */
void status_prefix(struct status *st, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Adds another error, if it is one: "MESSAGE; OTHER". The first code stays, and
 * the first hint.
 */
void status_join(struct status *st, const struct status *other);

/*
 * Whether a signal ended the operation. A server's CANCELLED (HTTP 499) does
 * not count: the server may have acted before.
 */
bool status_interrupted(const struct status *st);

/*
 * Whether the same request may be sent again: UNAVAILABLE, DEADLINE_EXCEEDED,
 * INTERNAL and RESOURCE_EXHAUSTED, unless `permanent`.
 */
bool status_retryable(const struct status *st);

#endif
