/*
 * Floor 3, Google. Where a secret is placed, and with which keys.
 *
 * https://cloud.google.com/secret-manager/docs/choosing-replication
 */
#ifndef GCP_PLACEMENT_H
#define GCP_PLACEMENT_H

#include "base/json_write.h"

/* Of a location, "us-east1", and the final NUL. */
#define LOCATION_SIZE 48

/* Where a new secret is placed; texts that were checked. */
struct placement {
	const char *locations; /* "A,B"; NULL: everywhere, or the region */
	const char *kms_keys;  /* "KEY,KEY", one for each location, or NULL */
};

/* Whether a text looks like a location. */
bool placement_is_location(struct str text);

/*
 * Whether a text is a key's name, "projects/P/locations/L/keyRings/R/
 * cryptoKeys/K"; L goes to `location`.
 */
bool placement_is_kms_key(struct str text, struct str *location);

/* The one of "KEY,KEY" (may be NULL) at a location; len 0: there is none. */
struct str placement_kms_key_at(const char *keys, struct str location);

/*
 * Writes the members of a new secret: "replication": {"automatic": {KEY}} or
 * {"userManaged": {"replicas": [{"location": L, KEY}]}}; at `region`, unless
 * that is "", just KEY: "customerManagedEncryption": {"kmsKeyName": NAME}.
 */
void placement_put(const struct placement *placement, const char *region,
		   struct json_writer *json);

#endif
