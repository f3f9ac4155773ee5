#include "base/json_path.h"

/*
 * Keys are shown only where they look like the name of a field or of a
 * registry: a secret may have been pasted where a key belongs.
 */
#define NAME_MAX_SHOWN 40
#define NAME_DIGITS_MAX 3
#define HOST_MAX_SHOWN 128

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* A capital that starts a word, as in "credHelpers" and seldom in base64. */
static bool
is_capital(struct str key, size_t at)
{
	return key.ptr[at] >= 'A' && key.ptr[at] <= 'Z' && at + 1 < key.len &&
	       is_lower(key.ptr[at + 1]);
}

/* As in "auths", "token_uri" or "x509". */
static bool
looks_like_name(struct str key)
{
	size_t digits = 0;

	if (key.len == 0 || key.len > NAME_MAX_SHOWN || is_digit(key.ptr[0]))
		return false;
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];

		if (is_digit(c))
			digits++;
		else if (!is_lower(c) && c != '_' && !is_capital(key, i))
			return false;
	}
	return digits <= NAME_DIGITS_MAX;
}

/* Whether the colon at `at` starts a port or stands in "://". */
static bool
is_colon_of_host(struct str key, size_t at)
{
	struct str rest = str_skip(key, at + 1);

	return str_starts(rest, STR("//")) ||
	       (rest.len > 0 && is_digit(rest.ptr[0]));
}

/* As in "quay.io/org", "h.io:5000" or "https://index.docker.io/v1/". */
static bool
looks_like_host(struct str key)
{
	bool dot = false;

	if (key.len > HOST_MAX_SHOWN)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];

		if (c == '.')
			dot = true;
		else if (c == ':' && !is_colon_of_host(key, i))
			return false;
		else if (!is_lower(c) && !is_digit(c) && c != '-' && c != '_' &&
			 c != '*' && c != '/' && c != ':')
			return false;
	}
	return dot;
}

static void
put_key(struct str key, size_t position, struct buf *out)
{
	if (looks_like_name(key)) {
		buf_put_char(out, '.');
		buf_put_str(out, key);
	} else if (looks_like_host(key)) {
		buf_put_cstr(out, "[\"");
		buf_put_str(out, key);
		buf_put_cstr(out, "\"]");
	} else {
		buf_put_cstr(out, "[key ");
		buf_put_uint(out, position + 1);
		buf_put_char(out, ']');
	}
}

/* One step of a path, into a member of an object or an element of an array. */
struct step {
	bool object;
	struct str key;  /* raw; only of a member */
	size_t position; /* among its siblings, from 0 */
};

static void
put_steps(const struct step *path, size_t path_len, struct buf *out)
{
	buf_put_char(out, '$');
	for (size_t i = 0; i < path_len; i++) {
		if (path[i].object) {
			put_key(path[i].key, path[i].position, out);
			continue;
		}
		buf_put_char(out, '[');
		buf_put_uint(out, path[i].position);
		buf_put_char(out, ']');
	}
}

/* The step from a container to its key or element, a token or the next one. */
static struct step
step_to(const struct json *json, int container, size_t index)
{
	struct step step = {
		.object = json->token[container].type == JSMN_OBJECT,
	};

	for (size_t i = (size_t)container + 1; i < index; i++)
		if (json->token[i].parent == container)
			step.position++;
	if (step.object)
		step.key = json_raw((struct json_value){ json, index });
	return step;
}

/* From a value to its key, if it has one. */
static size_t
member_of(const struct json *json, size_t index)
{
	int parent = json->token[index].parent;

	return parent >= 0 && json_is_key(json, (size_t)parent) ? (size_t)parent
								: index;
}

void
json_put_path(const struct json *json, int container, size_t member,
	      struct buf *out)
{
	struct step path[JSON_DEPTH_MAX];
	size_t first = JSON_DEPTH_MAX;

	/* From the inside to the outside. */
	if (container >= 0 && member > 0)
		path[--first] = step_to(json, container, member);
	while (container >= 0) {
		member = member_of(json, (size_t)container);
		container = json->token[member].parent;
		if (container >= 0)
			path[--first] = step_to(json, container, member);
	}
	put_steps(path + first, JSON_DEPTH_MAX - first, out);
}

void
json_path(struct json_value value, struct buf *out)
{
	size_t member;

	if (value.json == NULL)
		return;
	member = member_of(value.json, value.index);
	json_put_path(value.json, value.json->token[member].parent, member,
		      out);
}

void
json_line(struct str text, size_t at, size_t *line, size_t *column)
{
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < at; i++) {
		if (text.ptr[i] != '\n')
			continue;
		++*line;
		start = i + 1;
	}
	*column = at - start + 1;
}

void
json_position(struct json_value value, size_t *line, size_t *column)
{
	size_t at;

	*line = 0;
	*column = 0;
	if (value.json == NULL)
		return;
	at = (size_t)value.json->token[value.index].start;
	if (json_type(value) == JSON_STRING)
		at--; /* the token starts after the quote */
	json_line(value.json->text, at, line, column);
}
