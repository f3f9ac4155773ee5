#include "job/crew.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "job/spawner.h"
#include "sys/channel.h"
#include "sys/process.h"
#include "sys/wait.h"

/*
 * For three orders to each worker at once: to the kernel the smallest message
 * counts for most of a KiB.
 */
#define ORDERS_MAX (3 * WORKERS_MAX * 1024)
/* More than the spawner needs to end its workers. */
#define END_MS 5000

static enum code
make_channels(struct crew *crew, struct spawner_ends *ends, struct status *st)
{
	int end[2];

	for (unsigned i = 0; i < ends->count; i++) {
		if (channel_pair(end, MESSAGE_MAX, st) != CODE_OK)
			return st->code;
		crew->seat[i] = (struct seat){ .fd = end[0] };
		ends->worker[i] = end[1];
	}
	if (channel_pair(end, ORDERS_MAX, st) != CODE_OK)
		return st->code;
	crew->control = end[0];
	ends->control = end[1];
	return CODE_OK;
}

enum code
crew_start(struct crew *crew, unsigned count, const struct job *job,
	   struct program *program, bool *forked, enum exit_status *exit,
	   struct status *st)
{
	static struct spawner_ends ends;

	*forked = false;
	crew->count = count;
	ends.count = count;
	if (make_channels(crew, &ends, st) != CODE_OK)
		return st->code;
	crew->spawner = process_fork(0);
	if (crew->spawner < 0)
		return status_set(st, CODE_UNAVAILABLE, "fork: %s",
				  strerror(errno));
	if (crew->spawner == 0) {
		*forked = true;
		*exit = spawner_run(job, program, &ends);
		return CODE_OK;
	}
	(void)close(ends.control);
	for (unsigned i = 0; i < count; i++) {
		(void)close(ends.worker[i]);
		crew_order_start(crew, i);
	}
	return CODE_OK;
}

/* There is room; that the spawner is gone is seen where it is listened to. */
static void
order(struct crew *crew, const struct order *what)
{
	(void)!channel_send(crew->control, what, sizeof(*what), STR(""));
}

void
crew_order_start(struct crew *crew, unsigned number)
{
	const struct order what = { ORDER_START, number, 0 };

	crew->seat[number].state = SEAT_STARTING;
	crew->seat[number].killed = false;
	crew->seat[number].deaf = false;
	order(crew, &what);
}

void
crew_order_stop(struct crew *crew, unsigned number, int by)
{
	const struct order what = { ORDER_STOP, number, by };

	order(crew, &what);
}

bool
crew_give(struct crew *crew, unsigned number, const struct task *task,
	  int64_t time_ms)
{
	static struct task_message message;

	message_put_task(&message, task, time_ms);
	return channel_send(crew->seat[number].fd, &message, sizeof(message),
			    buf_view(&task->input));
}

void
crew_tell_go(struct crew *crew, unsigned number)
{
	const struct seat *seat = &crew->seat[number];
	const struct go_message go = { MESSAGE_GO, seat->ask };

	/* Without it the worker's time for the task ends. */
	(void)!channel_send(seat->fd, &go, sizeof(go), STR(""));
}

/* The spawner's end of `control` closes when it exits. */
void
crew_end(struct crew *crew)
{
	struct pollfd end = { .fd = crew->control, .events = POLLIN };
	const struct deadline until = deadline_in(END_MS);
	const struct order last = { ORDER_END, 0, 0 };
	struct order said;
	pid_t left;
	int how;

	for (unsigned i = 0; i < crew->count; i++)
		if (crew->seat[i].fd >= 0)
			(void)close(crew->seat[i].fd);
	order(crew, &last);
	while (crew->control >= 0 && deadline_left(until) > 0 &&
	       channel_receive(crew->control, &said, sizeof(said), NULL) !=
		       CHANNEL_CLOSED)
		(void)poll(&end, 1, (int)deadline_left(until));
	if (crew->control >= 0)
		(void)close(crew->control);
	crew->control = -1;
	/* One that was stopped does not end; a killed one does, soon. */
	while (deadline_left(until) > 0 &&
	       !(process_ended(&left, &how) && left == crew->spawner))
		(void)poll(NULL, 0, 1);
	while (process_ended(&left, &how))
		; /* workers that outlived it, as process 1 gets them */
}
