#include "base/format.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/input.h"
#include "job/pullsecret.h"
#include "sys/wait.h"

static enum exit_status
read_exit_status(const struct status *st)
{
	if (st->code == CODE_OUT_OF_RANGE)
		return EXIT_PULL_SECRET;
	if (status_interrupted(st))
		return (enum exit_status)(128 + wait_signal());
	return code_exit_status(st->code);
}

static enum exit_status
report_valid(struct str secret, size_t registries)
{
	char text[120];

	(void)format_text(text, sizeof(text),
			  "valid pull secret: %zu bytes, %zu %s\n", secret.len,
			  registries,
			  registries == 1 ? "registry" : "registries");
	return print_result(str_from(text));
}

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	struct status st = { .code = CODE_OK };
	struct call *call = &program->client.call; /* lends its memory */
	struct task *task = &program->task;
	size_t registries;

	if (input_read_file(count > 0 ? operand[0] : "-", "validate",
			    DEADLINE_NEVER, &task->input, &st) != CODE_OK)
		return print_failure(&st, read_exit_status(&st));
	task->payload = pullsecret_strip(buf_view(&task->input));
	if (pullsecret_check(task->payload, &call->tokens, &call->request,
			     &registries, &st) != CODE_OK) {
		status_prefix(&st, "invalid pull secret");
		return print_failure(&st, EXIT_PULL_SECRET);
	}
	return report_valid(task->payload, registries);
}

const struct applet APPLET_validate = {
	.name = "validate",
	.operands = "[FILE|-]",
	.description = "check a pull secret offline",
	.help = "Checks a pull secret without network and credentials: FILE, "
		"or\n"
		"standard input for - or no FILE. Exit status 0: valid, 3: "
		"invalid,\n"
		"2: cannot be read.\n",
	.operands_max = 1,
	.run = run,
};
