#include "job/spawner.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "job/message.h"
#include "job/worker.h"
#include "sys/channel.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/wait.h"

/* How long workers have to say what became of their tasks. */
#define END_MS 2000

struct spawner {
	const struct job *job;
	struct program *program;
	const struct spawner_ends *ends;
	pid_t process; /* its own */
	pid_t worker[WORKERS_MAX];
	bool is_worker; /* in the process that was forked */
	enum exit_status exit;
};

/*
 * Result, journal, list and the launcher's ends of the channels are the
 * launcher's alone.
 */
static void
keep_only(const struct spawner_ends *ends)
{
	int keep[WORKERS_MAX + 1] = { ends->control };

	for (unsigned i = 0; i < ends->count; i++)
		keep[i + 1] = ends->worker[i];
	process_close_others(keep, ends->count + 1);
}

/* The launcher reads at once. Signals are blocked. */
static void
report_end(const struct spawner *spawner, unsigned worker, int how)
{
	const struct order order = { ORDER_ENDED, worker, how };
	struct pollfd room = { .fd = spawner->ends->control,
			       .events = POLLOUT };

	while (!channel_send(room.fd, &order, sizeof(order), STR("")) &&
	       errno == EAGAIN)
		(void)poll(&room, 1, END_MS);
}

static void
reap(struct spawner *spawner)
{
	int how;
	pid_t ended;

	while (process_ended(&ended, &how))
		for (unsigned i = 0; i < spawner->ends->count; i++)
			if (spawner->worker[i] == ended) {
				spawner->worker[i] = 0;
				report_end(spawner, i, how);
			}
}

/* A spawner that was killed takes its workers along, as SIGTERM does. */
static void
become_worker(struct spawner *spawner, unsigned number)
{
	const struct spawner_ends *ends = spawner->ends;
	const int own = ends->worker[number];

	spawner->is_worker = true;
	spawner->exit = EXIT_RETRY;
	if (!process_follow(spawner->process))
		return;
	for (unsigned i = 0; i < ends->count; i++)
		if (i != number)
			(void)close(ends->worker[i]);
	(void)close(ends->control);
	spawner->exit = worker_run(spawner->job, spawner->program, own);
}

/* One that cannot be forked ends at once. */
static void
start(struct spawner *spawner, unsigned number)
{
	pid_t forked = process_fork(spawner->process);

	if (forked == 0)
		become_worker(spawner, number);
	else if (forked < 0)
		report_end(spawner, number, EXIT_RETRY << 8);
	else
		spawner->worker[number] = forked;
}

/* A number that the worker no longer has was not given to another one yet. */
static void
stop(const struct spawner *spawner, unsigned number, int by)
{
	if (spawner->worker[number] > 0)
		process_stop(spawner->worker[number], by);
}

static void
stop_all(const struct spawner *spawner, int by)
{
	for (unsigned i = 0; i < spawner->ends->count; i++)
		stop(spawner, i, by);
}

static bool
any_left(const struct spawner *spawner)
{
	for (unsigned i = 0; i < spawner->ends->count; i++)
		if (spawner->worker[i] > 0)
			return true;
	return false;
}

/* False at the end. */
static bool
follow_order(struct spawner *spawner)
{
	struct order order;
	ssize_t got = channel_receive(spawner->ends->control, &order,
				      sizeof(order), NULL);

	if (got == CHANNEL_EMPTY)
		return true;
	if (got != (ssize_t)sizeof(order) ||
	    order.worker >= spawner->ends->count)
		return false;
	if (order.type == ORDER_END)
		return false;
	if (order.type == ORDER_START)
		start(spawner, order.worker);
	else
		stop(spawner, order.worker, order.how);
	return true;
}

static void
end_all(struct spawner *spawner)
{
	const struct deadline until = deadline_in(END_MS);
	struct status ignored = { .code = CODE_OK };

	stop_all(spawner, SIGTERM);
	for (reap(spawner); any_left(spawner); reap(spawner)) {
		if (deadline_left(until) == 0)
			stop_all(spawner, SIGKILL);
		(void)wait_ready(NULL, 0,
				 deadline_left(until) == 0 ? deadline_in(END_MS)
							   : until,
				 &ignored);
		(void)wait_take_signal();
	}
}

static enum code
confine(const struct spawner *spawner, struct status *st)
{
	const struct sandbox_allow allow = {
		.write_folder = -1,
		.read_folder = -1,
		.reread = cred_token_file(&spawner->program->client.cred),
	};

	return sandbox_enter(SANDBOX_SPAWNER, &allow, st);
}

enum exit_status
spawner_run(const struct job *job, struct program *program,
	    const struct spawner_ends *ends)
{
	static struct spawner spawner;
	struct status st = { .code = CODE_OK };
	struct pollfd order = { .fd = ends->control, .events = POLLIN };

	spawner = (struct spawner){
		.job = job,
		.program = program,
		.ends = ends,
		.process = process_number(),
	};
	process_leave_group();
	report_forked(&program->report);
	keep_only(ends);
	wait_for_children();
	if (confine(&spawner, &st) != CODE_OK)
		return EXIT_RETRY;
	for (;;) {
		if (wait_ready(&order, 1, DEADLINE_NEVER, &st) == CODE_INTERNAL)
			break;
		(void)wait_take_signal();
		status_clear(&st);
		reap(&spawner);
		if (!follow_order(&spawner) || spawner.is_worker)
			break;
	}
	if (!spawner.is_worker)
		end_all(&spawner);
	return spawner.exit;
}
