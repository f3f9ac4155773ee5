#include "gcp/pairs.h"

bool
pairs_next(struct str *rest, char key[static PAIR_KEY_SIZE], struct str *value)
{
	struct str name;

	if (!str_split(rest, ',', value))
		return false;
	(void)str_split(value, '=', &name);
	if (value->ptr == NULL || !str_copy(name, key, PAIR_KEY_SIZE))
		key[0] = '\0';
	return true;
}

/* The pair number `i`, from 0; those of the text come last. */
static bool
pair_at(const struct pairs *pairs, size_t i, struct str *rest,
	char key[static PAIR_KEY_SIZE], struct str *value)
{
	if (i >= pairs->count)
		return pairs_next(rest, key, value);
	*value = str_from(pairs->label[i].value);
	return str_copy(str_from(pairs->label[i].key), key, PAIR_KEY_SIZE);
}

static struct str
text_of(const struct pairs *pairs)
{
	return pairs->more == NULL ? (struct str){ NULL, 0 }
				   : str_from(pairs->more);
}

size_t
pairs_count(const struct pairs *pairs, struct str key)
{
	struct str rest = text_of(pairs), value;
	char name[PAIR_KEY_SIZE];
	size_t found = 0;

	for (size_t i = 0; pair_at(pairs, i, &rest, name, &value); i++)
		if (str_eq(str_from(name), key))
			found++;
	return found;
}

bool
pairs_are_in(const struct pairs *pairs, struct json_value object)
{
	struct str rest = text_of(pairs), value;
	char name[PAIR_KEY_SIZE];

	for (size_t i = 0; pair_at(pairs, i, &rest, name, &value); i++)
		if (!json_equals(json_get(object, name), value))
			return false;
	return true;
}

bool
pairs_put(const struct pairs *pairs, const char *name, struct json_value object,
	  struct buf *scratch, struct json_writer *json)
{
	struct str rest = text_of(pairs), value;
	struct json_iter iter = json_iter(object);
	char key[4 * PAIR_KEY_SIZE];

	json_key(json, name);
	json_open_object(json);
	for (size_t i = 0; pair_at(pairs, i, &rest, key, &value); i++)
		json_member(json, key, value);
	while (json_next(&iter)) {
		buf_reset(scratch);
		if (!json_cstr(iter.key, key, sizeof(key)) ||
		    !json_string(iter.value, scratch))
			return false;
		if (pairs_count(pairs, str_from(key)) == 0)
			json_member(json, key, buf_view(scratch));
	}
	json_close(json);
	return true;
}
