#include "base/status.h"

#include <stdarg.h>
#include <string.h>

#include "base/format.h"
#include "base/utf8.h"

/* Indexed by enum code. */
static const char *const NAMES[] = {
	"OK",
	"CANCELLED",
	"UNKNOWN",
	"INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED",
	"NOT_FOUND",
	"ALREADY_EXISTS",
	"PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION",
	"ABORTED",
	"OUT_OF_RANGE",
	"UNIMPLEMENTED",
	"INTERNAL",
	"UNAVAILABLE",
	"DATA_LOSS",
	"UNAUTHENTICATED",
};

#define CODES (sizeof(NAMES) / sizeof(NAMES[0]))

const char *
code_name(enum code code)
{
	return (size_t)code < CODES ? NAMES[code] : NAMES[CODE_UNKNOWN];
}

enum code
code_from_name(struct str name)
{
	for (size_t i = 0; i < CODES; i++)
		if (str_eq(name, str_from(NAMES[i])))
			return (enum code)i;
	return CODE_UNKNOWN;
}

enum code
code_from_http(int http_status)
{
	switch (http_status) {
	case 400:
		return CODE_INVALID_ARGUMENT;
	case 401:
		return CODE_UNAUTHENTICATED;
	case 403:
		return CODE_PERMISSION_DENIED;
	case 408:
		return CODE_DEADLINE_EXCEEDED;
	case 409:
		return CODE_ABORTED;
	case 429:
		return CODE_RESOURCE_EXHAUSTED;
	case 499:
		return CODE_CANCELLED;
	case 500:
		return CODE_INTERNAL;
	case 501:
		return CODE_UNIMPLEMENTED;
	case 502:
	case 503:
		return CODE_UNAVAILABLE;
	case 504:
		return CODE_DEADLINE_EXCEEDED;
	default:
		return http_status >= 200 && http_status < 300 ? CODE_OK
							       : CODE_UNKNOWN;
	}
}

enum exit_status
code_exit_status(enum code code)
{
	switch (code) {
	case CODE_OK:
		return EXIT_DONE;
	case CODE_INVALID_ARGUMENT:
	case CODE_NOT_FOUND:
	case CODE_ALREADY_EXISTS:
	case CODE_FAILED_PRECONDITION:
	case CODE_OUT_OF_RANGE:
	case CODE_UNIMPLEMENTED:
		return EXIT_CONFIG;
	case CODE_PERMISSION_DENIED:
	case CODE_UNAUTHENTICATED:
		return EXIT_AUTH;
	case CODE_DATA_LOSS:
		return EXIT_INTEGRITY;
	case CODE_CANCELLED:
	case CODE_UNKNOWN:
	case CODE_DEADLINE_EXCEEDED:
	case CODE_RESOURCE_EXHAUSTED:
	case CODE_ABORTED:
	case CODE_INTERNAL:
	case CODE_UNAVAILABLE:
		return EXIT_RETRY;
	}
	return EXIT_RETRY;
}

void
status_clear(struct status *st)
{
	*st = (struct status){ .code = CODE_OK };
}

enum code
status_set(struct status *st, enum code code, const char *format, ...)
{
	va_list args;

	if (st->code != CODE_OK)
		return st->code;
	st->code = code;
	va_start(args, format);
	(void)format_args(st->message, sizeof(st->message), format, args);
	va_end(args);
	utf8_make_printable(st->message);
	return code;
}

void
status_hint(struct status *st, const char *format, ...)
{
	va_list args;

	if (st->hint[0] != '\0')
		return;
	va_start(args, format);
	(void)format_args(st->hint, sizeof(st->hint), format, args);
	va_end(args);
	utf8_make_printable(st->hint);
}

void
status_prefix(struct status *st, const char *format, ...)
{
	char old[STATUS_MESSAGE_MAX];
	va_list args;
	size_t used;

	memcpy(old, st->message, sizeof(old));
	va_start(args, format);
	(void)format_args(st->message, sizeof(st->message), format, args);
	va_end(args);
	used = strlen(st->message);
	(void)format_text(st->message + used, sizeof(st->message) - used,
			  ": %s", old);
	utf8_make_printable(st->message);
}

void
status_join(struct status *st, const struct status *other)
{
	size_t used = strlen(st->message);

	if (st->code == CODE_OK) {
		*st = *other;
	} else if (other->code != CODE_OK) {
		(void)format_text(st->message + used,
				  sizeof(st->message) - used, "; %s",
				  other->message);
		status_hint(st, "%s", other->hint);
	}
}

bool
status_interrupted(const struct status *st)
{
	return st->code == CODE_CANCELLED && st->http_status == 0;
}

bool
status_retryable(const struct status *st)
{
	if (st->permanent)
		return false;
	return st->code == CODE_UNAVAILABLE ||
	       st->code == CODE_DEADLINE_EXCEEDED ||
	       st->code == CODE_INTERNAL || st->code == CODE_RESOURCE_EXHAUSTED;
}
