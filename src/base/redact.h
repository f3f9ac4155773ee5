/*
 * Floor 0, bytes. Removes secrets from texts that servers and users wrote.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/status.h"

/* The shortest run of a secret that counts as a leak. */
#define REDACT_RUN 8

/*
 * Overwrites with '*' every part of `text` that shows REDACT_RUN or more bytes
 * in a row of `secret`: as they are, percent-encoded, with JSON's escapes, in
 * hexadecimal digits, or in base64 of either alphabet. Meant for errors of
 * servers, which may quote what they were sent.
 */
void redact(char *text, struct str secret);

/*
 * The same for message, hint and reason. Call it last: `reason` may no longer
 * match afterwards.
 */
void redact_status(struct status *st, struct str secret);

/*
 * Whether a text that was given as a name or a path looks like a secret
 * given in the wrong place: JSON, or base64 of JSON.
 */
bool looks_secret(struct str text);

/* What a message may show of an argument: itself, unless it looks_secret(). */
const char *redact_argument(const char *argument);

#endif
