#include "job/doctor.h"

#include <stdarg.h>
#include <string.h>

#include "base/format.h"
#include "job/target.h"
#include "sys/wait.h"

/* Clocks may differ by this much before tokens and certificates suffer. */
#define SKEW_MAX_S 60
/* The metadata server of a pod that is up answers at once. */
#define TOKEN_WAIT_MS 10000

static const char *const NAMES[DOCTOR_STEPS] = {
	"configuration",
	"credentials",
	"dns",
	"tcp",
	"proxy",
	"tls",
	"token",
	"api",
	"clock",
	"add-version",
	"access-version",
	"create-secret",
};

static const char *const PERMISSIONS[] = {
	"secretmanager.versions.add",
	"secretmanager.versions.access",
};

const char *
doctor_step_name(enum doctor_step step)
{
	return NAMES[step];
}

__attribute__((format(printf, 4, 5))) static void
record(struct doctor *d, enum doctor_step step, enum doctor_verdict verdict,
       const char *format, ...)
{
	va_list args;

	d->finding[step].verdict = verdict;
	va_start(args, format);
	(void)format_args(d->finding[step].message,
			  sizeof(d->finding[step].message), format, args);
	va_end(args);
}

static void
fail(struct doctor *d, enum doctor_step step, const struct status *st)
{
	record(d, step, DOCTOR_FAILED, "%s", st->message);
	d->finding[step].code = st->code;
	(void)format_text(d->finding[step].hint, sizeof(d->finding[step].hint),
			  "%s", st->hint);
}

static bool
check_configuration(struct doctor *d, struct program *program)
{
	struct status st = { .code = CODE_OK };

	if (program_start_clock(program, &st) == CODE_OK &&
	    target_read(&program->task, target_options(), &st) == CODE_OK)
		record(d, DOCTOR_CONFIGURATION, DOCTOR_OK,
		       "project %s, secret %s", program->task.project,
		       program->task.secret);
	else
		fail(d, DOCTOR_CONFIGURATION, &st);
	return st.code == CODE_OK;
}

static bool
check_credentials(struct doctor *d, struct program *program)
{
	struct status st = { .code = CODE_OK };

	if (program_load(program, &st) == CODE_OK &&
	    program_confine(program, &st) == CODE_OK)
		record(d, DOCTOR_CREDENTIALS, DOCTOR_OK, "%s",
		       program->client.cred.source);
	else
		fail(d, DOCTOR_CREDENTIALS, &st);
	return st.code == CODE_OK;
}

/* The step at which the opening of the connection failed. */
static enum doctor_step
step_of(const struct conn *c)
{
	switch (c->last_phase) {
	case CONN_PROXY_TLS:
	case CONN_TUNNELLING:
		return DOCTOR_PROXY;
	case CONN_HANDSHAKING:
	case CONN_READY:
		return DOCTOR_TLS;
	case CONN_DIALING:
	case CONN_CLOSED:
	case CONN_FAILED:
		break;
	}
	return c->resolved ? DOCTOR_TCP : DOCTOR_DNS;
}

static void
describe(struct doctor *d, const struct conn *c, enum doctor_step step)
{
	const struct url *next = c->proxy != NULL ? &c->proxy->url : c->url;

	if (step == DOCTOR_PROXY && c->proxy == NULL)
		record(d, step, DOCTOR_SKIPPED, "none leads to %s",
		       c->url->host);
	else if (step == DOCTOR_TLS && !c->url->tls)
		record(d, step, DOCTOR_SKIPPED, "%s is plain http",
		       c->url->host);
	else if (step == DOCTOR_DNS)
		record(d, step, DOCTOR_OK, "%s has addresses", next->host);
	else if (step == DOCTOR_TCP)
		record(d, step, DOCTOR_OK, "connected to %s", next->authority);
	else if (step == DOCTOR_PROXY)
		record(d, step, DOCTOR_OK, "%s leads to %s", next->authority,
		       c->url->host);
	else
		record(d, step, DOCTOR_OK,
		       "TLS 1.2, the certificate of %s is good", c->url->host);
}

/* DNS, TCP, proxy and TLS are one opening; a failure has its phase. */
static bool
check_connection(struct doctor *d, struct program *program)
{
	struct status st = { .code = CODE_OK };
	struct conn *c = &program->client.sm.conn;
	enum doctor_step last = DOCTOR_TLS;

	if (conn_open(c, program->client.until, &st) != CODE_OK)
		last = step_of(c);
	for (enum doctor_step step = DOCTOR_DNS; step <= last; step++)
		describe(d, c, step);
	if (st.code != CODE_OK)
		fail(d, last, &st);
	return st.code == CODE_OK;
}

static bool
check_token(struct doctor *d, struct program *program)
{
	struct deadline until = deadline_first(program->client.until,
					       deadline_in(TOKEN_WAIT_MS));
	struct status st = { .code = CODE_OK };
	char end[RFC3339_SIZE];

	if (cred_fetch(&program->client.cred, &program->client.call, NULL,
		       until, &st) != CODE_OK) {
		fail(d, DOCTOR_TOKEN, &st);
		return false;
	}
	clock_rfc3339(program->client.cred.token.expires_at, end);
	record(d, DOCTOR_TOKEN, DOCTOR_OK, "valid until %s", end);
	return true;
}

static void
check_clock(struct doctor *d, struct program *program)
{
	int64_t theirs, ours = clock_unix(), differ;
	char text[RFC3339_SIZE];
	struct status st = { .code = CODE_OK };

	if (!http_date(&program->client.call.response, &theirs)) {
		record(d, DOCTOR_CLOCK, DOCTOR_SKIPPED,
		       "the server sent no date");
		return;
	}
	differ = ours > theirs ? ours - theirs : theirs - ours;
	clock_rfc3339(theirs, text);
	if (differ <= SKEW_MAX_S) {
		record(d, DOCTOR_CLOCK, DOCTOR_OK,
		       "within %lld s of the server's", (long long)differ);
		return;
	}
	status_hint(&st, "set the clock (NTP): tokens and certificates depend "
			 "on it");
	(void)status_set(&st, CODE_FAILED_PRECONDITION,
			 "it differs by %lld s from the server's, which says "
			 "%s",
			 (long long)differ, text);
	fail(d, DOCTOR_CLOCK, &st);
}

/*
 * Asks for the secret: an answer of Secret Manager itself, be it a refusal,
 * means that the API is there. `*exists` if the secret is.
 */
static bool
check_api(struct doctor *d, struct program *program, bool *exists)
{
	struct status st = { .code = CODE_OK };
	struct retry retry = retry_never(program->client.until);
	const char *what = "exists";
	enum code code =
		secretmanager_get(&program->client.sm, program->task.project,
				  program->task.secret, NULL, &retry, &st);

	*exists = code == CODE_OK;
	if (code == CODE_NOT_FOUND)
		what = "does not exist yet";
	else if (code == CODE_PERMISSION_DENIED &&
		 strcmp(st.reason, "IAM_PERMISSION_DENIED") == 0)
		what = "may exist: secretmanager.secrets.get is not granted, "
		       "and not needed";
	else if (code != CODE_OK)
		fail(d, DOCTOR_API, &st);
	if (d->finding[DOCTOR_API].verdict != DOCTOR_FAILED)
		record(d, DOCTOR_API, DOCTOR_OK, "enabled; the secret %s",
		       what);
	check_clock(d, program);
	return d->finding[DOCTOR_API].verdict == DOCTOR_OK;
}

static void
check_permission(struct doctor *d, enum doctor_step step,
		 const char *permission, bool granted, bool exists)
{
	struct status st = { .code = CODE_OK };

	if (granted) {
		record(d, step, DOCTOR_OK, "%s is granted", permission);
		return;
	}
	if (!exists) {
		record(d, step, DOCTOR_SKIPPED,
		       "%s: nobody can tell before the secret exists",
		       permission);
		return;
	}
	status_hint(&st, "grant %s on the secret or the project",
		    step == DOCTOR_ADD
			    ? "roles/secretmanager.secretVersionAdder"
			    : "roles/secretmanager.secretAccessor");
	(void)status_set(&st, CODE_PERMISSION_DENIED, "%s is not granted",
			 permission);
	fail(d, step, &st);
}

static void
check_permissions(struct doctor *d, struct program *program, bool exists)
{
	struct status st = { .code = CODE_OK };
	struct retry retry = retry_never(program->client.until);
	bool granted[2];

	if (secretmanager_test_permissions(&program->client.sm,
					   program->task.project,
					   program->task.secret, PERMISSIONS, 2,
					   granted, &retry, &st) != CODE_OK) {
		fail(d, DOCTOR_ADD, &st);
		return;
	}
	check_permission(d, DOCTOR_ADD, PERMISSIONS[0], granted[0], exists);
	check_permission(d, DOCTOR_ACCESS, PERMISSIONS[1], granted[1], exists);
	if (exists)
		record(d, DOCTOR_CREATE, DOCTOR_SKIPPED,
		       "not needed: the secret exists");
	else
		record(d, DOCTOR_CREATE, DOCTOR_SKIPPED,
		       "secretmanager.secrets.create on the project is needed, "
		       "if the secret does not exist; this is not tested");
}

static enum exit_status
exit_status_of(const struct doctor *d)
{
	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		const struct doctor_finding *finding = &d->finding[i];

		if (finding->verdict != DOCTOR_FAILED)
			continue;
		if (finding->code == CODE_CANCELLED && wait_signal() != 0)
			return (enum exit_status)(128 + wait_signal());
		return code_exit_status(finding->code);
	}
	return EXIT_DONE;
}

enum exit_status
doctor_walk(struct doctor *d, struct program *program)
{
	bool configured, exists;

	for (size_t i = 0; i < DOCTOR_STEPS; i++)
		record(d, (enum doctor_step)i, DOCTOR_SKIPPED,
		       "a step before it failed");
	configured = check_configuration(d, program);
	if (check_credentials(d, program)) {
		bool connected = check_connection(d, program);
		bool token = check_token(d, program);

		if (configured && connected && token &&
		    check_api(d, program, &exists))
			check_permissions(d, program, exists);
	}
	return exit_status_of(d);
}
