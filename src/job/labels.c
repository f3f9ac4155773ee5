#include "job/labels.h"

#include <string.h>

#include "base/format.h"
#include "base/json_path.h"
#include "base/utf8.h"

/* Secret Manager: at most 64 labels; annotations below 16 KiB in all. */
#define LABELS_MAX 64
#define LABEL_VALUE_MAX 63
#define ANNOTATIONS_MAX 16384

static struct {
	const char *labels;
	const char *annotations;
	const char *sync;
	const char *require;
} given;

static const struct opt OPTIONS[] = {
	{ "--label", "LABELS", "KEY=VALUE[,...]",
	  "labels of a new secret beside this program's own", &given.labels,
	  OPT_PLAIN },
	{ "--annotation", "ANNOTATIONS", "KEY=VALUE[,...]",
	  "annotations of a new secret", &given.annotations, OPT_PLAIN },
	{ "--sync-labels", "SYNC_LABELS", NULL,
	  "give them to a secret that exists, too", &given.sync, OPT_PLAIN },
};

const struct opt_table LABEL_OPTIONS = { "Labels", OPTIONS,
					 OPT_COUNT(OPTIONS) };

static const struct opt OWNER[] = {
	{ "--require-managed", "REQUIRE_MANAGED", NULL,
	  "refuse a secret that its labels do not call this cluster's",
	  &given.require, OPT_PLAIN },
};

const struct opt_table OWNER_OPTIONS = { "Whose secret", OWNER,
					 OPT_COUNT(OWNER) };

bool
labels_are_synced(void)
{
	return given.sync != NULL;
}

bool
labels_are_required(void)
{
	return given.require != NULL;
}

/* The labels of a task's own, and those of --label that it has not. */
static const char *
merge_labels(const char *own)
{
	static char text[2 * LABELS_TEXT_MAX];
	const struct pairs pairs = { NULL, 0, own };
	struct str rest = str_from(given.labels), value;
	char key[PAIR_KEY_SIZE];
	size_t used;

	if (own[0] == '\0')
		return given.labels;
	if (given.labels == NULL)
		return own;
	(void)format_text(text, sizeof(text), "%s", own);
	while (pairs_next(&rest, key, &value)) {
		if (pairs_count(&pairs, str_from(key)) > 0)
			continue;
		used = strlen(text);
		(void)format_text(text + used, sizeof(text) - used, ",%s=%.*s",
				  key, (int)value.len, value.ptr);
	}
	return text;
}

static void
fill_fixed(const char *cluster_id, struct label fixed[static LABELS_FIXED])
{
	const struct label labels[LABELS_FIXED] = {
		{ "managed-by", "hyperfleet" },
		{ "cluster-id", cluster_id },
		{ "adapter", "pullsecret" },
		{ "resource-type", "pull-secret" },
		{ "hyperfleet-version", "v1" },
	};

	for (size_t i = 0; i < LABELS_FIXED; i++)
		fixed[i] = labels[i];
}

struct pairs
labels_of(const struct task *task, struct label fixed[static LABELS_FIXED])
{
	fill_fixed(task->cluster_id, fixed);
	return (struct pairs){ fixed, LABELS_FIXED,
			       merge_labels(task->labels) };
}

struct pairs
labels_annotations(void)
{
	return (struct pairs){ NULL, 0, given.annotations };
}

/* In ASCII: [a-z][a-z0-9_-]{0,62} and [a-z0-9_-]{0,63}. */
static bool
is_label(struct str key, struct str value)
{
	static const char SET[] = "a-z0-9_-";

	return str_only((struct str){ key.ptr, 1 }, "a-z") &&
	       str_only(key, SET) && value.len <= LABEL_VALUE_MAX &&
	       (value.len == 0 || str_only(value, SET));
}

static bool
is_utf8(struct str text)
{
	while (text.len > 0) {
		size_t length = utf8_length(text);

		if (length == 0)
			return false;
		text = str_skip(text, length);
	}
	return true;
}

/* Letters, digits, and between them - _ . */
static bool
is_annotation(struct str key, struct str value)
{
	static const char ENDS[] = "A-Za-z0-9";

	return str_only((struct str){ key.ptr, 1 }, ENDS) &&
	       str_only((struct str){ key.ptr + key.len - 1, 1 }, ENDS) &&
	       str_only(key, "A-Za-z0-9._-") && is_utf8(value);
}

static const char LABEL_RULE[] = "a-z 0-9 _ -, 63 at most, a letter first";

static enum code
refuse_pair(const char *variable, size_t number, const char *rule,
	    struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s: pair %zu is not KEY=VALUE with %s",
			  opt_given(variable), number, rule);
}

static enum code
refuse_count(const char *variable, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "%s: at most %d labels",
			  opt_given(variable), LABELS_MAX - LABELS_FIXED);
}

/* `all` are those with which each key must be the only one. */
static enum code
check_pairs(const struct pairs *all, const char *variable,
	    bool (*is)(struct str, struct str), const char *rule,
	    struct status *st)
{
	struct str rest, value;
	char key[PAIR_KEY_SIZE];
	size_t count = all->count;

	if (all->more == NULL)
		return CODE_OK;
	rest = str_from(all->more);
	for (; pairs_next(&rest, key, &value); count++)
		if (key[0] == '\0' || !is(str_from(key), value))
			return refuse_pair(variable, count - all->count + 1,
					   rule, st);
		else if (pairs_count(all, str_from(key)) != 1)
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s: %s is there twice, or one of "
					  "this program's own",
					  opt_given(variable), key);
	if (count > LABELS_MAX && all->count > 0)
		return refuse_count(variable, st);
	return CODE_OK;
}

/* That of a line, whose values may be anything. */
static enum code
refuse_label(struct json_iter at, struct status *st)
{
	const enum json_type type = json_type(at.value);
	char memory[200];
	struct buf path;

	buf_init(&path, memory, sizeof(memory));
	json_path(at.key, &path);
	if (type != JSON_STRING)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%.*s must be a string, not %s",
				  (int)path.len, path.ptr,
				  json_type_name(type));
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%.*s: key and value must be of %s", (int)path.len,
			  path.ptr, LABEL_RULE);
}

/* Each is checked before it becomes a part of a text with commas. */
enum code
labels_read(struct task *task, struct json_value object, struct status *st)
{
	static const char NAME[] = "labels";
	struct json_iter iter = json_iter(object);
	struct label fixed[LABELS_FIXED];
	char key[PAIR_KEY_SIZE], value[LABEL_VALUE_MAX + 1];
	struct pairs all;
	struct buf text;

	if (json_type(object) == JSON_ABSENT)
		return CODE_OK;
	if (json_type(object) != JSON_OBJECT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be an object, not %s", NAME,
				  json_type_name(json_type(object)));
	buf_init(&text, task->labels, sizeof(task->labels) - 1);
	while (json_next(&iter)) {
		if (!json_cstr(iter.key, key, sizeof(key)) ||
		    !json_cstr(iter.value, value, sizeof(value)) ||
		    !is_label(str_from(key), str_from(value)))
			return refuse_label(iter, st);
		if (text.len > 0)
			buf_put_char(&text, ',');
		buf_put_cstr(&text, key);
		buf_put_char(&text, '=');
		buf_put_cstr(&text, value);
	}
	task->labels[text.len] = '\0';
	if (text.overflow)
		return refuse_count(NAME, st);
	all = labels_of(task, fixed);
	return check_pairs(&all, NAME, is_label, LABEL_RULE, st);
}

enum code
labels_check(struct status *st)
{
	struct label fixed[LABELS_FIXED];
	const struct pairs labels = { fixed, LABELS_FIXED, given.labels },
			   annotations = labels_annotations();

	fill_fixed("", fixed);
	if (check_pairs(&labels, "LABELS", is_label, LABEL_RULE, st) !=
		    CODE_OK ||
	    check_pairs(&annotations, "ANNOTATIONS", is_annotation,
			"a key of A-Z a-z 0-9 - _ ., 63 at most",
			st) != CODE_OK)
		return st->code;
	if (annotations.more != NULL &&
	    str_from(annotations.more).len >= ANNOTATIONS_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "ANNOTATIONS: less than 16 KiB are allowed");
	return CODE_OK;
}

/* Those that say whose a secret is come first. */
#define OWNER_LABELS 2

/* Whether a secret has another value than `label`, or lacks it. */
static bool
differs(const struct secret_resource *secret, const struct label *label,
	bool *missing)
{
	struct json_value value = json_get(secret->labels, label->key);

	*missing = json_type(value) == JSON_ABSENT;
	return !json_equals(value, str_from(label->value));
}

bool
labels_name_others(const struct task *task,
		   const struct secret_resource *secret)
{
	struct label labels[LABELS_FIXED];
	bool missing;

	fill_fixed(task->cluster_id, labels);
	for (size_t i = 0; i < OWNER_LABELS; i++)
		if (differs(secret, &labels[i], &missing) && !missing)
			return true;
	return false;
}

enum code
labels_check_owner(const struct task *task,
		   const struct secret_resource *secret, const char *hint,
		   struct outcome *outcome)
{
	struct status *st = &outcome->status;
	struct label labels[LABELS_FIXED];
	bool missing;

	fill_fixed(task->cluster_id, labels);
	for (size_t i = 0; i < OWNER_LABELS; i++) {
		if (!differs(secret, &labels[i], &missing))
			continue;
		outcome->reason = "SecretNotOurs";
		status_hint(st, "make sure that it is the right secret; %s",
			    hint);
		return status_set(st, CODE_FAILED_PRECONDITION,
				  "secret %s is not this cluster's: its label "
				  "%s %s %s",
				  task->secret, labels[i].key,
				  missing ? "is missing, it should be"
					  : "is not",
				  labels[i].value);
	}
	return CODE_OK;
}
