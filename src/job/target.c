#include "job/target.h"

#include "base/codec.h"
#include "base/format.h"
#include "base/redact.h"

static struct target_options given;

static const struct opt OPTIONS[] = {
	{ "--gcp-project-id", "GCP_PROJECT_ID", "PROJECT",
	  "project of the secret (required)", &given.project, OPT_PLAIN },
	{ "--cluster-id", "CLUSTER_ID", "ID",
	  "cluster; a label, so a-z 0-9 _ -, at most 63 (required)",
	  &given.cluster_id, OPT_PLAIN },
	{ "--secret-name", "SECRET_NAME", "NAME",
	  "name of the secret, of A-Z a-z 0-9 _ "
	  "-|hyperfleet-CLUSTER_ID-pull-secret",
	  &given.secret_name, OPT_PLAIN },
	{ "--regional", "SECRET_REGION", "LOCATION",
	  "location of a regional secret, at its regional endpoint",
	  &given.location, OPT_PLAIN },
};

const struct opt_table TARGET_OPTIONS = { "Secret", OPTIONS,
					  OPT_COUNT(OPTIONS) };

const struct target_options *
target_options(void)
{
	return &given;
}

void
target_set_location(const char *location)
{
	given.location = location;
}

/* What a name may be made of. */
struct rule {
	const struct opt *opt;
	const char *member; /* of a line of a list */
	size_t max;
	const char *set; /* as str_only() takes it */
};

/* A project's ID or number; old ones are scoped by a domain and a colon. */
static const struct rule PROJECT = { &OPTIONS[0], "gcp_project_id",
				     PROJECT_ID_MAX, "a-z0-9:.-" };

/* In ASCII (Secret.labels). */
static const struct rule CLUSTER = { &OPTIONS[1], "cluster_id", CLUSTER_ID_MAX,
				     "a-z0-9_-" };

static const struct rule SECRET = { &OPTIONS[2], "secret_name",
				    SECRET_NAME_SIZE - 1, "A-Za-z0-9_-" };

/*
 * The option as it was given, or the member of a line of a list (0: of none); a
 * name from elsewhere stands for itself.
 */
static const char *
shown(size_t line, const char *value, const struct rule *rule)
{
	static char text[32 + SECRET_NAME_SIZE];

	if (value == *rule->opt->value)
		return opt_given(rule->opt->variable);
	value = redact_argument(value);
	if (line == 0)
		return value;
	(void)format_text(text, sizeof(text), "%s=%s", rule->member, value);
	return text;
}

static enum code
check(size_t line, const char *value, const struct rule *rule,
      struct status *st)
{
	struct str text = str_from(value);

	if (text.len == 0 && line > 0)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s is missing or empty", rule->member);
	if (text.len == 0)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s (%s) is missing or empty",
				  rule->opt->variable, rule->opt->flag);
	if (text.len > rule->max)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: %zu characters, at most %zu are allowed",
				  shown(line, value, rule), text.len,
				  rule->max);
	for (size_t i = 0; i < text.len; i++)
		if (!str_only((struct str){ text.ptr + i, 1 }, rule->set))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s: character %zu is not allowed, "
					  "only %s",
					  shown(line, value, rule), i + 1,
					  rule->set);
	return CODE_OK;
}

static enum code
check_project(size_t line, const char *project, struct status *st)
{
	if (check(line, project, &PROJECT, st) != CODE_OK)
		return st->code;
	/* A dot in front would make "." or ".." of the URL's path. */
	if (!str_only((struct str){ project, 1 }, "a-z0-9"))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must start with a letter or a digit",
				  shown(line, project, &PROJECT));
	return CODE_OK;
}

enum code
target_set_project(struct task *task, const char *project, struct status *st)
{
	task->project = project;
	return check_project(task->line, project, st);
}

enum code
target_check_project(struct status *st)
{
	return given.project == NULL ? CODE_OK
				     : check_project(0, given.project, st);
}

enum code
target_set_secret(struct task *task, const char *secret, struct status *st)
{
	if (check(task->line, secret, &SECRET, st) == CODE_OK)
		(void)format_text(task->secret, sizeof(task->secret), "%s",
				  secret);
	return st->code;
}

enum code
target_read(struct task *task, const struct target_options *options,
	    struct status *st)
{
	struct status cluster = { .code = CODE_OK }, name = cluster;

	task->cluster_id = options->cluster_id;
	(void)target_set_project(task, options->project, st);
	if (check(task->line, options->cluster_id, &CLUSTER, &cluster) ==
	    CODE_OK)
		(void)format_text(task->secret, sizeof(task->secret),
				  "hyperfleet-%s-pull-secret",
				  options->cluster_id);
	if (options->secret_name != NULL)
		(void)target_set_secret(task, options->secret_name, &name);
	status_join(st, &cluster);
	status_join(st, &name);
	return st->code;
}

enum code
target_check_version(const char *name, const char *version, struct status *st)
{
	uint64_t number = 0;

	if (parse_uint(str_from(version), &number) && number > 0)
		return CODE_OK;
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s=%s must be the number of a version, from 1", name,
			  redact_argument(version));
}
