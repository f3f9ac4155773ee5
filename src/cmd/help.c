#include "base/redact.h"
#include "cmd/applet.h"
#include "cmd/print.h"

#define NAME_COLUMN 24

static void
put_row(struct buf *out, const char *name, const char *operands,
	const char *description)
{
	size_t start = out->len;

	buf_put_cstr(out, "  ");
	buf_put_cstr(out, name);
	buf_put_char(out, ' ');
	buf_put_cstr(out, operands);
	do
		buf_put_char(out, ' ');
	while (!out->overflow && out->len - start < NAME_COLUMN);
	buf_put_cstr(out, description);
	buf_put_char(out, '\n');
}

static enum exit_status
list_applets(struct program *program)
{
	struct buf *out = applet_output(program);

	buf_put_cstr(out, "usage: pull-secret APPLET [ARGUMENT...]\n"
			  "       pull-secret --help | --list | --version\n\n"
			  "Stores an OpenShift pull secret in GCP Secret "
			  "Manager.\n\nApplets:\n");
	for (size_t i = 0; applet_number(i) != NULL; i++)
		put_row(out, applet_number(i)->name, applet_number(i)->operands,
			applet_number(i)->description);
	buf_put_cstr(out, "\npull-secret APPLET --help tells more.\n");
	return print_result(buf_view(out));
}

/* With the name of an applet, and of a job: the same as its --help. */
static enum exit_status
run_raw(struct program *program, int argc, char **argv)
{
	static char help[] = "--help";
	char *words[] = { help, help };
	struct status st = { .code = CODE_OK };
	const struct applet *applet;
	int more; /* operands of the applet */

	while (argc > 0 && opt_asks_for_help(argv[argc - 1]))
		argc--;
	if (argc == 0)
		return list_applets(program);
	applet = applet_find(str_from(argv[0]));
	more = applet == &APPLET_run_job && argc > 1 ? 1 : 0;
	if (more > 0)
		words[0] = argv[1];
	if (argc > 1 + more)
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "unexpected argument: %s",
				 redact_argument(argv[1 + more]));
	else if (applet == NULL)
		applet_refuse(argv[0], &st);
	if (st.code != CODE_OK)
		return applet_fail(&APPLET_help, &st);
	return applet == &APPLET_help
		       ? list_applets(program)
		       : applet_run(applet, program, 1 + more, words);
}

const struct applet APPLET_help = {
	.name = "help",
	.operands = "[APPLET [JOB]]",
	.description = "print help",
	.run_raw = run_raw,
};

static enum exit_status
list_names(struct program *program, int argc, char **argv)
{
	struct status st = { .code = CODE_OK };
	struct buf *out = applet_output(program);

	if (argc > 0) {
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "unexpected argument: %s",
				 redact_argument(argv[0]));
		return applet_fail(&APPLET_LIST, &st);
	}
	for (size_t i = 0; applet_number(i) != NULL; i++) {
		buf_put_cstr(out, applet_number(i)->name);
		buf_put_char(out, '\n');
	}
	return print_result(buf_view(out));
}

const struct applet APPLET_LIST = {
	.name = "--list",
	.operands = "",
	.description = "print the names of all applets",
	.run_raw = list_names,
};
