#include "job/tasks_options.h"

#include <string.h>

#include "base/codec.h"
#include "job/options.h"
#include "job/target.h"

#define SHARDS_MAX 100000
/* In 1000 s. */
#define RATE_MAX 100000000

static struct {
	const char *file;
	const char *folder;
	const char *strict; /* switch */
	const char *workers;
	const char *shards;
	const char *index;
	const char *rate;
	const char *task_timeout;
	const char *failed;
} given;

static struct tasks_settings settings;

static const struct opt OPTIONS[] = {
	{ "--tasks", "TASKS_FILE", "PATH|-",
	  "list of tasks, a JSON object a line; - for standard input",
	  &given.file, OPT_INPUT },
	{ "--tasks-folder", "TASKS_FOLDER", "PATH",
	  "folder of the paths in it|its own", &given.folder, OPT_PLAIN },
	{ "--strict", "TASKS_STRICT", NULL,
	  "stop at the first line that is wrong", &given.strict, OPT_PLAIN },
	{ "--workers", "WORKERS", "N",
	  "processes that work on it, at most 32|1", &given.workers,
	  OPT_PLAIN },
	{ "--shards", "SHARDS", "N", "do one part of it, of so many|1",
	  &given.shards, OPT_PLAIN },
	{ NULL, "JOB_COMPLETION_INDEX", "N",
	  "which part, from 0, as an Indexed Job sets it", &given.index,
	  OPT_PLAIN },
	{ "--rate", "RATE", "N", "write requests a second|10, for all shards",
	  &given.rate, OPT_PLAIN },
	{ "--task-timeout", "TASK_TIMEOUT_SECONDS", "DURATION",
	  "time for each task|280", &given.task_timeout, OPT_PLAIN },
	{ "--failed", "FAILED_FILE", "PATH",
	  "file for the tasks that failed, itself a list", &given.failed,
	  OPT_OUTPUT },
};

const struct opt_table TASKS_OPTIONS = { "List of tasks", OPTIONS,
					 OPT_COUNT(OPTIONS) };

const char *
tasks_path(void)
{
	return given.file;
}

bool
tasks_given(void)
{
	return given.file != NULL;
}

bool
tasks_from_input(void)
{
	return tasks_given() && strcmp(given.file, "-") == 0;
}

const struct tasks_settings *
tasks_settings(void)
{
	return &settings;
}

static enum code
refuse_flags(struct status *st)
{
	for (size_t i = 1; i <= OPT_COUNT(OPTIONS); i++) {
		const char *variable = i < OPT_COUNT(OPTIONS)
					       ? OPTIONS[i].variable
					       : "JOURNAL_FILE";

		if (opt_is_flag(variable))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s needs --tasks",
					  opt_origin(variable));
	}
	return CODE_OK;
}

/* A number of `least` to `most`; NULL leaves it as it is. */
static enum code
read_number(const char *variable, const char *text, unsigned least,
	    unsigned most, unsigned *number, struct status *st)
{
	uint64_t value;

	if (text == NULL)
		return CODE_OK;
	if (!parse_uint(str_from(text), &value) || value < least ||
	    value > most)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be a number from %u to %u",
				  opt_given(variable), least, most);
	*number = (unsigned)value;
	return CODE_OK;
}

static enum code
read_shard(struct status *st)
{
	if (read_number("SHARDS", given.shards, 1, SHARDS_MAX, &settings.shards,
			st) != CODE_OK ||
	    given.shards == NULL)
		return st->code;
	if (given.index == NULL)
		(void)status_set(st, CODE_INVALID_ARGUMENT,
				 "%s: JOB_COMPLETION_INDEX is missing",
				 opt_given("SHARDS"));
	else
		(void)read_number("JOB_COMPLETION_INDEX", given.index, 0,
				  settings.shards - 1, &settings.shard, st);
	if (st->code != CODE_OK)
		status_hint(st, "a Job sets it with completionMode: Indexed, "
				"and completions as many as shards");
	return st->code;
}

/* Up to three decimals. */
static enum code
read_rate(struct status *st)
{
	struct str rest = str_from(given.rate), text;
	uint64_t whole, part = 0;

	if (given.rate == NULL)
		return CODE_OK;
	if (str_split(&rest, '.', &text) && parse_uint(text, &whole) &&
	    whole <= RATE_MAX / 1000 &&
	    (rest.ptr == NULL || (rest.len <= 3 && parse_uint(rest, &part)))) {
		for (size_t i = rest.len; i < 3; i++)
			part *= 10;
		settings.rate = whole * 1000 + part;
	}
	if (settings.rate == 0 || settings.rate > RATE_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be a number from 0.001 to %d",
				  opt_given("RATE"), RATE_MAX / 1000);
	return CODE_OK;
}

static enum code
refuse_conflicts(struct status *st)
{
	const struct target_options *target = target_options();
	const char *variable =
		target->cluster_id != NULL ? "CLUSTER_ID" : "SECRET_NAME";

	if (target->cluster_id == NULL && target->secret_name == NULL)
		return CODE_OK;
	if (!opt_is_flag(variable))
		status_hint(st, "unset %s", variable);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s: each line of a list of tasks has its own",
			  opt_origin(variable));
}

enum code
tasks_check(struct status *st)
{
	uint64_t seconds = TIMEOUT_DEFAULT_S;

	settings.workers = 1;
	settings.shards = 1;
	if (!tasks_given())
		return refuse_flags(st);
	settings.shard = 0;
	settings.rate = 0;
	settings.file = given.file;
	settings.folder = given.folder;
	settings.failed = given.failed;
	settings.strict = given.strict != NULL;
	if (refuse_conflicts(st) != CODE_OK ||
	    target_check_project(st) != CODE_OK ||
	    read_number("WORKERS", given.workers, 1, WORKERS_MAX,
			&settings.workers, st) != CODE_OK ||
	    read_shard(st) != CODE_OK || read_rate(st) != CODE_OK)
		return st->code;
	(void)opt_duration("TASK_TIMEOUT_SECONDS", 1, TIMEOUT_MAX_S, &seconds,
			   st);
	settings.task_timeout_ms = (int64_t)seconds * 1000;
	return st->code;
}
