#include "job/pullsecret.h"

#include "base/codec.h"

#define PATH_MAX_SHOWN 256

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
complain(struct json_value where, const char *rule, struct status *st)
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

/* The credential: "user:password", of which only the shape matters here. */
static enum code
check_auth(struct json_value auth, struct buf *scratch, struct status *st)
{
	struct str user;
	bool encoded;
	size_t colon, len;

	if (json_type(auth) != JSON_STRING)
		return complain(auth, "auth must be a string", st);
	buf_reset(scratch);
	encoded = json_is_plain(auth) && base64_decode(scratch, json_raw(auth));
	user = buf_view(scratch);
	len = user.len;
	colon = str_find(user, ':');
	buf_reset(scratch);
	if (!encoded)
		return complain(auth,
				"auth is not padded base64 (RFC 4648): CRI-O "
				"refuses it",
				st);
	if (len == 0)
		return complain(auth, "auth is empty", st);
	if (colon == len)
		return complain(auth,
				"auth is not base64 of user:password, there "
				"is no colon in it",
				st);
	if (colon == 0)
		return complain(auth, "the user name in auth is empty", st);
	return CODE_OK;
}

static enum code
check_entry(struct json_value entry, struct buf *scratch, struct status *st)
{
	struct json_value auth = json_get(entry, "auth");

	if (json_type(entry) != JSON_OBJECT)
		return complain(entry,
				"the entry of a registry must be an "
				"object",
				st);
	if (json_type(auth) == JSON_ABSENT)
		return complain(entry, "the entry lacks auth", st);
	return check_auth(auth, scratch, st);
}

/* The usual mix-ups, by their shape. */
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
		return complain(root, "a pull secret must be an object", st);
	if (json_type(auths) == JSON_ABSENT) {
		hint_at_mixup(root, st);
		return complain(root, "auths is missing", st);
	}
	if (json_type(auths) != JSON_OBJECT)
		return complain(auths, "auths must be an object", st);
	*registries = json_size(auths);
	if (*registries == 0)
		return complain(auths, "auths is empty", st);
	while (json_next(&entry))
		if (check_entry(entry.value, scratch, st) != CODE_OK)
			return st->code;
	return CODE_OK;
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
