#include "job/doctor_permissions.h"

#include <string.h>

#include "base/format.h"
#include "gcp/resourcemanager.h"
#include "job/doctor_finding.h"
#include "job/store.h"

/* Clocks may differ by this much before tokens and certificates suffer. */
#define SKEW_MAX_S 60

enum { ADD, ACCESS, CREATE, PERMISSIONS };

static const char *const PERMISSION[PERMISSIONS] = {
	"secretmanager.versions.add",
	"secretmanager.versions.access",
	"secretmanager.secrets.create",
};

static const enum doctor_step STEP[PERMISSIONS] = { DOCTOR_ADD, DOCTOR_ACCESS,
						    DOCTOR_CREATE };

static const char *const ROLE[] = {
	"roles/secretmanager.secretVersionAdder",
	"roles/secretmanager.secretAccessor",
};

/* What is known of the secret. */
enum sight {
	THERE,
	MISSING,
	UNSEEN /* it may be missing, or hidden */
};

/* What has been asked so far. */
struct question {
	struct doctor *d;
	struct program *program;
	const char *project, *secret;
	char at_location[LOCATION_SIZE + 12]; /* for gcloud, or "" */
	enum sight sight;
	bool may_get;        /* secretmanager.secrets.get is granted */
	bool is_foreign;     /* and refused */
	bool asks_project;   /* the last request was about the project */
	bool project_hidden; /* Cloud Resource Manager does not show it */
	bool granted[PERMISSIONS];
	struct status st; /* of the last request */
	int64_t started;  /* the last one, clock_ms() */
};

/* The time since the last step. */
static void
note_time(struct question *q, enum doctor_step step)
{
	int64_t now = clock_ms();

	q->d->finding[step].duration_ms = now - q->started;
	q->started = now;
}

static void
check_clock(struct question *q)
{
	struct doctor *d = q->d;
	int64_t theirs, ours = clock_unix(), differ;
	char text[RFC3339_SIZE];

	if (!http_date(&q->program->client.call.response, &theirs)) {
		if (d->finding[DOCTOR_API].verdict == DOCTOR_OK)
			doctor_record(d, DOCTOR_CLOCK, DOCTOR_UNKNOWN,
				      EXIT_CONFIG, "the server sent no date");
		return;
	}
	differ = ours > theirs ? ours - theirs : theirs - ours;
	clock_rfc3339(theirs, text);
	if (differ <= SKEW_MAX_S) {
		doctor_record(d, DOCTOR_CLOCK, DOCTOR_OK, EXIT_DONE,
			      "within %lld s of the server's",
			      (long long)differ);
		return;
	}
	doctor_record(d, DOCTOR_CLOCK, DOCTOR_FAILED, EXIT_CONFIG,
		      "it differs by %lld s from the server's, which says %s",
		      (long long)differ, text);
	doctor_hint(d, DOCTOR_CLOCK,
		    "set the clock (NTP): tokens and certificates depend on "
		    "it");
}

/* With --require-managed, as the job does. */
static void
check_owner(struct question *q, const struct secret_resource *found)
{
	static struct outcome outcome;

	outcome = (struct outcome){ .reason = NULL };
	q->is_foreign = labels_check_owner(&q->program->task, found,
					   "--require-managed refuses it",
					   &outcome) != CODE_OK;
	if (q->is_foreign)
		doctor_fail(q->d, DOCTOR_SECRET, &outcome.status);
}

/*
 * Asks for the secret: an answer of Secret Manager itself, be it a refusal,
 * means that the API is there.
 */
static bool
check_api(struct question *q)
{
	const bool look = labels_are_required();
	struct secret_resource found;
	struct retry retry = retry_never(q->program->client.until);
	struct status *st = &q->st;
	enum code code =
		secretmanager_get(&q->program->client.sm, q->project, q->secret,
				  look ? &found : NULL, &retry, st);

	q->may_get = code == CODE_OK || code == CODE_NOT_FOUND;
	q->sight = code == CODE_OK          ? THERE
		   : code == CODE_NOT_FOUND ? MISSING
					    : UNSEEN;
	if (q->may_get || (code == CODE_PERMISSION_DENIED &&
			   strcmp(st->reason, "IAM_PERMISSION_DENIED") == 0))
		doctor_record(q->d, DOCTOR_API, DOCTOR_OK, EXIT_DONE,
			      "Secret Manager answers");
	else
		doctor_fail(q->d, DOCTOR_API, st);
	if (look && code == CODE_OK)
		check_owner(q, &found);
	status_clear(st);
	note_time(q, DOCTOR_API);
	return q->d->finding[DOCTOR_API].verdict == DOCTOR_OK;
}

/* How a role is granted on the project. */
static void
hint_at_role(struct question *q, enum doctor_step step, const char *why,
	     const char *role, const char *more)
{
	doctor_hint(q->d, step,
		    "%s: gcloud projects add-iam-policy-binding %s "
		    "--member=MEMBER --role=%s%s",
		    why, q->project, role, more);
}

/* The three reasons why a secret may not be seen. */
static void
hint_at_causes(struct question *q)
{
	struct doctor *d = q->d;

	hint_at_role(q, DOCTOR_SECRET, "no roles", ROLE[ADD],
		     ", and the same with secretAccessor");
	doctor_hint(d, DOCTOR_SECRET,
		    "wrong project: gcloud projects describe %s", q->project);
	doctor_hint(d, DOCTOR_SECRET,
		    "not created yet: gcloud secrets describe %s --project=%s"
		    "%s; the first run creates it, with %s on the project",
		    q->secret, q->project, q->at_location, PERMISSION[CREATE]);
}

static void
hint_at_grant(struct question *q, size_t permission)
{
	if (permission == CREATE)
		hint_at_role(q, DOCTOR_CREATE, "grant a role with it",
			     "roles/secretmanager.admin",
			     ", or a role of your own");
	else if (q->sight == THERE)
		doctor_hint(q->d, STEP[permission],
			    "grant it on the secret: gcloud secrets "
			    "add-iam-policy-binding %s --project=%s%s "
			    "--member=MEMBER --role=%s",
			    q->secret, q->project, q->at_location,
			    ROLE[permission]);
	else
		hint_at_role(q, STEP[permission], "grant it on the project",
			     ROLE[permission], "");
}

/* Records that a permission could not be asked for, and once why. */
static void
record_unasked(struct question *q, size_t permission)
{
	struct doctor *d = q->d;
	const struct status *st = &q->st;

	if (status_interrupted(st)) {
		doctor_fail(d, STEP[permission], st);
		return;
	}
	doctor_record(d, STEP[permission], DOCTOR_UNKNOWN, EXIT_AUTH, "%s: %s",
		      PERMISSION[permission],
		      permission == ADD ? st->message : "see add-version");
	if (permission != ADD)
		return;
	if (st->hint[0] != '\0')
		doctor_hint(d, DOCTOR_ADD, "%s", st->hint);
	if (q->asks_project)
		doctor_hint(d, DOCTOR_ADD,
			    "or look again once the secret exists: then "
			    "Secret Manager itself says");
}

static void
record_not_needed(struct doctor *d)
{
	doctor_record(d, DOCTOR_CREATE, DOCTOR_SKIPPED, EXIT_DONE,
		      "not needed: the secret exists");
}

static bool
is_any_granted(const struct question *q)
{
	return q->granted[ADD] || q->granted[ACCESS];
}

/* Of a secret that exists; false if it cannot be asked, or shows nothing. */
static bool
ask_secret(struct question *q)
{
	struct retry retry = retry_never(q->program->client.until);

	if (secretmanager_test_permissions(&q->program->client.sm, q->project,
					   q->secret, PERMISSION, CREATE,
					   q->granted, &retry,
					   &q->st) != CODE_OK)
		return false;
	if (q->sight == UNSEEN && is_any_granted(q))
		q->sight = THERE;
	note_time(q, DOCTOR_SECRET);
	return q->sight == THERE;
}

/*
 * Google says of a project that does not exist, or is another organization's,
 * what it says of one without permission.
 */
static bool
is_hidden(const struct question *q)
{
	const struct status *st = &q->st;

	return st->code == CODE_NOT_FOUND ||
	       (st->code == CODE_PERMISSION_DENIED && st->reason[0] == '\0' &&
		http_is_json(&q->program->client.call.response));
}

/* False if it cannot be asked. */
static bool
ask_project(struct question *q)
{
	struct retry retry = retry_never(q->program->client.until);
	struct program *program = q->program;

	q->asks_project = true;
	if (resourcemanager_test_permissions(
		    &program->client.sm, &q->d->resource_manager,
		    &program->network, q->project, PERMISSION, PERMISSIONS,
		    q->granted, &retry, &q->st) == CODE_OK)
		return true;
	q->project_hidden = is_hidden(q);
	for (size_t i = 0; i < PERMISSIONS; i++)
		q->granted[i] = false;
	if (!q->project_hidden)
		return false;
	status_clear(&q->st);
	return true;
}

static void
record_secret(struct question *q)
{
	struct doctor *d = q->d;

	if (q->is_foreign)
		return;
	if (q->sight == THERE && !q->may_get && store_needs_get())
		doctor_record(d, DOCTOR_SECRET, DOCTOR_FAILED, EXIT_AUTH,
			      "%s exists; secretmanager.secrets.get is not "
			      "granted, which --dry-run and --require-managed "
			      "need",
			      q->secret);
	else if (q->sight == THERE)
		doctor_record(d, DOCTOR_SECRET, DOCTOR_OK, EXIT_DONE,
			      "%s exists%s", q->secret,
			      q->may_get ? ""
					 : "; secretmanager.secrets.get is not "
					   "granted, which storing does not "
					   "need");
	else
		doctor_record(d, DOCTOR_SECRET, DOCTOR_OK, EXIT_DONE,
			      "%s does not exist yet: the first run creates it",
			      q->secret);
}

static void
record_secret_unseen(struct question *q, enum doctor_verdict verdict)
{
	doctor_record(q->d, DOCTOR_SECRET, verdict, EXIT_AUTH,
		      "%s cannot be seen in project %s: nothing is granted "
		      "on it%s%s",
		      q->secret, q->project,
		      verdict == DOCTOR_FAILED ? ", nor on the project" : "",
		      q->project_hidden ? ", which Cloud Resource Manager "
					  "does not show"
					: "");
	hint_at_causes(q);
}

/* A permission of a secret that exists. */
static void
record_granted(struct question *q, size_t permission, const char *where)
{
	struct doctor *d = q->d;

	if (q->granted[permission]) {
		doctor_record(d, STEP[permission], DOCTOR_OK, EXIT_DONE,
			      "%s is granted%s", PERMISSION[permission], where);
		return;
	}
	doctor_record(d, STEP[permission], DOCTOR_FAILED, EXIT_AUTH,
		      "%s is not granted%s", PERMISSION[permission], where);
	/* Else the hint at the secret says it. */
	if (q->sight != UNSEEN || permission == CREATE)
		hint_at_grant(q, permission);
}

/*
 * One of a secret that does not exist yet. A grant that has a condition on the
 * names of secrets is none on the project.
 */
static void
record_on_project(struct question *q, size_t permission)
{
	if (q->granted[permission] || permission == CREATE ||
	    !(is_any_granted(q) || q->granted[CREATE])) {
		record_granted(q, permission, " on the project");
		return;
	}
	doctor_record(q->d, STEP[permission], DOCTOR_UNKNOWN, EXIT_AUTH,
		      "%s is not granted on the project as a whole; a "
		      "condition on names of secrets shows only once the "
		      "secret exists",
		      PERMISSION[permission]);
	hint_at_grant(q, permission);
}

/* The secret's own permissions could not be asked for. */
static void
record_unanswered(struct question *q)
{
	struct doctor *d = q->d;

	if (q->sight == THERE)
		record_secret(q);
	else
		doctor_record(d, DOCTOR_SECRET, DOCTOR_UNKNOWN, EXIT_AUTH,
			      "%s may exist, or not", q->secret);
	record_unasked(q, ADD);
	record_unasked(q, ACCESS);
	if (q->sight == THERE)
		record_not_needed(d);
	else
		record_unasked(q, CREATE);
}

/* Before the first run only the project can be asked. */
static void
check_before_first_run(struct question *q)
{
	bool answered = ask_project(q);

	if (answered && q->sight == UNSEEN && is_any_granted(q))
		q->sight = MISSING; /* a secret would have these, too */
	if (q->sight == MISSING)
		record_secret(q);
	else if (answered && !q->granted[CREATE])
		record_secret_unseen(q, DOCTOR_FAILED);
	else
		record_secret_unseen(q, DOCTOR_UNKNOWN);
	for (size_t i = 0; i < PERMISSIONS; i++)
		if (answered)
			record_on_project(q, i);
		else
			record_unasked(q, i);
}

void
doctor_ask(struct doctor *d, struct program *program)
{
	struct question question = { .d = d,
				     .program = program,
				     .project = program->task.project,
				     .secret = program->task.secret,
				     .started = clock_ms() };
	struct question *q = &question;
	const char *location = program->client.sm.location;
	bool passed;

	if (location[0] != '\0')
		(void)format_text(q->at_location, sizeof(q->at_location),
				  " --location=%s", location);
	passed = check_api(q);
	check_clock(q);
	if (!passed)
		return;
	if (q->sight != MISSING && ask_secret(q)) {
		record_secret(q);
		record_granted(q, ADD, "");
		record_granted(q, ACCESS, "");
		record_not_needed(d);
	} else if (q->st.code != CODE_OK) {
		record_unanswered(q);
	} else {
		check_before_first_run(q);
	}
	note_time(q, DOCTOR_ADD);
}
