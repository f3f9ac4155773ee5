
#include "base/version.h"
#include "base/format.h"
#include "cmd/applet.h"
#include "cmd/print.h"

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	char text[256];

	(void)program;
	(void)operand;
	(void)count;
	(void)format_text(text, sizeof(text),
			  "pull-secret version info:\n"
			  "  Version: %s\n"
			  "  Commit:  %s\n"
			  "  Built:   %s\n",
			  VERSION, COMMIT, BUILD_DATE);
	return print_result(str_from(text));
}

const struct applet APPLET_version = {
	.name = "version",
	.operands = "",
	.description = "print version, commit and build date",
	.help = "Prints version, commit and build date.\n",
	.run = run,
};
