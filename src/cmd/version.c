#include "cmd/applet.h"

#include "cmd/say.h"
#include "version_gen.h"

enum exit_status
version_main(struct run *run, int argc, char **argv)
{
	const char *operand[1];
	struct status st = { .code = CODE_OK };
	size_t operands = 0;
	bool help;

	if (opt_parse(NULL, 0, argc, argv, &run->settings, operand, &operands,
		      &help, &st) != CODE_OK) {
		status_prefix(&st, "version");
		return complain(&st, EXIT_CONFIG);
	}
	if (help)
		return say(STR("usage: pull-secret version\n\n"
			       "Prints version, commit and build date.\n"));
	return say(STR("pull-secret version info:\n"
		       "  Version: " PS_VERSION "\n"
		       "  Commit:  " PS_COMMIT "\n"
		       "  Built:   " PS_BUILD_DATE "\n"));
}
