#include "job/failed.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/redact.h"
#include "job/tasks.h"
#include "sys/file.h"
#include "sys/file_guard.h"

/* Of a file, to see whether it is a list. */
#define LOOK_MAX 4096

/*
 * One that holds something else is not emptied by mistake. What cannot be read
 * is refused by append_open().
 */
static bool
may_be_emptied(const char *path)
{
	int fd = file_open(path);
	char start[LOOK_MAX];
	struct stat info;
	ssize_t got = 0;
	bool is_list;

	if (fd < 0)
		return true;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		got = read(fd, start, sizeof(start));
	(void)close(fd);
	if (got <= 0)
		return true;
	is_list = str_contains((struct str){ start, (size_t)got },
			       STR("\"cluster_id\""));
	wipe(start, (size_t)got);
	return is_list;
}

static enum code
refuse(const char *path, const char *what, struct status *st)
{
	status_hint(st, "remove it if it can go");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s: %s is no list of tasks and would be emptied",
			  what, redact_argument(path));
}

enum code
failed_open(struct failed *failed, const char *path, const char *what,
	    struct status *st)
{
	if (path == NULL ||
	    file_guard_end(FILE_FAILED, what, path, st) != CODE_OK)
		return st->code;
	if (!may_be_emptied(path))
		return refuse(path, what, st);
	if (append_open(&failed->file, path, what, st) != CODE_OK)
		return st->code;
	failed->is_open = true;
	if (append_cut(&failed->file, 0, st) != CODE_OK)
		failed_close(failed);
	return st->code;
}

/*
 * Of a line and its line feed, were each byte of its pull secret escaped by
 * six. Pages that are not written cost nothing.
 */
static char memory[3 * TASK_LINE_MAX];

static enum code
add(struct failed *failed, struct buf *line, struct status *st)
{
	if (line->overflow)
		(void)status_set(st, CODE_INTERNAL,
				 "%s: a task is too long to be written",
				 failed->file.what);
	else
		(void)append_line(&failed->file, buf_view(line), st);
	wipe(memory, line->len);
	return st->code;
}

enum code
failed_add(struct failed *failed, const struct task *task, struct status *st)
{
	struct buf line;

	if (!failed->is_open)
		return CODE_OK;
	buf_init(&line, memory, sizeof(memory));
	tasks_write_line(task, &line);
	return add(failed, &line, st);
}

enum code
failed_add_line(struct failed *failed, struct str text, struct status *st)
{
	struct buf line;

	if (!failed->is_open || text.len == 0)
		return CODE_OK;
	buf_init(&line, memory, sizeof(memory));
	buf_put_str(&line, text);
	buf_put_char(&line, '\n');
	return add(failed, &line, st);
}

void
failed_close(struct failed *failed)
{
	if (failed->is_open)
		append_close(&failed->file);
	failed->is_open = false;
}
