#include "job/pullsecret_rules.h"

#include "base/format.h"
#include "base/json_path.h"

#define PATH_MAX_SHOWN 256
#define MESSAGE_MAX 640

static const struct {
	uint8_t level, refuse, misread;
} ROWS[] = { { NEVER, 0, 0 },
#define RULE_WEIGHT(name, level, refuse, misread, text) \
	{ level, refuse, misread },
	     RULES(RULE_WEIGHT) };

/* One after the other, each with its end: pointers would double the size. */
static const char TEXTS[] =
#define RULE_TEXT(name, level, refuse, misread, text) "\0" text
	RULES(RULE_TEXT);

static const char *
text_of(enum rule rule)
{
	const char *at = TEXTS, *text = TEXTS;

	for (; rule != RULE_NONE; rule--) {
		at += str_from(at).len + 1;
		if (*at != '\0')
			text = at;
	}
	return text;
}

static enum level
level_of(const struct pullsecret_policy *policy, enum rule rule)
{
	enum level level = ROWS[rule].level;

	if (level == ALWAYS)
		return ERROR;
	if (policy->profile != 0)
		level = (ROWS[rule].refuse & policy->profile) != 0    ? ERROR
			: (ROWS[rule].misread & policy->profile) != 0 ? WARNING
								      : NEVER;
	if (policy->strictness == STRICTNESS_BASIC && level == ERROR)
		return WARNING;
	if (policy->strictness == STRICTNESS_STRICT && level == WARNING)
		return ERROR;
	return level;
}

/* " (refused by kubelet, crio)" */
static void
put_consumers(struct buf *out, const char *before, unsigned set)
{
	struct str rest = STR(CONSUMERS), name;

	for (unsigned bit = 1; str_split(&rest, '|', &name); bit <<= 1) {
		if ((set & bit) == 0)
			continue;
		buf_put_cstr(out, before);
		buf_put_str(out, name);
		before = ", ";
	}
}

enum code
rule_broken_by(const struct check *check, enum rule rule, const char *name,
	       struct json_value where)
{
	enum level level = level_of(check->policy, rule);
	struct pullsecret_findings *found = check->found;
	char memory[PATH_MAX_SHOWN], text[MESSAGE_MAX], readers[120];
	size_t line, column;
	struct buf path, who;

	if (level == NEVER || check->st->code != CODE_OK)
		return check->st->code;
	if (level == WARNING && found->warnings++ > found->kept)
		return CODE_OK;
	buf_init(&path, memory, sizeof(memory));
	json_path(where, &path);
	json_position(where, &line, &column);
	buf_init(&who, readers, sizeof(readers));
	put_consumers(&who, "; refused by ", ROWS[rule].refuse);
	put_consumers(&who, "; misread by ", ROWS[rule].misread);
	(void)format_text(text, sizeof(text),
			  "line %zu, column %zu, at %.*s: %s%s%.*s", line,
			  column, (int)path.len, path.ptr, name, text_of(rule),
			  (int)who.len, who.ptr);
	if (level == ERROR)
		return status_set(check->st, CODE_INVALID_ARGUMENT, "%s", text);
	if (buf_room(&found->text) > str_from(text).len) {
		buf_put_cstr(&found->text, text);
		buf_put_char(&found->text, '\n');
		found->kept++;
	}
	return CODE_OK;
}

enum code
rule_broken(const struct check *check, enum rule rule, struct json_value where)
{
	return rule_broken_by(check, rule, "", where);
}
