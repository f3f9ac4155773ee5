#include "job/pullsecret.h"

#include "base/json_walk.h"
#include "job/pullsecret_auth.h"
#include "job/pullsecret_keys.h"
#include "job/pullsecret_shape.h"

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

/*
 * The members that consumers read: they reject the whole file for one value of
 * another type. null counts as absent to all of them.
 */
struct member {
	const char *name;
	enum rule rule; /* of its type; RULE_NONE: checked elsewhere */
	enum rule use;  /* broken by its presence */
};

static const struct member ROOT[] = {
	{ "auths", RULE_NONE, RULE_NONE },
	{ "HttpHeaders", RULE_ROOT_HEADERS, RULE_UNKNOWN },
	{ "credHelpers", RULE_ROOT_HELPERS, RULE_ROOT_UNREAD },
	{ "credsStore", RULE_NONE, RULE_ROOT_UNREAD },
	{ NULL, RULE_NONE, RULE_UNKNOWN },
};

static const struct member ENTRY[] = {
	{ "auth", RULE_NONE, RULE_NONE },
	{ "username", RULE_ENTRY_TEXT, RULE_NONE },
	{ "password", RULE_ENTRY_TEXT, RULE_NONE },
	{ "email", RULE_ENTRY_TEXT, RULE_NONE },
	{ "identitytoken", RULE_ENTRY_IDENTITY, RULE_ENTRY_TOKEN },
	{ "registrytoken", RULE_NONE, RULE_ENTRY_TOKEN },
	{ NULL, RULE_NONE, RULE_UNKNOWN },
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

static bool
is_string_or_null(struct json_value value)
{
	enum json_type type = json_type(value);

	return type == JSON_STRING || type == JSON_NULL || type == JSON_ABSENT;
}

static enum code
check_type(const struct check *check, struct json_value value,
	   const struct member *known)
{
	bool text = known->rule == RULE_ENTRY_TEXT ||
		    known->rule == RULE_ENTRY_IDENTITY;
	bool map = !text && json_type(value) == JSON_OBJECT;
	bool right = map || (is_string_or_null(value) &&
			     (text || json_type(value) != JSON_STRING));
	struct json_iter member = json_iter(value);

	while (map && right && json_next(&member)) {
		right = is_string_or_null(member.value);
		value = member.value;
	}
	return right ? check->st->code
		     : rule_broken_by(check, known->rule, known->name, value);
}

/* Whether it may be there, by this name, and with this type. */
static enum code
check_member(const struct check *check, const struct json_iter *member,
	     const struct member *known)
{
	for (const struct member *other = known; other->name != NULL; other++)
		if (differs_in_case(member->key, other->name))
			return rule_broken_by(check, RULE_CASE, other->name,
					      member->key);
	while (known->name != NULL &&
	       !json_equals(member->key, str_from(known->name)))
		known++;
	if (known->rule != RULE_NONE)
		(void)check_type(check, member->value, known);
	if (known->use != RULE_NONE)
		(void)rule_broken(check, known->use, member->key);
	return check->st->code;
}

static enum code
check_members(const struct check *check, struct json_value object,
	      const struct member *known)
{
	struct json_iter member = json_iter(object);

	while (json_next(&member))
		if (check_member(check, &member, known) != CODE_OK)
			break;
	return check->st->code;
}

static enum code
check_helpers(const struct check *check, struct json_value root)
{
	struct json_value helpers = json_get(root, "credHelpers");
	struct json_iter auth = json_iter(json_get(root, "auths"));

	while (json_size(helpers) > 0 && json_next(&auth)) {
		struct json_iter helper = json_iter(helpers);
		struct str registry;

		buf_reset(check->scratch);
		if (!json_string(auth.key, check->scratch))
			continue;
		registry = registry_of(buf_view(check->scratch));
		while (json_next(&helper))
			if (json_equals(helper.key, registry))
				(void)rule_broken(check, RULE_HELPER,
						  helper.key);
	}
	return check->st->code;
}

static enum code
check_entry(const struct check *check, struct json_value root,
	    const struct json_iter *entry)
{
	if (json_type(entry->value) == JSON_NULL)
		return rule_broken(check, RULE_ENTRY_NULL, entry->value);
	if (json_type(entry->value) != JSON_OBJECT)
		return rule_broken(check, RULE_ENTRY_TYPE, entry->value);
	(void)check_members(check, entry->value, ENTRY);
	if (check->st->code == CODE_OK)
		(void)auth_check(check, root, entry);
	return check->st->code == CODE_OK
		       ? key_check(check, json_get(root, "auths"), entry->key)
		       : check->st->code;
}

/* The contract of all: without it nothing else can be said. */
static enum code
check_auths(const struct check *check, struct json_value root)
{
	struct json_value auths = json_get(root, "auths");

	if (json_type(root) != JSON_OBJECT) {
		(void)rule_broken(check, RULE_ROOT_TYPE, root);
		shape_hint_root(root, check->st);
		return check->st->code;
	}
	if (json_type(auths) == JSON_ABSENT) {
		/* By another name, perhaps. */
		if (check_members(check, root, ROOT) == CODE_OK)
			(void)rule_broken(check, RULE_AUTHS_MISSING, root);
		shape_hint_root(root, check->st);
		return check->st->code;
	}
	if (json_type(auths) != JSON_OBJECT)
		return rule_broken(check, RULE_AUTHS_TYPE, auths);
	check->found->registries = json_size(auths);
	if (check->found->registries == 0)
		return rule_broken(check, RULE_AUTHS_EMPTY, auths);
	return CODE_OK;
}

static enum code
check_root(const struct check *check, struct json_value root)
{
	struct json_value auths = json_get(root, "auths");
	struct json_iter entry = json_iter(auths);

	if (check_auths(check, root) != CODE_OK ||
	    check_members(check, root, ROOT) != CODE_OK)
		return check->st->code;
	while (json_next(&entry))
		if (check_entry(check, root, &entry) != CODE_OK)
			return check->st->code;
	if (json_type(json_get(auths, "cloud.openshift.com")) == JSON_ABSENT)
		(void)rule_broken(check, RULE_NO_CLOUD, auths);
	(void)keys_check_required(check, auths);
	return check_helpers(check, root);
}

enum code
pullsecret_check(struct str text, const struct pullsecret_policy *policy,
		 struct json_tokens *tokens, struct buf *scratch,
		 struct pullsecret_findings *found, struct status *st)
{
	const struct check check = { policy, scratch, found, st };
	struct json json;

	found->registries = found->warnings = found->kept = 0;
	buf_init(&found->text, found->memory, sizeof(found->memory));
	if (text.len > PULL_SECRET_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%zu bytes are more than the %d that a "
				  "secret version holds",
				  text.len, PULL_SECRET_MAX);
	if (json_parse(&json, text, tokens, st) != CODE_OK) {
		shape_hint_text(text, scratch, st);
		return st->code;
	}
	(void)check_root(&check, json_root(&json));
	buf_wipe(scratch);
	return st->code;
}
