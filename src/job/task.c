#include "job/task.h"

void
task_init(struct task *task)
{
	buf_init(&task->input, task->input_memory, sizeof(task->input_memory));
}

void
task_wipe(struct task *task)
{
	if (task->input.ptr != NULL)
		buf_wipe(&task->input);
	task->payload = STR("");
}
