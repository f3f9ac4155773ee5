#include "cmd/print.h"

#include <unistd.h>

#include "sys/file.h"
#include "sys/wait.h"

/* For a reader of results, and for one of errors, to make room. */
#define RESULT_MS 5000
#define ERROR_MS 1000

static const char *json_option;

static const struct opt OPTIONS[] = {
	{ "--json", NULL, NULL, "print an object instead of text", &json_option,
	  OPT_PLAIN },
};

const struct opt_table JSON_OPTIONS = { "Output", OPTIONS, OPT_COUNT(OPTIONS) };

bool
print_wants_json(void)
{
	return json_option != NULL;
}

enum exit_status
print_result(struct str text)
{
	struct status st = { .code = CODE_OK };

	if (file_write_all(STDOUT_FILENO, text, deadline_in(RESULT_MS), &st) ==
	    CODE_OK)
		return EXIT_DONE;
	status_prefix(&st, "standard output");
	return print_failure(&st,
			     st.code == CODE_CANCELLED
				     ? (enum exit_status)(128 + wait_signal())
				     : EXIT_RETRY);
}

void
print_note(const struct status *st)
{
	char memory[STATUS_MESSAGE_MAX + STATUS_HINT_MAX + 64];
	struct status unwritten = { .code = CODE_OK };
	struct buf line;

	buf_init(&line, memory, sizeof(memory));
	buf_put_cstr(&line, "pull-secret: ");
	buf_put_cstr(&line, st->message);
	if (st->hint[0] != '\0') {
		buf_put_cstr(&line, " (");
		buf_put_cstr(&line, st->hint);
		buf_put_char(&line, ')');
	}
	buf_put_char(&line, '\n');
	/* A failure here cannot be reported anywhere. */
	(void)file_write_all(STDERR_FILENO, buf_view(&line),
			     deadline_in(ERROR_MS), &unwritten);
}

enum exit_status
print_json(struct json_writer *json)
{
	struct status st = { .code = CODE_OK };

	json_close(json);
	buf_put_char(json->out, '\n');
	if (json_writer_done(json) && !json->out->overflow)
		return print_result(buf_view(json->out));
	(void)status_set(&st, CODE_INTERNAL, "the output is too long");
	return print_failure(&st, EXIT_RETRY);
}

enum exit_status
print_failure(const struct status *st, enum exit_status exit_status)
{
	print_note(st);
	return exit_status;
}
