#include "job/worker.h"

#include <errno.h>

#include "job/message.h"
#include "job/options.h"
#include "sys/channel.h"
#include "sys/sandbox.h"
#include "sys/wait.h"

/* The launcher reads at once; but what is said last gets this long. */
#define LAST_WORDS_MS 1000

struct worker {
	const struct job *job;
	struct program *program;
	int fd;
	uint32_t asks;
	struct task_message got; /* the last message */
	struct message said;
	struct outcome outcome;
	int64_t grant_ms; /* how long a missing role is waited for */
};

static enum code
gone(struct status *st)
{
	st->permanent = true;
	return status_set(st, CODE_UNAVAILABLE, "the launcher is gone");
}

/* A signal, too, ends the wait for room, but not the last try. */
static enum code
say(struct worker *worker, struct status *st)
{
	struct status ignored = { .code = CODE_OK };
	struct pollfd room = { .fd = worker->fd, .events = POLLOUT };

	while (!channel_send(worker->fd, &worker->said, sizeof(worker->said),
			     STR(""))) {
		if (errno != EAGAIN || ignored.code != CODE_OK)
			return gone(st);
		if (wait_ready(&room, 1, worker->program->report.until,
			       &ignored) != CODE_OK ||
		    room.revents == 0) {
			(void)poll(&room, 1, LAST_WORDS_MS);
			ignored.code = CODE_CANCELLED;
		}
	}
	return CODE_OK;
}

static void
put_line(void *context, const struct log_line *line, struct status *failure)
{
	struct worker *worker = context;

	message_put_line(&worker->said, line);
	(void)say(worker, failure);
}

/* Waits for the next message; what it has of a payload goes to `tail`. */
static enum code
hear(struct worker *worker, struct buf *tail, struct deadline until,
     struct status *st)
{
	struct pollfd ready = { .fd = worker->fd, .events = POLLIN };

	for (;;) {
		ssize_t size = channel_receive(worker->fd, &worker->got,
					       sizeof(worker->got), tail);

		if (size == (ssize_t)sizeof(struct go_message) ||
		    size >= (ssize_t)sizeof(worker->got))
			return CODE_OK;
		if (size != CHANNEL_EMPTY)
			return gone(st);
		if (wait_ready(&ready, 1, until, st) != CODE_OK)
			return st->code;
		if (deadline_left(until) == 0)
			return status_set(st, CODE_DEADLINE_EXCEEDED,
					  "the time for the task is over");
	}
}

static void
put_quota(struct worker *worker, enum message_type type, enum quota quota,
	  const char *project)
{
	worker->said = (struct message){ .type = type, .quota = quota };
	(void)str_copy(str_from(project), worker->said.project,
		       sizeof(worker->said.project));
}

/* An answer may be that to an older question, which nobody waits for. */
static enum code
wait_for_turn(void *context, enum quota quota, const char *project,
	      struct deadline until, struct status *st)
{
	struct worker *worker = context;
	struct task_message *got = &worker->got;

	put_quota(worker, MESSAGE_ASK, quota, project);
	worker->said.number = ++worker->asks;
	if (say(worker, st) != CODE_OK)
		return st->code;
	do
		if (hear(worker, NULL, until, st) != CODE_OK)
			return st->code;
	while (got->type != MESSAGE_GO || got->number != worker->asks);
	return CODE_OK;
}

static void
tell_throttled(void *context, enum quota quota, const char *project,
	       uint64_t retry_after_ms)
{
	struct worker *worker = context;
	struct status ignored = { .code = CODE_OK };

	put_quota(worker, MESSAGE_THROTTLED, quota, project);
	worker->said.wait_ms = retry_after_ms < INT64_MAX
				       ? (int64_t)retry_after_ms
				       : INT64_MAX;
	(void)say(worker, &ignored);
}

/* Nothing of one task is left for the next one but connection and token. */
static void
forget_task(struct worker *worker)
{
	struct client *client = &worker->program->client;

	/* One that was opened ahead of a token that never came grows old. */
	client->cred.conn.opening_ahead = NULL;
	if (client->sm.conn.state != CONN_READY)
		conn_close(&client->sm.conn);
	client->sm.secret = STR("");
	call_reset(&client->call);
	buf_reset(&worker->program->listed.input);
}

static void
do_task(struct worker *worker)
{
	struct program *program = worker->program;
	struct report *report = &program->report;
	struct task *task = &program->listed;
	struct outcome *outcome = &worker->outcome;
	const struct job *job = worker->job;

	*outcome = (struct outcome){ .effect = EFFECT_NONE };
	program->client.until = deadline_in(worker->got.time_ms);
	report->until = program->client.until;
	report->retries.grant_until = deadline_in(worker->grant_ms);
	report->operation = "start";
	message_task(&worker->got, task);
	task->payload = program->task.payload;
	if (job->prepare != NULL)
		job->prepare(&program->client, task, report, outcome);
	if (outcome->status.code == CODE_OK)
		job_work(job, &program->client, task, report, outcome);
	job_explain(job, outcome);
	message_put_outcome(&worker->said, outcome, report->operation);
	(void)say(worker, &report->failure);
	forget_task(worker);
}

/* The filter comes on top of the spawner's. */
static enum code
start(struct worker *worker, struct status *st)
{
	struct message *said = &worker->said;

	(void)options_permission_wait_ms(&worker->grant_ms, st);
	task_init(&worker->program->listed);
	if (sandbox_enter(SANDBOX_WORKER, NULL, st) != CODE_OK) {
		const struct log_line line = { .level = LOG_ERROR,
					       .operation = "start",
					       .message = st->message,
					       .status = st };

		report_log(&worker->program->report, &line);
		return st->code;
	}
	while (channel_receive(worker->fd, &worker->got, sizeof(worker->got),
			       &worker->program->listed.input) > 0)
		; /* it was for the worker that had the channel before */
	*said = (struct message){ .type = MESSAGE_READY };
	return say(worker, st);
}

enum exit_status
worker_run(const struct job *job, struct program *program, int fd)
{
	static struct worker worker;
	const struct report_sink sink = { put_line, &worker };
	const struct pacer pacer = { wait_for_turn, tell_throttled, &worker };
	struct status st = { .code = CODE_OK };

	worker = (struct worker){ .job = job, .program = program, .fd = fd };
	program->report.sink = &sink;
	program->client.sm.pacer = &pacer;
	if (start(&worker, &st) == CODE_OK)
		while (hear(&worker, &program->listed.input, DEADLINE_NEVER,
			    &st) == CODE_OK &&
		       program->report.failure.code == CODE_OK)
			if (worker.got.type == MESSAGE_TASK)
				do_task(&worker);
	status_clear(&program->report.failure);
	wipe(&worker.got, sizeof(worker.got));
	program->report.sink = NULL;
	program->client.sm.pacer = NULL;
	return EXIT_DONE;
}
