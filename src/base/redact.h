/*
 * Floor 0, bytes. Keeps secrets out of texts that others wrote.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/buf.h"

/* The shortest run of a secret that counts as a leak. */
#define REDACT_RUN 8

/*
 * Overwrites with '*' every run of REDACT_RUN or more characters of `text`
 * that also stands in `secret`. Meant for error messages of servers, which
 * may echo what they were sent.
 */
void redact(char *text, struct str secret);

/*
 * Whether a text that was given as a name or a path is rather a secret in the
 * wrong place: JSON, or base64 of JSON.
 */
bool looks_secret(struct str text);

/* What a message may show of an argument: itself, unless it looks_secret(). */
const char *shown(const char *argument);

#endif
