#include "cmd/applet.h"

#include <stdio.h>

#include "cmd/print.h"
#include "job/input.h"
#include "job/pullsecret.h"
#include "sys/wait.h"

static const char USAGE[] =
	"usage: pull-secret validate [FILE|-]\n\n"
	"Checks a pull secret without network and credentials: FILE, or\n"
	"standard input for - or no FILE. Exit status 0: valid, 3: invalid,\n"
	"2: cannot be read.\n";

static enum exit_status
unread_exit_status(enum code code)
{
	if (code == CODE_OUT_OF_RANGE)
		return EXIT_PULL_SECRET;
	if (code == CODE_CANCELLED)
		return (enum exit_status)(128 + wait_signal());
	return code_exit_status(code);
}

static enum exit_status
report_valid(struct str secret, size_t registries)
{
	char text[120];

	(void)snprintf(text, sizeof(text),
		       "valid pull secret: %zu bytes, %zu %s\n", secret.len,
		       registries, registries == 1 ? "registry" : "registries");
	return print_result(str_from(text));
}

enum exit_status
validate_main(struct run *run, int argc, char **argv)
{
	struct status st = { .code = CODE_OK };
	const char *file = "-";
	size_t operands = 1, registries;
	bool help;

	if (opt_parse(NULL, 0, argc, argv, &run->settings, &file, &operands,
		      &help, &st) != CODE_OK) {
		status_prefix(&st, "validate");
		return complain(&st, EXIT_CONFIG);
	}
	if (help)
		return print_result(STR(USAGE));
	run->settings.pull_secret_file = file;
	if (input_read(&run->settings, DEADLINE_NEVER, &run->input, &st) !=
	    CODE_OK)
		return complain(&st, unread_exit_status(st.code));
	run->secret = pullsecret_strip(buf_view(&run->input));
	if (pullsecret_check(run->secret, &run->call.tokens, &run->call.request,
			     &registries, &st) != CODE_OK) {
		status_prefix(&st, "invalid pull secret");
		return complain(&st, EXIT_PULL_SECRET);
	}
	return report_valid(run->secret, registries);
}
