/*
 * Any bytes as a list of tasks: each line is refused with its number, or is a
 * task that is the same when it is written and read again.
 */
#include "job/tasks.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static struct tasks first, again;
static struct task task, copy;
static char line_memory[8 * TASK_LINE_MAX];
static int list = -1, written = -1;

static void
start(struct tasks *tasks, int *fd, const void *bytes, size_t size)
{
	if (*fd < 0)
		*fd = memfd_create("list", 0);
	must(*fd >= 0 && ftruncate(*fd, 0) == 0 &&
	     pwrite(*fd, bytes, size, 0) == (ssize_t)size &&
	     lseek(*fd, 0, SEEK_SET) == 0);
	lines_init(&tasks->lines, *fd, tasks->memory, sizeof(tasks->memory));
	tasks->folder = 0;
	tasks->payloads = true;
	tasks->shared = STR("shared");
	tasks->number = 0;
}

static enum tasks_step
next(struct tasks *tasks, struct task *out, struct status *st)
{
	enum tasks_step step;

	do
		step = tasks_next(tasks, out, st);
	while (step == TASKS_MORE || step == TASKS_AGAIN);
	return step;
}

static void
must_be_the_same(void)
{
	struct status st = { .code = CODE_OK };
	struct buf line;

	buf_init(&line, line_memory, sizeof(line_memory));
	tasks_write_line(&task, &line);
	must(!line.overflow);
	if (line.len > TASK_LINE_MAX)
		return;
	start(&again, &written, line.ptr, line.len);
	must(next(&again, &copy, &st) == TASKS_TASK && st.code == CODE_OK);
	must(strcmp(task.project, copy.project) == 0);
	must(strcmp(task.cluster_id, copy.cluster_id) == 0);
	must(strcmp(task.secret, copy.secret) == 0);
	must(strcmp(task.labels, copy.labels) == 0);
	must(strcmp(task.path, copy.path) == 0);
	must(str_eq(buf_view(&task.input), buf_view(&copy.input)));
	must(task.hash == copy.hash);
	must(next(&again, &copy, &st) == TASKS_END);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum tasks_step step;

	start(&first, &list, data, size);
	do {
		struct status st = { .code = CODE_OK };

		step = next(&first, &task, &st);
		must_tell(st.code, &st);
		must((step == TASKS_BAD) == (st.code != CODE_OK));
		if (step == TASKS_BAD) {
			must(strncmp(st.message, "line ", 5) == 0);
			must(task.input.len == 0);
		}
		if (step == TASKS_TASK)
			must_be_the_same();
	} while (step != TASKS_END);
	return 0;
}
