#include "job/program.h"

#include "job/options.h"
#include "sys/file_guard.h"
#include "sys/sandbox.h"

void
program_init(struct program *program)
{
	report_clear(&program->report);
	client_init(&program->client, &program->report.retries,
		    &program->report.requests);
	task_init(&program->task);
	program->client.until = program->report.until;
}

enum code
program_start_clock(struct program *program, struct status *st)
{
	struct status wrong = { .code = CODE_OK };
	int64_t timeout_ms, wait_ms;

	(void)options_timeout_ms(&timeout_ms, st);
	(void)options_permission_wait_ms(&wait_ms, &wrong);
	status_join(st, &wrong);
	if (st->code != CODE_OK)
		return st->code;
	program->report.retries.grant_until = deadline_in(wait_ms);
	program->client.until = deadline_in(timeout_ms);
	program->report.until = program->client.until;
	return CODE_OK;
}

enum code
program_load(struct program *program, struct status *st)
{
	struct status more = { .code = CODE_OK };
	const char *token_file;

	(void)options_load_client(&program->client, st);
	(void)options_read_network(&program->network, program->client.until,
				   &more);
	token_file = cred_token_file(&program->client.cred);
	if (token_file != NULL)
		file_guard_compare(-1, token_file);
	if (st->code == CODE_OK)
		*st = more;
	if (st->code == CODE_OK)
		client_use_network(&program->client, &program->network);
	return st->code;
}

enum code
program_confine(struct program *program, struct status *st)
{
	const struct sandbox_allow allow = {
		.write_folder = program->report.result.folder,
		.read_folder = -1,
		.reread = cred_token_file(&program->client.cred),
	};

	return sandbox_enter(SANDBOX_ALONE, &allow, st);
}

void
program_wipe(struct program *program)
{
	if (program->options != NULL)
		opt_wipe(program->options);
	options_wipe();
	client_wipe(&program->client);
	proxy_wipe(&program->network.proxy);
	task_wipe(&program->task);
	task_wipe(&program->listed);
	report_close(&program->report);
}
