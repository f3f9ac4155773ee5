#include "cmd/applet.h"

#include "base/redact.h"
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

enum exit_status
help_main(struct run *run, int argc, char **argv)
{
	struct buf *out = &run->call.request; /* lends its memory */
	struct status st = { .code = CODE_OK };
	const struct applet *applet;
	char *flag[] = { (char *)(uintptr_t) "--help" };

	if (argc > 1) {
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "help: unexpected argument: %s",
				 shown(argv[1]));
		return complain(&st, EXIT_CONFIG);
	}
	if (argc == 1) {
		applet = applet_find(str_from(argv[0]));
		if (applet != NULL && applet->main != help_main)
			return applet->main(run, 1, flag);
		if (applet == NULL &&
		    !str_eq(str_from(argv[0]), STR("--help")) &&
		    !str_eq(str_from(argv[0]), STR("-h"))) {
			(void)status_set(&st, CODE_INVALID_ARGUMENT,
					 "help: no applet %s", shown(argv[0]));
			return complain(&st, EXIT_CONFIG);
		}
	}
	buf_put_cstr(out, "usage: pull-secret APPLET [ARGUMENT...]\n"
			  "       pull-secret --help | --list | --version\n\n"
			  "Stores an OpenShift pull secret in GCP Secret "
			  "Manager.\n\nApplets:\n");
	for (const struct applet *a = APPLETS; a->name != NULL; a++)
		put_row(out, a->name, a->operands, a->description);
	buf_put_cstr(out, "\npull-secret APPLET --help tells more. A link "
			  "named after an applet runs it.\n");
	return print_result(buf_view(out));
}

enum exit_status
list_main(struct run *run, int argc, char **argv)
{
	struct buf *out = &run->call.request; /* lends its memory */

	struct status st = { .code = CODE_OK };

	if (argc > 0) {
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "--list: unexpected argument: %s",
				 shown(argv[0]));
		return complain(&st, EXIT_CONFIG);
	}
	for (const struct applet *a = APPLETS; a->name != NULL; a++) {
		buf_put_cstr(out, a->name);
		buf_put_char(out, '\n');
	}
	return print_result(buf_view(out));
}
