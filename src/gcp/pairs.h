/*
 * Floor 3, Google. Labels and annotations of a secret, as "KEY=VALUE,..." and
 * as the API has them: an object with strings.
 */
#ifndef GCP_PAIRS_H
#define GCP_PAIRS_H

#include "base/json.h"
#include "base/json_write.h"

/* Of a key and the final NUL. */
#define PAIR_KEY_SIZE 64

struct label {
	const char *key;
	const char *value;
};

/* Those that a secret should have; its others are left alone. */
struct pairs {
	const struct label *label;
	size_t count;
	const char *more; /* "KEY=VALUE,...", or NULL */
};

/*
 * Takes the next pair off `*rest`; false at its end. A key that has no value,
 * or is too long, becomes "".
 */
bool pairs_next(struct str *rest, char key[static PAIR_KEY_SIZE],
		struct str *value);

/* How often `key` is among them. */
size_t pairs_count(const struct pairs *pairs, struct str key);

/* Whether an object has them all. */
bool pairs_are_in(const struct pairs *pairs, struct json_value object);

/*
 * Writes the member `name`: an object with them, and with what else `object`
 * (may be absent) has. `scratch` is memory for a value of it. False if one does
 * not fit.
 */
MUST_CHECK bool pairs_put(const struct pairs *pairs, const char *name,
			  struct json_value object, struct buf *scratch,
			  struct json_writer *json);

#endif
