#include <unistd.h>

#include "base/format.h"
#include "base/json_write.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/options.h"

static struct {
	const char *json;
	const char *show_token;
} given;

/* Only for this applet, so that they have no variable. */
static const struct opt OPTIONS[] = {
	{ "--json", NULL, NULL, "print expiry and source instead, as an object",
	  &given.json, OPT_PLAIN },
	{ "--show-token", NULL, NULL, "with --json: the token, too",
	  &given.show_token, OPT_PLAIN },
};

static const struct opt_table OWN = { "Applet token", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = { &OWN, &TIME_OPTIONS,
						  &NETWORK_OPTIONS, NULL };

/* An object ends up in logs and tickets, where no token belongs. */
static enum exit_status
print_facts(const struct cred *cred, struct buf *out)
{
	char end[RFC3339_SIZE];
	struct json_writer json;

	clock_rfc3339(cred->token.expires_at, end);
	json_writer_init(&json, out);
	json_open_object(&json);
	if (given.show_token != NULL)
		json_member(&json, "access_token", cred_token(cred));
	json_member(&json, "expires_at", str_from(end));
	json_member(&json, "source", str_from(cred->source));
	return print_json(&json);
}

static enum exit_status
print_token(const struct cred *cred, struct buf *out)
{
	if (given.json != NULL)
		return print_facts(cred, out);
	buf_put_str(out, cred_token(cred));
	buf_put_char(out, '\n');
	return print_result(buf_view(out));
}

/* For who sits before a terminal. */
static void
say_wait(const struct cred *cred)
{
	struct status note = { .code = CODE_OK };

	if (cred_signs_itself(cred))
		return;
	(void)format_text(note.message, sizeof(note.message),
			  "token: waiting for %s", cred->wanted);
	print_note(&note);
}

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	struct client *client = &program->client;
	struct status st = { .code = CODE_OK };
	bool is_watched;

	(void)operand;
	(void)count;
	if (program_start_clock(program, &st) != CODE_OK ||
	    program_load(program, &st) != CODE_OK)
		return applet_fail(&APPLET_token, &st);
	is_watched = isatty(STDERR_FILENO) == 1;
	if (program_confine(program, &st) != CODE_OK)
		return applet_fail(&APPLET_token, &st);
	if (is_watched)
		say_wait(&client->cred);
	if (cred_fetch(&client->cred, &client->call, NULL, client->until,
		       &st) != CODE_OK)
		return applet_fail(&APPLET_token, &st);
	return print_token(&client->cred, applet_output(program));
}

const struct applet APPLET_token = {
	.name = "token",
	.operands = "[--json]",
	.description = "print an access token of the credentials in force",
	.options = TABLES,
	.run = run,
};
