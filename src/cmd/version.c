#include "cmd/applet.h"

#include <stdio.h>

#include "base/version.h"
#include "cmd/print.h"

enum exit_status
version_main(struct run *run, int argc, char **argv)
{
	const char *operand[1];
	struct status st = { .code = CODE_OK };
	char text[256];
	size_t operands = 0;
	bool help;

	if (opt_parse(NULL, 0, argc, argv, &run->settings, operand, &operands,
		      &help, &st) != CODE_OK) {
		status_prefix(&st, "version");
		return complain(&st, EXIT_CONFIG);
	}
	if (help)
		return print_result(
			STR("usage: pull-secret version\n\n"
			    "Prints version, commit and build date.\n"));
	(void)snprintf(text, sizeof(text),
		       "pull-secret version info:\n"
		       "  Version: %s\n"
		       "  Commit:  %s\n"
		       "  Built:   %s\n",
		       VERSION, COMMIT, BUILD_DATE);
	return print_result(str_from(text));
}
