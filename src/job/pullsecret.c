#include "job/pullsecret.h"

#include "base/codec.h"
#include "base/format.h"
#include "base/json_path.h"
#include "base/json_walk.h"

#define PATH_MAX_SHOWN 256
#define RULE_MAX 192
/* A known name with its longest letters in another case, and a final NUL. */
#define NAME_MAX_SIZE 64

const char PULL_SECRET_FAKE[] =
	"{\"auths\":{\"registry.example.com\":"
	"{\"auth\":\"ZmFrZTpmYWtl\",\"email\":\"fake@example.com\"}}}";

struct str
pullsecret_strip(struct str text)
{
	while (text.len > 0) {
		char last = text.ptr[text.len - 1];

		if (last != ' ' && last != '\t' && last != '\n' && last != '\r')
			break;
		text.len--;
	}
	return text;
}

/* Records that the value at `where` breaks a rule. */
static enum code
fail_at(struct json_value where, const char *rule, struct status *st)
{
	char memory[PATH_MAX_SHOWN];
	struct buf path;
	size_t line, column;

	buf_init(&path, memory, sizeof(memory));
	json_path(where, &path);
	json_position(where, &line, &column);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "line %zu, column %zu, at %.*s: %s", line, column,
			  (int)path.len, path.ptr, rule);
}

/*
 * The types that consumers require: they reject the whole file for one value of
 * another type. null counts as absent to all of them.
 */
enum kind {
	CHECKED,   /* by its own function */
	STRING,    /* a string */
	STRING_MAP /* an object of strings */
};

struct member {
	const char *name;
	enum kind kind;
	const char *reader; /* the consumer that rejects the file */
};

static const struct member ROOT[] = {
	{ "auths", CHECKED, NULL },
	{ "HttpHeaders", STRING_MAP, "the kubelet" },
	{ "credHelpers", STRING_MAP, "CRI-O" },
	{ NULL, CHECKED, NULL },
};

static const struct member ENTRY[] = {
	{ "auth", CHECKED, NULL },
	{ "username", STRING, "the kubelet" },
	{ "password", STRING, "the kubelet" },
	{ "email", STRING, "the kubelet" },
	{ "identitytoken", STRING, "CRI-O" },
	{ NULL, CHECKED, NULL },
};

/* As Go's encoding/json folds: U+017F is an s and U+212A a k. */
static void
fold(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		struct str rest = str_from(from);

		if (str_starts(rest, STR("\xc5\xbf"))) {
			*to = 's';
			from += 2;
		} else if (str_starts(rest, STR("\xe2\x84\xaa"))) {
			*to = 'k';
			from += 3;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool
differs_in_case(struct json_value key, const char *name)
{
	char text[NAME_MAX_SIZE];

	if (json_equals(key, str_from(name)) ||
	    !json_cstr(key, text, sizeof(text)))
		return false;
	fold(text);
	return str_eq_nocase(str_from(text), str_from(name));
}

/* Go finds members in any case, and of two the last one counts. */
static enum code
check_case(struct json_value object, const struct member *known,
	   struct status *st)
{
	struct json_iter member = json_iter(object);
	char rule[RULE_MAX];

	while (json_next(&member))
		for (size_t i = 0; known[i].name != NULL; i++) {
			if (!differs_in_case(member.key, known[i].name))
				continue;
			(void)format_text(
				rule, sizeof(rule),
				"this key is %s but for upper and lower "
				"case, which Go programs (the kubelet, "
				"CRI-O) do not tell apart",
				known[i].name);
			return fail_at(member.key, rule, st);
		}
	return CODE_OK;
}

static bool
is_string_or_null(struct json_value value)
{
	enum json_type type = json_type(value);

	return type == JSON_STRING || type == JSON_NULL || type == JSON_ABSENT;
}

static enum code
check_kind(struct json_value value, const struct member *known,
	   struct status *st)
{
	bool map = known->kind == STRING_MAP && json_type(value) == JSON_OBJECT;
	bool right =
		map ||
		(is_string_or_null(value) &&
		 (known->kind == STRING || json_type(value) != JSON_STRING));
	struct json_iter member = json_iter(value);
	char rule[RULE_MAX];

	while (map && right && json_next(&member)) {
		right = is_string_or_null(member.value);
		value = member.value;
	}
	if (right)
		return CODE_OK;
	(void)format_text(rule, sizeof(rule),
			  "%s must be %s: %s refuses the whole file",
			  known->name,
			  known->kind == STRING ? "a string"
						: "an object of strings",
			  known->reader);
	return fail_at(value, rule, st);
}

/* The known members of an object: their names, then the types of most. */
static enum code
check_members(struct json_value object, const struct member *known,
	      struct status *st)
{
	if (check_case(object, known, st) != CODE_OK)
		return st->code;
	for (; known->name != NULL; known++)
		if (known->kind != CHECKED &&
		    check_kind(json_get(object, known->name), known, st) !=
			    CODE_OK)
			return st->code;
	return CODE_OK;
}

/*
 * The registry that a key of auths is for, as CRI-O (containers/image) names
 * it: without scheme and path, and Docker Hub by one name.
 */
static struct str
registry_of(struct str key)
{
	if (str_starts(key, STR("https://")))
		key = str_skip(key, 8);
	else if (str_starts(key, STR("http://")))
		key = str_skip(key, 7);
	key.len = str_find(key, '/');
	if (str_eq(key, STR("index.docker.io")) ||
	    str_eq(key, STR("registry-1.docker.io")))
		return STR("docker.io");
	return key;
}

/* CRI-O asks the helper of a registry first, and only the helper. */
static enum code
check_helpers(struct json_value root, struct buf *scratch, struct status *st)
{
	struct json_value helpers = json_get(root, "credHelpers");
	struct json_iter auth = json_iter(json_get(root, "auths"));

	while (json_size(helpers) > 0 && json_next(&auth)) {
		struct json_iter helper = json_iter(helpers);
		struct str registry;

		buf_reset(scratch);
		if (!json_string(auth.key, scratch))
			continue;
		registry = registry_of(buf_view(scratch));
		while (json_next(&helper))
			if (json_equals(helper.key, registry))
				return fail_at(
					helper.key,
					"credHelpers names a registry of "
					"auths: CRI-O asks the helper and "
					"never uses auth",
					st);
	}
	return CODE_OK;
}

/* Without CR and LF, which every consumer passes over in base64, as Go does. */
static void
drop_line_breaks(struct buf *text)
{
	size_t len = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->ptr[i] != '\r' && text->ptr[i] != '\n')
			text->ptr[len++] = text->ptr[i];
	text->len = len;
}

static bool
decode_auth(struct json_value auth, struct buf *out)
{
	struct str digits;

	buf_reset(out);
	if (!json_string(auth, out))
		return false;
	drop_line_breaks(out);
	digits = buf_view(out);
	out->len = 0;
	return base64_decode(out, digits);
}

/* The credential: "user:password", of which only the form is checked. */
static enum code
check_auth(struct json_value auth, struct buf *scratch, struct status *st)
{
	struct str user;
	bool encoded;
	size_t colon, len;

	if (json_type(auth) != JSON_STRING)
		return fail_at(auth, "auth must be a string", st);
	encoded = decode_auth(auth, scratch);
	user = buf_view(scratch);
	len = user.len;
	colon = str_find(user, ':');
	buf_reset(scratch);
	if (!encoded)
		return fail_at(auth,
			       "auth is not padded base64 (RFC 4648), as "
			       "CRI-O wants it, or bits are left over at its "
			       "end",
			       st);
	if (len == 0)
		return fail_at(auth, "auth is empty", st);
	if (colon == len)
		return fail_at(auth,
			       "auth is not base64 of user:password, there "
			       "is no colon in it",
			       st);
	if (colon == 0)
		return fail_at(auth, "the user name in auth is empty", st);
	return CODE_OK;
}

static enum code
check_entry(struct json_value entry, struct buf *scratch, struct status *st)
{
	struct json_value auth = json_get(entry, "auth");

	if (json_type(entry) != JSON_OBJECT)
		return fail_at(entry,
			       "the entry of a registry must be an "
			       "object",
			       st);
	if (check_members(entry, ENTRY, st) != CODE_OK)
		return st->code;
	if (json_type(auth) == JSON_ABSENT)
		return fail_at(entry, "the entry lacks auth", st);
	return check_auth(auth, scratch, st);
}

/* Common mistakes, by their structure. */
static void
hint_at_mixup(struct json_value root, struct status *st)
{
	struct json_iter member = json_iter(root);

	if (json_equals(json_get(root, "kind"), STR("Secret"))) {
		status_hint(st, "this is a whole Kubernetes Secret: pass the "
				"decoded value of .dockerconfigjson");
		return;
	}
	while (json_next(&member))
		if (json_type(json_get(member.value, "auth")) != JSON_ABSENT) {
			status_hint(st, "this looks like the inside of auths "
					"or an old .dockercfg: wrap it as "
					"{\"auths\": ...}");
			return;
		}
}

/* Text that is no JSON, but base64 of something that starts with '{'. */
static void
hint_at_encoding(struct str text, struct buf *scratch, struct status *st)
{
	buf_reset(scratch);
	if (base64_decode_any(scratch, str_trim(text)) &&
	    str_starts(str_trim(buf_view(scratch)), STR("{")))
		status_hint(st, "this is base64: decode the value of "
				".dockerconfigjson first");
	buf_reset(scratch);
}

static enum code
check_root(struct json_value root, struct buf *scratch, size_t *registries,
	   struct status *st)
{
	struct json_value auths = json_get(root, "auths");
	struct json_iter entry = json_iter(auths);

	if (json_type(root) != JSON_OBJECT)
		return fail_at(root, "a pull secret must be an object", st);
	if (check_members(root, ROOT, st) != CODE_OK)
		return st->code;
	if (json_type(auths) == JSON_ABSENT) {
		hint_at_mixup(root, st);
		return fail_at(root, "auths is missing", st);
	}
	if (json_type(auths) != JSON_OBJECT)
		return fail_at(auths, "auths must be an object", st);
	*registries = json_size(auths);
	if (*registries == 0)
		return fail_at(auths, "auths is empty", st);
	while (json_next(&entry))
		if (check_entry(entry.value, scratch, st) != CODE_OK)
			return st->code;
	return check_helpers(root, scratch, st);
}

enum code
pullsecret_check(struct str text, struct json_tokens *tokens,
		 struct buf *scratch, size_t *registries, struct status *st)
{
	struct json json;

	*registries = 0;
	if (text.len > PULL_SECRET_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%zu bytes are more than the %d that a "
				  "secret version holds",
				  text.len, PULL_SECRET_MAX);
	if (json_parse(&json, text, tokens, st) != CODE_OK) {
		hint_at_encoding(text, scratch, st);
		return st->code;
	}
	(void)check_root(json_root(&json), scratch, registries, st);
	buf_wipe(scratch);
	return st->code;
}
