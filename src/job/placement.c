#include "job/placement.h"

#include "job/target.h"

static struct placement given;

static const struct opt OPTIONS[] = {
	{ "--location", "SECRET_LOCATIONS", "A[,B...]",
	  "locations that a new secret is replicated to|everywhere",
	  &given.locations, OPT_PLAIN },
	{ "--kms-key", "SECRET_KMS_KEYS", "KEY[,KEY...]",
	  "Cloud KMS key of a new secret, one in each of its locations",
	  &given.kms_keys, OPT_PLAIN },
};

const struct opt_table PLACEMENT_OPTIONS = { "A new secret's place", OPTIONS,
					     OPT_COUNT(OPTIONS) };

struct placement
placement_given(void)
{
	return given;
}

bool
placement_is_given(void)
{
	return given.locations != NULL || given.kms_keys != NULL;
}

/* How often `place` is in "A,B", and how many there are. */
static size_t
count_places(const char *list, struct str place, size_t *all)
{
	struct str rest = str_from(list), one;
	size_t found = 0;

	for (*all = 0; str_split(&rest, ',', &one); ++*all)
		if (str_eq(one, place))
			found++;
	return found;
}

/* The places that need a key: the locations, the region, or "global". */
static const char *
places(void)
{
	const char *region = target_options()->location;

	if (given.locations != NULL)
		return given.locations;
	return region != NULL ? region : "global";
}

static enum code
check_locations(struct status *st)
{
	struct str rest, place;
	size_t all;

	if (given.locations == NULL)
		return CODE_OK;
	if (target_options()->location != NULL)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: a regional secret has one location",
				  opt_given("SECRET_LOCATIONS"));
	rest = str_from(given.locations);
	while (str_split(&rest, ',', &place))
		if (!placement_is_location(place) ||
		    count_places(given.locations, place, &all) != 1)
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s must be locations, each once, as "
					  "us-east1,us-west1",
					  opt_given("SECRET_LOCATIONS"));
	return CODE_OK;
}

/* As many keys as places, and one in each. */
static enum code
check_keys(struct status *st)
{
	struct str rest, place;
	size_t keys = 0, all, found = 0;

	if (given.kms_keys == NULL)
		return CODE_OK;
	rest = str_from(given.kms_keys);
	while (str_split(&rest, ',', &place))
		keys++;
	rest = str_from(places());
	for (all = 0; str_split(&rest, ',', &place); all++)
		if (placement_kms_key_at(given.kms_keys, place).len > 0)
			found++;
	if (found == all && keys == all)
		return CODE_OK;
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s must be one key in each of %s, as projects/P/"
			  "locations/L/keyRings/R/cryptoKeys/K",
			  opt_given("SECRET_KMS_KEYS"), places());
}

enum code
placement_check(struct status *st)
{
	return check_locations(st) == CODE_OK ? check_keys(st) : st->code;
}

/*
 * Says what a place has; whether it is asked for, with the key that is asked
 * for, if any is.
 */
static bool
fits(struct str place, struct json_value holder, struct buf *what)
{
	struct json_value key =
		json_get(json_get(holder, "customerManagedEncryption"),
			 "kmsKeyName");
	size_t all;

	buf_put_cstr(what, what->len == 0 ? "" : ", ");
	buf_put_str(what, place);
	if (json_type(key) == JSON_STRING) {
		buf_put_cstr(what, " with ");
		(void)json_string_cut(key, what);
	} else if (given.kms_keys != NULL) {
		buf_put_cstr(what, " without a key");
	}
	return count_places(places(), place, &all) > 0 &&
	       (given.kms_keys == NULL ||
		json_equals(key, placement_kms_key_at(given.kms_keys, place)));
}

bool
placement_fits(const struct secret_resource *secret, struct buf *what)
{
	const char *region = target_options()->location;
	struct json_value replication = json_get(secret->whole, "replication");
	struct json_value replicas =
		json_get(json_get(replication, "userManaged"), "replicas");
	struct json_iter iter = json_iter(replicas);
	size_t all;
	bool fit;

	if (region != NULL)
		return fits(str_from(region), secret->whole, what);
	if (json_type(replicas) != JSON_ARRAY)
		return fits(STR("global"), json_get(replication, "automatic"),
			    what);
	(void)count_places(places(), STR(""), &all);
	fit = json_size(replicas) == all;
	while (json_next(&iter)) {
		char place[LOCATION_SIZE] = "";

		(void)json_cstr(json_get(iter.value, "location"), place,
				sizeof(place));
		fit = fits(str_from(place), iter.value, what) && fit;
	}
	return fit;
}
