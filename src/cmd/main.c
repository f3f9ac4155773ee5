/*
 * Floor 5, commands. The entry: runs the applet, wipes and exits.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/applet.h"
#include "cmd/print.h"
#include "sys/crash.h"
#include "sys/harden.h"
#include "sys/wait.h"

/* All state of the program; too large for a stack, and wiped at the end. */
static struct program program;

static const struct applet *
find_option(struct str name)
{
	if (str_eq(name, STR("--list")))
		return &APPLET_LIST;
	if (str_eq(name, STR("--version")) || str_eq(name, STR("-V")))
		return &APPLET_version;
	if (opt_asks_for_help(name.ptr))
		return &APPLET_help;
	return NULL;
}

static enum exit_status
usage(const char *unknown)
{
	struct status st = { .code = CODE_OK };

	if (unknown == NULL)
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "which applet? Try: pull-secret --help");
	else
		applet_refuse(unknown, &st);
	return print_failure(&st, EXIT_CONFIG);
}

/* By the name of a link first, then by the first argument. */
static enum exit_status
dispatch(int argc, char **argv)
{
	const char *slash;
	const struct applet *applet;

	if (argc < 1)
		return usage(NULL);
	slash = strrchr(argv[0], '/');
	applet = applet_find(str_from(slash == NULL ? argv[0] : slash + 1));
	if (applet != NULL)
		return applet_run(applet, &program, argc - 1, argv + 1);
	if (argc < 2)
		return usage(NULL);
	applet = applet_find(str_from(argv[1]));
	if (applet == NULL)
		applet = find_option(str_from(argv[1]));
	if (applet == NULL)
		return usage(argv[1]);
	return applet_run(applet, &program, argc - 2, argv + 2);
}

int
main(int argc, char **argv)
{
	enum exit_status result;

	harden();
	crash_init(&program, sizeof(program));
	wait_init();
	program_init(&program);
	result = dispatch(argc, argv);
	program_wipe(&program);
	wipe_stack();
	exit(result);
}
