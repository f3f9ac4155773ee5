#include "cmd/applet.h"

#include <stddef.h>

#include "base/json_write.h"
#include "cmd/print.h"
#include "sys/wait.h"

static const char USAGE[] =
	"usage: pull-secret token [--json] [OPTION...]\n\n"
	"Prints an access token of the credentials in force. With --json, an\n"
	"object: access_token, expires_at (RFC 3339) and source.\n"
	"Every flag has a variable; flags win.\n";

/* Only for this applet, so that it has no variable. */
static const struct opt OWN[] = {
	{ "json", NULL, NULL, NULL, "print an object with expiry and source",
	  offsetof(struct settings, json) },
};

static enum exit_status
help(struct run *run, const struct opt_table *tables, size_t count)
{
	struct buf *out = &run->call.request; /* lends its memory */

	buf_put_cstr(out, USAGE);
	opt_help(tables, count, out);
	return print_result(buf_view(out));
}

static bool
write_token(const struct cred *cred, bool as_json, struct buf *out)
{
	char end[RFC3339_SIZE];
	struct json_builder json;

	if (!as_json) {
		buf_put_str(out, cred_token(cred));
		buf_put_char(out, '\n');
		return !out->overflow;
	}
	clock_rfc3339(cred->token.expires_at, end);
	json_build(&json, out);
	json_open_object(&json);
	json_member(&json, "access_token", cred_token(cred));
	json_member(&json, "expires_at", str_from(end));
	json_member(&json, "source", str_from(cred->source));
	json_close(&json);
	buf_put_char(out, '\n');
	return json_built(&json) && !out->overflow;
}

static enum exit_status
fail(struct status *st)
{
	enum exit_status result = code_exit_status(st->code);

	if (status_interrupted(st))
		result = (enum exit_status)(128 + wait_signal());
	status_prefix(st, "token");
	return complain(st, result);
}

enum exit_status
token_main(struct run *run, int argc, char **argv)
{
	const struct opt_table tables[] = {
		{ "Applet token", OWN, OPT_COUNT(OWN) },
		TIME_OPTIONS,
		NETWORK_OPTIONS,
	};
	struct status st = { .code = CODE_OK };
	struct buf *out = &run->call.request;
	const char *operand[1];
	size_t operands = 0;
	bool asked = false;

	if (opt_parse(tables, OPT_COUNT(tables), argc, argv, &run->settings,
		      operand, &operands, &asked, &st) != CODE_OK)
		return fail(&st);
	if (asked)
		return help(run, tables, OPT_COUNT(tables));
	if (run_start_clock(run, &st) != CODE_OK ||
	    run_prepare(run, &st) != CODE_OK ||
	    run_confine(run, &st) != CODE_OK ||
	    cred_fetch(&run->cred, &run->call, NULL, run->until, &st) !=
		    CODE_OK)
		return fail(&st);
	buf_reset(out);
	if (!write_token(&run->cred, run->settings.json != NULL, out)) {
		(void)status_set(&st, CODE_INTERNAL, "the token is too long");
		return fail(&st);
	}
	return print_result(buf_view(out));
}
