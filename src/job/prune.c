#include "job/prune.h"

#include "base/codec.h"
#include "base/format.h"
#include "gcp/versions.h"

static const char PRUNE[] = "prune-versions";

/* Secret Manager: at most 50 aliases of a secret. */
#define ALIASES_MAX 50
/* Versions of one run; what is left is for the next one. */
#define PRUNED_MAX 100
#define KEEP_MAX 1000000
#define KEEP_AGE_DEFAULT_S 3600
/* What a version can be spared for: ten years. */
#define KEEP_AGE_MAX_S 315360000

static struct {
	const char *keep;
	const char *age;
	const char *action;
} given;

static const struct opt OPTIONS[] = {
	{ "--keep", "KEEP_VERSIONS", "N",
	  "then destroy all enabled versions but the N newest", &given.keep,
	  OPT_PLAIN },
	{ "--keep-age", "KEEP_AGE", "DURATION",
	  "spare versions that are younger, in seconds or as 90m|1h",
	  &given.age, OPT_PLAIN },
	{ "--keep-action", "KEEP_ACTION", "destroy|disable",
	  "what is done to the others|destroy", &given.action, OPT_PLAIN },
};

const struct opt_table KEEP_OPTIONS = { "Older versions", OPTIONS,
					OPT_COUNT(OPTIONS) };

/* The options, read. */
struct keep {
	uint64_t count;
	uint64_t age_s;
	bool disable;
};

static enum code
read_keep(struct keep *keep, struct status *st)
{
	*keep = (struct keep){ .age_s = KEEP_AGE_DEFAULT_S };
	if (given.keep != NULL &&
	    (!parse_uint(str_from(given.keep), &keep->count) ||
	     keep->count == 0 || keep->count > KEEP_MAX))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be a number from 1 to %d",
				  opt_given("KEEP_VERSIONS"), KEEP_MAX);
	if (given.action != NULL) {
		struct str action = str_from(given.action);

		keep->disable = str_eq(action, STR("disable"));
		if (!keep->disable && !str_eq(action, STR("destroy")))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s must be destroy or disable",
					  opt_given("KEEP_ACTION"));
	}
	return opt_duration("KEEP_AGE", 0, KEEP_AGE_MAX_S, &keep->age_s, st);
}

enum code
prune_check(struct status *st)
{
	struct keep keep;

	if (given.keep == NULL &&
	    (opt_is_flag("KEEP_AGE") || opt_is_flag("KEEP_ACTION")))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "--keep-age and --keep-action need --keep");
	return read_keep(&keep, st);
}

/* State that the steps share. */
struct pruning {
	const struct prune_target *target;
	struct keep keep;
	uint64_t alias[ALIASES_MAX];
	size_t alias_count;
	uint64_t below; /* those from here on have been dealt with */
	size_t young;   /* spared for their age, by the last list */
	size_t pruned;
	bool warned;
	struct version_list list;
};

/* An alias may point to any version, and readers use it. */
static enum code
read_aliases(struct pruning *pruning, struct status *st)
{
	const struct prune_target *target = pruning->target;
	struct retry retry = client_retries(target->client);
	struct secret_resource secret;
	struct json_iter iter;
	enum json_type type;
	bool fits;

	if (secretmanager_get(&target->client->sm, target->task->project,
			      target->task->secret, &secret, &retry,
			      st) != CODE_OK)
		return st->code;
	iter = json_iter(secret.aliases);
	pruning->alias_count = 0;
	type = json_type(secret.aliases);
	fits = type <= JSON_NULL || type == JSON_OBJECT;
	while (fits && json_next(&iter))
		fits = pruning->alias_count < ALIASES_MAX &&
		       json_uint(iter.value,
				 &pruning->alias[pruning->alias_count++]);
	return fits ? CODE_OK
		    : status_set(st, CODE_UNAVAILABLE,
				 "its aliases cannot be read");
}

static bool
is_alias(const struct pruning *pruning, uint64_t number)
{
	for (size_t i = 0; i < pruning->alias_count; i++)
		if (pruning->alias[i] == number)
			return true;
	return false;
}

/*
 * The age counts from the moment that ours was added, by the server's clock, or
 * else from now.
 */
static bool
is_young(const struct pruning *pruning, const struct version_info *version,
	 int64_t ours_created)
{
	int64_t now = clock_unix();

	if (pruning->target->just_added && ours_created < now)
		now = ours_created;
	/* Without a time it may be of any age. */
	return version->created == 0 ||
	       version->created > now - (int64_t)pruning->keep.age_s;
}

/*
 * Lists the versions anew, and stops at the first one that may go; NULL: there
 * is none, or there is an error.
 */
static const struct version_info *
find_victim(struct pruning *pruning, struct status *st)
{
	const struct prune_target *target = pruning->target;
	const struct retry retry = client_retries(target->client);
	const struct version_info *version;
	int64_t ours_created = 0;
	bool ours = false;
	uint64_t kept = 0;

	pruning->young = 0;
	versions_start(&pruning->list, &target->client->sm,
		       target->task->project, target->task->secret,
		       "state:ENABLED", &retry);
	while ((version = versions_next(&pruning->list, st)) != NULL) {
		if (version->state != VERSION_ENABLED ||
		    version->scheduled != 0)
			continue;
		if (version->number == target->ours) {
			ours = true;
			ours_created = version->created;
		}
		if (version->number < target->ours && !ours)
			break;
		if (kept++ < pruning->keep.count ||
		    version->number >= target->ours)
			continue;
		if (is_young(pruning, version, ours_created))
			pruning->young++;
		else if (version->number < pruning->below &&
			 !is_alias(pruning, version->number))
			return version;
	}
	if (st->code == CODE_OK && !ours)
		(void)status_set(st, CODE_FAILED_PRECONDITION,
				 "version %llu is not listed as enabled",
				 (unsigned long long)target->ours);
	return NULL;
}

static void
warn(struct pruning *pruning, struct status *st, const char *what)
{
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = PRUNE,
				       .message = st->message,
				       .status = st };

	secretmanager_hint(st,
			   pruning->keep.disable
				   ? "--keep needs secretmanager.secrets.get, "
				     "versions.list and versions.disable"
				   : "--keep needs secretmanager.secrets.get, "
				     "versions.list and versions.destroy");
	status_prefix(st, "%s", what);
	pruning->warned = true;
	report_log(pruning->target->report, &line);
}

static void
report_pruned(const struct pruning *pruning, const struct version_info *after,
	      uint64_t number, int64_t started)
{
	char due[RFC3339_SIZE];

	if (after->scheduled != 0) {
		clock_rfc3339(after->scheduled, due);
		report_done(pruning->target->report, PRUNE, started, "",
			    "Version %llu will be destroyed at %s",
			    (unsigned long long)number, due);
	} else {
		report_done(pruning->target->report, PRUNE, started, "",
			    "%s version %llu",
			    pruning->keep.disable ? "Disabled" : "Destroyed",
			    (unsigned long long)number);
	}
}

static enum version_state
state_after(const struct pruning *pruning)
{
	return pruning->keep.disable ? VERSION_DISABLED : VERSION_DESTROYED;
}

/* By the reply: there may be others in front of the server. */
static bool
is_pruned(const struct pruning *pruning, const struct version_info *after)
{
	if (after->number != pruning->below || after->state == VERSION_ENABLED)
		return false;
	return after->scheduled != 0 || after->state == state_after(pruning);
}

/* False if it failed. One that others changed is theirs. */
static bool
prune_one(struct pruning *pruning, const struct version_info *victim,
	  struct status *st)
{
	const struct prune_target *target = pruning->target;
	struct secretmanager *sm = &target->client->sm;
	struct retry retry = client_retries(target->client);
	struct version_info after = { .number = 0 };
	int64_t started = clock_ms();

	pruning->below = victim->number;
	if (victim->etag[0] == '\0') {
		(void)status_set(st, CODE_UNAVAILABLE,
				 "version %llu has no usable etag",
				 (unsigned long long)victim->number);
		return false;
	}
	(void)versions_change(sm, target->task->project, target->task->secret,
			      victim, state_after(pruning), &after, &retry, st);
	if (st->code == CODE_FAILED_PRECONDITION) {
		/* After a lost reply: we changed it, or others did. */
		warn(pruning, st,
		     sm->may_have_acted
			     ? "an older version may have been dealt with"
			     : "an older version was left as it is");
		status_clear(st);
		return true;
	}
	if (st->code == CODE_OK && !is_pruned(pruning, &after))
		(void)status_set(st, CODE_UNAVAILABLE,
				 "version %llu may be as it was, by the reply",
				 (unsigned long long)pruning->below);
	if (st->code != CODE_OK)
		return false;
	pruning->pruned++;
	report_pruned(pruning, &after, pruning->below, started);
	return true;
}

static void
prune(struct pruning *pruning, struct status *st)
{
	struct report *report = pruning->target->report;
	const struct version_info *victim;

	for (unsigned i = 0; i < PRUNED_MAX; i++) {
		victim = find_victim(pruning, st);
		if (victim == NULL && st->code == CODE_OK && pruning->young > 0)
			report_info(report, PRUNE,
				    "Younger than --keep-age, and spared: %zu",
				    pruning->young);
		/* Read last: an alias may have been set by now. */
		if (victim == NULL || read_aliases(pruning, st) != CODE_OK ||
		    report_check(report, st) != CODE_OK)
			return;
		if (!is_alias(pruning, victim->number) &&
		    !prune_one(pruning, victim, st))
			return;
	}
	report_info(report, PRUNE, "More may be left for the next run");
}

const char *
prune_versions(const struct prune_target *target)
{
	/* Large: the stack must stay within reach of wipe_stack(). */
	static struct pruning pruning;
	static char said[80];
	struct status st = { .code = CODE_OK };

	pruning = (struct pruning){ .target = target, .below = UINT64_MAX };
	if (read_keep(&pruning.keep, &st) != CODE_OK || pruning.keep.count == 0)
		return "";
	target->report->operation = PRUNE;
	report_info(target->report, PRUNE,
		    "Looking for enabled versions, all but the newest: %llu",
		    (unsigned long long)pruning.keep.count);
	prune(&pruning, &st);
	if (st.code != CODE_OK)
		warn(&pruning, &st, "older versions were not all dealt with");
	(void)format_text(said, sizeof(said), "; %zu older %s%s",
			  pruning.pruned,
			  pruning.keep.disable ? "disabled" : "destroyed",
			  pruning.warned ? ", see the warning in the log" : "");
	return said;
}
