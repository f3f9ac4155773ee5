#include "cmd/print.h"

#include <unistd.h>

#include "sys/file.h"

enum exit_status
print_result(struct str text)
{
	struct status st = { .code = CODE_OK };

	if (file_write_all(STDOUT_FILENO, text, DEADLINE_NEVER, &st) == CODE_OK)
		return EXIT_DONE;
	status_prefix(&st, "standard output");
	return complain(&st, EXIT_RETRY);
}

enum exit_status
complain(const struct status *st, enum exit_status exit_status)
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
	/* There is nowhere left to tell that this failed. */
	(void)file_write_all(STDERR_FILENO, buf_view(&line), DEADLINE_NEVER,
			     &unwritten);
	return exit_status;
}
