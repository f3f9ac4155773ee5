#include "base/version.h"
#include "base/format.h"
#include "cmd/applet.h"
#include "cmd/print.h"

static const struct opt_table *const TABLES[] = { &JSON_OPTIONS, NULL };

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	char text[256];
	struct json_writer json;

	(void)operand;
	(void)count;
	if (print_wants_json()) {
		json_writer_init(&json, applet_output(program));
		json_open_object(&json);
		json_member(&json, "version", str_from(VERSION));
		json_member(&json, "commit", str_from(COMMIT));
		json_member(&json, "build_date", str_from(BUILD_DATE));
		return print_json(&json);
	}
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
	.options = TABLES,
	.run = run,
};
