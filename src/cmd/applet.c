#include "cmd/applet.h"

#include "base/redact.h"
#include "base/suggest.h"
#include "cmd/print.h"
#include "job/input.h"
#include "sys/wait.h"

#define APPLET_ROW(name) &APPLET_##name,
static const struct applet *const ALL[] = { APPLETS(APPLET_ROW) NULL };

static const struct opt_table *const NO_OPTIONS[] = { NULL };

const struct applet *
applet_number(size_t i)
{
	return ALL[i];
}

const struct applet *
applet_find(struct str name)
{
	for (size_t i = 0; ALL[i] != NULL; i++)
		if (str_eq(name, str_from(ALL[i]->name)))
			return ALL[i];
	return NULL;
}

void
applet_refuse(const char *name, struct status *st)
{
	struct suggestion near = { .word = str_from(name) };

	for (size_t i = 0; ALL[i] != NULL; i++)
		suggest_try(&near, ALL[i]->name, ALL[i]->name);
	suggest_hint(&near, st);
	(void)status_set(st, CODE_INVALID_ARGUMENT,
			 "no applet %s; try: pull-secret --help",
			 redact_argument(name));
}

struct buf *
applet_output(struct program *program)
{
	struct buf *out = &program->client.call.request;

	buf_reset(out);
	return out;
}

enum exit_status
applet_fail(const struct applet *applet, struct status *st)
{
	enum exit_status result = code_exit_status(st->code);

	if (status_interrupted(st))
		result = (enum exit_status)(128 + wait_signal());
	status_prefix(st, "%s", applet->name);
	return print_failure(st, result);
}

bool
applet_parse(struct program *program, const struct opt_table *const *tables,
	     int argc, char **argv, const char **operand, size_t *count,
	     struct status *st)
{
	bool help = false;

	program->options = tables;
	(void)opt_parse(tables, argc, argv, operand, count, &help, st);
	input_wipe_unread();
	return st->code == CODE_OK && !help;
}

static enum exit_status
print_help(const struct applet *applet, struct program *program)
{
	struct buf *out = applet_output(program);

	buf_put_cstr(out, "usage: pull-secret ");
	buf_put_cstr(out, applet->name);
	if (applet->operands[0] != '\0') {
		buf_put_char(out, ' ');
		buf_put_cstr(out, applet->operands);
	}
	if (applet->options != NULL)
		buf_put_cstr(out, " [OPTION...]");
	buf_put_cstr(out, "\n\n");
	if (applet->help != NULL) {
		buf_put_cstr(out, applet->help);
	} else {
		buf_put_cstr(out, applet->description);
		buf_put_char(out, '\n');
	}
	if (applet->options != NULL)
		opt_help(applet->options, out);
	return print_result(buf_view(out));
}

enum exit_status
applet_run(const struct applet *applet, struct program *program, int argc,
	   char **argv)
{
	const char *operand[1];
	size_t count = applet->operands_max;
	struct status st = { .code = CODE_OK };

	if (applet->run_raw != NULL)
		return applet->run_raw(program, argc, argv);
	if (applet_parse(program,
			 applet->options != NULL ? applet->options : NO_OPTIONS,
			 argc, argv, operand, &count, &st))
		return applet->run(program, operand, count);
	if (st.code != CODE_OK)
		return applet_fail(applet, &st);
	return print_help(applet, program);
}
