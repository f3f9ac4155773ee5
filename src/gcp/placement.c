#include "gcp/placement.h"

#include "gcp/method.h"

bool
placement_is_location(struct str text)
{
	return text.len > 0 && text.len < LOCATION_SIZE &&
	       str_only(text, "a-z0-9-") && text.ptr[0] != '-' &&
	       text.ptr[text.len - 1] != '-';
}

bool
placement_is_kms_key(struct str text, struct str *location)
{
	static const char SET[] = "A-Za-z0-9.:_-";
	struct str project, ring, key;

	return method_skip_parts(&text, STR("projects"), &project) &&
	       method_skip_parts(&text, STR("locations"), location) &&
	       method_skip_parts(&text, STR("keyRings"), &ring) &&
	       method_skip_parts(&text, STR("cryptoKeys"), &key) &&
	       text.ptr == NULL && project.len > 0 && ring.len > 0 &&
	       key.len > 0 && str_only(project, SET) && str_only(ring, SET) &&
	       str_only(key, SET) && placement_is_location(*location);
}

struct str
placement_kms_key_at(const char *keys, struct str location)
{
	struct str rest = keys == NULL ? STR("") : str_from(keys), key, place;

	while (str_split(&rest, ',', &key))
		if (placement_is_kms_key(key, &place) &&
		    str_eq(place, location))
			return key;
	return STR("");
}

/* "customerManagedEncryption": {"kmsKeyName": KEY}, if there is a key. */
static void
put_key(const struct placement *placement, struct str location,
	struct json_writer *json)
{
	struct str key = placement_kms_key_at(placement->kms_keys, location);

	if (key.len == 0)
		return;
	json_key(json, "customerManagedEncryption");
	json_open_object(json);
	json_member(json, "kmsKeyName", key);
	json_close(json);
}

/*
 * "replication": {"automatic": {KEY}} or {"userManaged": {"replicas":
 * [{"location": L, KEY}]}}; a regional secret has just the key.
 */
void
placement_put(const struct placement *placement, const char *region,
	      struct json_writer *json)
{
	struct str rest, place;

	if (region[0] != '\0') {
		put_key(placement, str_from(region), json);
		return;
	}
	json_key(json, "replication");
	json_open_object(json);
	json_key(json,
		 placement->locations == NULL ? "automatic" : "userManaged");
	json_open_object(json);
	if (placement->locations == NULL) {
		put_key(placement, STR("global"), json);
	} else {
		rest = str_from(placement->locations);
		json_key(json, "replicas");
		json_open_array(json);
		while (str_split(&rest, ',', &place)) {
			json_open_object(json);
			json_member(json, "location", place);
			put_key(placement, place, json);
			json_close(json);
		}
		json_close(json);
	}
	json_close(json);
	json_close(json);
}
