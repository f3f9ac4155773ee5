#include "job/pullsecret_auth.h"

#include "base/codec.h"
#include "job/pullsecret_shape.h"

/* Of a time in seconds since 1970, from 2001 to 2286. */
#define EXPIRY_DIGITS 10

static bool
has(struct str text, char c)
{
	return str_find(text, c) < text.len;
}

static bool
has_lines(struct str text)
{
	return has(text, '\n') || has(text, '\r');
}

/*
 * Decodes base64 over itself, without CR and LF, which every consumer passes
 * over, as Go does. The rule that the encoding breaks.
 */
static enum rule
decode(struct buf *text)
{
	struct str digits = { text->ptr, 0 };
	bool url;

	for (size_t i = 0; i < text->len; i++)
		if (text->ptr[i] != '\r' && text->ptr[i] != '\n')
			text->ptr[digits.len++] = text->ptr[i];
	url = has(digits, '-') || has(digits, '_');
	text->len = 0;
	if (!base64_decode_any(text, digits))
		return RULE_AUTH_BASE64;
	return url                   ? RULE_AUTH_ALPHABET
	       : digits.len % 4 != 0 ? RULE_AUTH_UNPADDED
				     : RULE_NONE;
}

/* Whether a password is a JWT (RFC 7519) whose "exp" has passed. */
static bool
has_expired(struct str password, int64_t now)
{
	struct str rest = password, part;
	uint64_t expiry;
	struct buf claims;

	if (now == 0 || !str_starts(password, STR("eyJ")) ||
	    !str_split(&rest, '.', &part) || !str_split(&rest, '.', &part))
		return false;
	/* Over itself: nothing reads it afterwards. */
	buf_init(&claims, (char *)(uintptr_t)part.ptr, part.len);
	if (!base64_decode_any(&claims, part))
		return false;
	rest = buf_view(&claims);
	while (rest.len > 0 && !str_starts(rest, STR("\"exp\":")))
		rest = str_skip(rest, 1);
	rest = str_trim_start(str_skip(rest, 6));
	if (rest.len < EXPIRY_DIGITS)
		return false;
	rest.len = EXPIRY_DIGITS;
	return parse_uint(rest, &expiry) && expiry < (uint64_t)now;
}

static bool
is_placeholder(struct str text)
{
	return str_eq_nocase(text, STR("user:password")) ||
	       str_eq_nocase(text, STR("username:password")) ||
	       str_eq(text, STR("fake:fake"));
}

/* Another place for the same, which nobody reads beside auth. */
static void
compare(const struct check *check, struct json_value entry, const char *name,
	struct str text)
{
	struct json_value other = json_get(entry, name);

	if (json_type(other) == JSON_STRING && json_raw(other).len > 0 &&
	    !json_equals(other, text))
		(void)rule_broken_by(check, RULE_AUTH_DIFFERS, name, other);
}

/* "user:password", in scratch. */
static enum code
check_login(const struct check *check, struct json_value entry,
	    struct json_value auth)
{
	struct str text = buf_view(check->scratch), user = text, password;

	user.len = str_find(text, ':');
	password = str_skip(text, user.len + 1);
	if (user.len == text.len) {
		if (rule_broken(check, RULE_AUTH_COLON, auth) != CODE_OK)
			shape_hint_decoded(check->scratch, check->st);
		return check->st->code;
	}
	if (user.len == 0 &&
	    rule_broken(check, RULE_AUTH_USER, auth) != CODE_OK)
		return check->st->code;
	if (password.len == 0)
		(void)rule_broken(check, RULE_AUTH_PASSWORD, auth);
	if (has_lines(text) || has(text, '\0')) {
		(void)rule_broken(check, RULE_AUTH_CONTROL, auth);
		shape_hint_echo(check->st);
	}
	compare(check, entry, "username", user);
	compare(check, entry, "password", password);
	if (is_placeholder(text))
		(void)rule_broken(check, RULE_AUTH_PLACEHOLDER, auth);
	if (has_expired(password, check->policy->now))
		(void)rule_broken(check, RULE_AUTH_EXPIRED, auth);
	return check->st->code;
}

/* An entry without a text to decode. */
static enum code
check_absent(const struct check *check, struct json_value root,
	     struct json_value entry)
{
	bool apart = json_type(json_get(entry, "username")) == JSON_STRING;
	bool elsewhere =
		json_type(json_get(entry, "credsStore")) != JSON_ABSENT;

	(void)rule_broken(check,
			  elsewhere ? RULE_AUTH_ELSEWHERE
			  : apart   ? RULE_AUTH_APART
				    : RULE_AUTH_MISSING,
			  entry);
	shape_hint_entry(root, entry, check->st);
	return check->st->code;
}

enum code
auth_check(const struct check *check, struct json_value root,
	   const struct json_iter *entry)
{
	struct json_value auth = json_get(entry->value, "auth");
	struct buf *scratch = check->scratch;
	enum rule rule;

	buf_reset(scratch);
	if (json_type(auth) == JSON_ABSENT)
		return check_absent(check, root, entry->value);
	if (json_type(auth) == JSON_NULL)
		return rule_broken_by(check, RULE_AUTH_NULL, "auth", auth);
	if (!json_string(auth, scratch))
		return rule_broken_by(check, RULE_AUTH_TYPE, "auth", auth);
	if (json_equals(entry->key, STR("cloud.openshift.com")) &&
	    has_lines(str_trim(buf_view(scratch))) &&
	    rule_broken(check, RULE_AUTH_LINES, auth) != CODE_OK)
		return check->st->code;
	rule = decode(scratch);
	if (rule != RULE_NONE)
		(void)rule_broken(check, rule, auth);
	if (rule == RULE_AUTH_UNPADDED || rule == RULE_AUTH_ALPHABET)
		shape_hint_recode(check->st);
	if (rule == RULE_AUTH_BASE64)
		return check->st->code;
	if (scratch->len == 0)
		return rule_broken(check, RULE_AUTH_EMPTY, auth);
	return check_login(check, entry->value, auth);
}
