#include "job/pullsecret_keys.h"

/* A registry that may be quoted in a message. */
#define NAME_SIZE 128

/* Without scheme, and then also without path; Docker Hub by one name. */
static struct str
spelled(struct str key)
{
	bool plain = false;

	if (str_starts(key, STR("https://")))
		key = str_skip(key, 8);
	else if (str_starts(key, STR("http://")))
		key = str_skip(key, 7);
	else
		plain = true;
	if (!plain)
		key.len = str_find(key, '/');
	if (str_eq(key, STR("index.docker.io")) ||
	    str_eq(key, STR("registry-1.docker.io")))
		return STR("docker.io");
	return key;
}

struct str
registry_of(struct str key)
{
	key = spelled(key);
	key.len = str_find(key, '/');
	return spelled(key);
}

static bool
has_between(struct str text, char first, char last)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= first && text.ptr[i] <= last)
			return true;
	return false;
}

/* The first rule that a key breaks by itself. */
static enum rule
broken_by(struct str key)
{
	struct str host, path;

	if (registry_of(key).len == 0)
		return RULE_KEY_EMPTY;
	if (str_starts(key, STR("http://")))
		return RULE_KEY_HTTP;
	if (has_between(key, '\0', ' '))
		return RULE_KEY_SPACE;
	if (has_between(key, '@', '@'))
		return RULE_KEY_USER;
	if (has_between(key, '*', '*'))
		return RULE_KEY_GLOB;
	host = str_starts(key, STR("https://")) ? str_skip(key, 8) : key;
	path = str_skip(host, str_find(host, '/'));
	host.len -= path.len;
	if (has_between(host, 'A', 'Z'))
		return RULE_KEY_CAPITAL;
	if (has_between(path, ':', ':'))
		return RULE_KEY_TAG;
	return RULE_NONE;
}

/* A key without its escapes, behind what is in `scratch`; "" has no room. */
static struct str
text_of(struct json_value key, struct buf *scratch)
{
	size_t start = scratch->len;

	(void)json_string(key, scratch);
	return str_skip(buf_view(scratch), start);
}

/* Whether another key stands for `own`, which is in `scratch`, too. */
static bool
has_twin(struct json_value auths, struct json_value key, struct buf *scratch)
{
	struct str own = buf_view(scratch), name = spelled(own);
	struct json_iter other = json_iter(auths);

	/* Docker Hub's are kept apart, each reader knows its own. */
	if ((str_eq(name, own) && !has_between(own, 'A', 'Z')) ||
	    str_eq(name, STR("docker.io")))
		return false;
	for (; json_next(&other); scratch->len = own.len)
		if (other.key.index != key.index &&
		    str_eq_nocase(spelled(text_of(other.key, scratch)), name))
			return true;
	return false;
}

enum code
key_check(const struct check *check, struct json_value auths,
	  struct json_value key)
{
	static const char *const HUB[] = { "https://index.docker.io/v1/",
					   "index.docker.io" };
	enum rule rule;

	buf_reset(check->scratch);
	if (!json_string(key, check->scratch))
		return check->st->code;
	rule = broken_by(buf_view(check->scratch));
	if (rule != RULE_NONE)
		(void)rule_broken(check, rule, key);
	/* The kubelet knows it by the other name only. */
	if (str_eq(buf_view(check->scratch), STR("docker.io")) &&
	    json_type(json_get(auths, HUB[0])) == JSON_ABSENT &&
	    json_type(json_get(auths, HUB[1])) == JSON_ABSENT)
		(void)rule_broken(check, RULE_KEY_HUB, key);
	else if (has_twin(auths, key, check->scratch))
		(void)rule_broken(check, RULE_KEY_TWIN, key);
	return check->st->code;
}

/* Whether an entry is used for a registry, or a repository in it. */
static bool
covers(struct str key, struct str wanted)
{
	struct str start;

	key = spelled(key);
	wanted = spelled(wanted);
	start = wanted;
	if (start.len > key.len && start.ptr[key.len] == '/')
		start.len = key.len;
	return str_eq_nocase(key, start);
}

enum code
keys_check_required(const struct check *check, struct json_value auths)
{
	struct str rest = str_from(check->policy->required), wanted;
	char name[NAME_SIZE];

	while (rest.len > 0 && str_split(&rest, ',', &wanted)) {
		struct json_iter entry = json_iter(auths);
		bool found = false;

		wanted = str_trim(wanted);
		while (wanted.len > 0 && !found && json_next(&entry)) {
			buf_reset(check->scratch);
			found = covers(text_of(entry.key, check->scratch),
				       wanted);
		}
		if (found || wanted.len == 0)
			continue;
		/* A longer one is left out. */
		if (!str_copy(wanted, name, sizeof(name)))
			name[0] = '\0';
		return rule_broken_by(check, RULE_REQUIRED, name, auths);
	}
	return check->st->code;
}
