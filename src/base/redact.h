/*
 * Floor 0, bytes. Removes secrets from texts that servers and users wrote.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/bounds.h"
#include "base/buf.h"

/* The shortest run of a secret that counts as a leak. */
#define REDACT_RUN 8

/* Most values that one exchange must not be quoted with. */
#define SECRETS_MAX (SOURCE_FIELDS_MAX + 8)

/*
 * The values that a peer was sent and may quote. They belong to the caller and
 * must stay. Start with all zero.
 */
struct secrets {
	struct str value[SECRETS_MAX];
	size_t count;
};

/*
 * Adds a value: a secret, never a name or another word that may be shown. One
 * that is shorter than REDACT_RUN cannot be told from other text. After more
 * than SECRETS_MAX redact() leaves nothing of a text.
 */
void secrets_add(struct secrets *secrets, struct str value);

/*
 * Overwrites with '*' every part of `text` that shows REDACT_RUN or more bytes
 * in a row of one of the secrets: as they are, percent-encoded, with JSON's
 * escapes, in hexadecimal digits, or in base64 of either alphabet. Meant for
 * what others wrote and only for that, before it becomes a part of a message:
 * our own words need none, and could be taken for a secret.
 */
void redact(char *text, const struct secrets *secrets);

/*
 * Whether a text that was given as a name or a path looks like a secret
 * given in the wrong place: JSON, or base64 of JSON.
 */
bool looks_secret(struct str text);

/* What a message may show of an argument: itself, unless it looks_secret(). */
const char *redact_argument(const char *argument);

#endif
