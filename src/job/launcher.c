#include "job/launcher.h"

#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/dispatch.h"
#include "sys/channel.h"
#include "sys/wait.h"

/* After the order to stop. */
#define STOP_MS 2000
/* For the spawner to say that a worker was killed. */
#define KILLED_MS 10000
/* Crashes of a worker that gets no task done. */
#define CRASHES_MAX 3
/* Messages of a worker that are heard before the others are listened to. */
#define MESSAGES_AT_ONCE 64
/* Those that a channel has room for are fewer. */
#define LEFT_MAX 4096

static const char WORKER[] = "worker";

/* --- what workers say --- */

static struct slot *
slot_of(struct launcher *launcher, unsigned number)
{
	const struct seat *seat = &launcher->crew.seat[number];

	return seat->state == SEAT_BUSY ? &launcher->slot[seat->slot] : NULL;
}

/* Until the spawner says that it ended. */
static void
kill_worker(struct launcher *launcher, unsigned number)
{
	struct seat *seat = &launcher->crew.seat[number];

	if (seat->killed)
		return;
	seat->killed = true;
	seat->kill_at = deadline_in(KILLED_MS);
	crew_order_stop(&launcher->crew, number, SIGKILL);
}

/*
 * The first sign that all would fail alike: there is no token or no connection,
 * for good or after all the time that was given to it. Once a task was done, it
 * is one task that fails.
 */
static void
stop_without_client(struct launcher *launcher, const struct outcome *outcome,
		    const char *operation)
{
	if (launcher->counts.succeeded == launcher->counts.skipped &&
	    (outcome->exit == EXIT_AUTH || outcome->exit == EXIT_RETRY) &&
	    str_eq(str_from(operation), STR("init-client")))
		launcher_stop(launcher, &outcome->status, outcome->exit);
}

static void
take_outcome(struct launcher *launcher, unsigned number)
{
	static struct outcome outcome;
	struct slot *slot = slot_of(launcher, number);
	const char *operation = launcher->said.operation;

	launcher->crew.seat[number].state = SEAT_IDLE;
	launcher->crew.seat[number].crashes = 0;
	pace_forget(&launcher->pace, number);
	message_outcome(&launcher->said, &outcome);
	launcher->wrote |= outcome.effect == EFFECT_DONE;
	if (outcome.status.code == CODE_OK) {
		launcher_finish_task(launcher, slot, &outcome);
		return;
	}
	stop_without_client(launcher, &outcome, operation);
	launcher_fail_task(launcher, slot, &outcome, operation);
}

static void
take_line(struct launcher *launcher, const struct task *task)
{
	struct status st;
	const struct log_line line = message_line(&launcher->said, &st);

	launcher_log(launcher, task, &line);
}

/* False for what no worker says in its state. */
static bool
take_message(struct launcher *launcher, unsigned number, ssize_t size)
{
	struct seat *seat = &launcher->crew.seat[number];
	const struct slot *slot = slot_of(launcher, number);
	const struct message *said = &launcher->said;

	if (!message_check(&launcher->said, size))
		return false;
	if (said->type == MESSAGE_READY && seat->state == SEAT_STARTING) {
		seat->state = SEAT_IDLE;
		return true;
	}
	/* One that is idle would speak for the run. */
	if (said->type == MESSAGE_LOG && seat->state != SEAT_IDLE) {
		take_line(launcher, slot == NULL ? NULL : &slot->task);
		return true;
	}
	if (slot == NULL)
		return false;
	if (said->type == MESSAGE_ASK) {
		seat->ask = said->number;
		pace_forget(&launcher->pace, number);
		pace_ask(&launcher->pace, number, (enum quota)said->quota,
			 said->project);
	} else if (said->type == MESSAGE_THROTTLED) {
		pace_throttled(&launcher->pace, (enum quota)said->quota,
			       said->project, clock_ms(),
			       said->wait_ms > 0 ? (uint64_t)said->wait_ms : 0);
	} else if (said->type == MESSAGE_OUTCOME) {
		take_outcome(launcher, number);
	} else {
		return false;
	}
	return true;
}

/*
 * Bounded: one that talks without end must not keep the others waiting. False
 * if there is nothing more to hear of it.
 */
static bool
listen_to(struct launcher *launcher, unsigned number, unsigned most)
{
	struct seat *seat = &launcher->crew.seat[number];

	while (most-- > 0) {
		ssize_t size;

		if (seat->deaf)
			return false;
		size = channel_receive(seat->fd, &launcher->said,
				       sizeof(launcher->said), NULL);
		if (size == CHANNEL_EMPTY)
			return true;
		if (!take_message(launcher, number, size)) {
			seat->deaf = true;
			kill_worker(launcher, number);
		}
	}
	return true;
}

/* --- how workers end --- */

static void
lose_task(struct launcher *launcher, unsigned number, int how)
{
	static struct outcome outcome;
	struct slot *slot = slot_of(launcher, number);

	outcome = (struct outcome){ .effect = EFFECT_UNKNOWN,
				    .exit = EXIT_RETRY };
	(void)status_set(&outcome.status, CODE_UNKNOWN,
			 WIFSIGNALED(how) ? "worker %u was ended by signal %d"
					  : "worker %u ended with status %d",
			 number,
			 WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
	if (slot == NULL) {
		if (launcher->crew.control >= 0)
			launcher_log_error(launcher, NULL, WORKER,
					   &outcome.status, NULL);
		return;
	}
	job_explain(launcher->job, &outcome);
	launcher_fail_task(launcher, slot, &outcome, WORKER);
}

static bool
any_seat(const struct launcher *launcher, enum seat_state from,
	 enum seat_state to)
{
	for (unsigned i = 0; i < launcher->crew.count; i++)
		if (launcher->crew.seat[i].state >= from &&
		    launcher->crew.seat[i].state <= to)
			return true;
	return false;
}

/* The next worker has the same channel. */
static void
drop_messages(struct launcher *launcher, const struct seat *seat)
{
	unsigned most = LEFT_MAX;

	while (most-- > 0 &&
	       channel_receive(seat->fd, &launcher->said,
			       sizeof(launcher->said), NULL) != CHANNEL_EMPTY)
		;
}

/* What it said before it ended is heard first. */
static void
replace(struct launcher *launcher, unsigned number, int how)
{
	struct seat *seat = &launcher->crew.seat[number];
	struct status st = { .code = CODE_OK };
	bool dismissed;

	(void)listen_to(launcher, number, UINT_MAX);
	drop_messages(launcher, seat);
	dismissed = seat->stopped && seat->state == SEAT_IDLE;
	if (!dismissed)
		lose_task(launcher, number, how);
	pace_forget(&launcher->pace, number);
	seat->state = SEAT_EMPTY;
	seat->killed = false;
	if (launcher->stop.code == CODE_OK && ++seat->crashes < CRASHES_MAX)
		crew_order_start(&launcher->crew, number);
	if (launcher->stop.code != CODE_OK ||
	    any_seat(launcher, SEAT_STARTING, SEAT_BUSY))
		return;
	(void)status_set(&st, CODE_INTERNAL, "no worker is left");
	launcher_stop_and_say(launcher, &st, EXIT_RETRY);
}

/* Without it nobody says how workers end: they do, by its end. */
static void
lose_spawner(struct launcher *launcher)
{
	struct status st = { .code = CODE_OK };

	if (launcher->crew.control >= 0)
		(void)close(launcher->crew.control);
	launcher->crew.control = -1;
	(void)status_set(&st, CODE_INTERNAL,
			 "the process that starts workers is gone");
	launcher_stop_and_say(launcher, &st, EXIT_RETRY);
	for (unsigned i = 0; i < launcher->crew.count; i++)
		if (launcher->crew.seat[i].killed)
			replace(launcher, i, 0);
}

static void
listen_to_spawner(struct launcher *launcher)
{
	struct order said;
	ssize_t size;

	while (launcher->crew.control >= 0) {
		size = channel_receive(launcher->crew.control, &said,
				       sizeof(said), NULL);
		if (size == CHANNEL_EMPTY)
			return;
		if (size != (ssize_t)sizeof(said) ||
		    said.worker >= launcher->crew.count)
			lose_spawner(launcher);
		else
			replace(launcher, said.worker, said.how);
	}
}

/* --- time and signals --- */

static void
take_signal(struct launcher *launcher)
{
	const int number = wait_take_signal();
	struct status st = { .code = CODE_OK };

	if (number == 0)
		return;
	launcher->drain_until =
		deadline_in(launcher->signalled != 0 ? 0 : DRAIN_MS);
	if (launcher->signalled == 0)
		status_hint(&st, "what is under way has 20 s to end; a second "
				 "signal abandons it");
	launcher->signalled = number;
	(void)status_set(&st, CODE_CANCELLED, "stopped by %s",
			 number == SIGINT ? "SIGINT" : "SIGTERM");
	launcher_log_error(launcher, NULL, "stop", &st, NULL);
	st.hint[0] = '\0'; /* by the end it is over */
	launcher_stop(launcher, &st, (enum exit_status)(128 + number));
}

/* What ends the whole run besides. */
static void
check_run(struct launcher *launcher)
{
	struct status st = { .code = CODE_OK };

	if (launcher->report->failure.code != CODE_OK)
		launcher_stop(launcher, &launcher->report->failure,
			      launcher->wrote ? EXIT_UNREPORTED : EXIT_RETRY);
	if (launcher->stop.code != CODE_OK ||
	    deadline_left(launcher->until) > 0)
		return;
	status_hint(&st, "MAX_WAIT_TIME_SECONDS gives more");
	(void)status_set(&st, CODE_DEADLINE_EXCEEDED,
			 "the time for the whole run is over");
	launcher_stop_and_say(launcher, &st, EXIT_RETRY);
}

/* Those who do not end their task in time, or not at all. */
static void
check_workers(struct launcher *launcher)
{
	const bool drained = launcher->signalled != 0 &&
			     deadline_left(launcher->drain_until) == 0;

	for (unsigned i = 0; i < launcher->crew.count; i++) {
		struct seat *seat = &launcher->crew.seat[i];

		/* Something keeps the spawner, or even the worker. */
		if (seat->killed && deadline_left(seat->kill_at) == 0)
			lose_spawner(launcher);
		if (seat->state != SEAT_BUSY || seat->killed)
			continue;
		if (drained && !seat->stopped) {
			seat->stopped = true;
			seat->kill_at = deadline_in(STOP_MS);
			crew_order_stop(&launcher->crew, i,
					launcher->signalled);
		}
		if (deadline_left(seat->kill_at) > 0)
			continue;
		kill_worker(launcher, i);
		if (launcher->crew.control < 0)
			replace(launcher, i, 0);
	}
}

/* Milliseconds until the next request may be sent. */
static int64_t
let_go(struct launcher *launcher)
{
	int64_t wait_ms;
	size_t number;

	while (pace_grant(&launcher->pace, clock_ms(), &number, &wait_ms))
		crew_tell_go(&launcher->crew, (unsigned)number);
	return wait_ms;
}

static struct deadline
next_moment(const struct launcher *launcher, int64_t pace_ms)
{
	const int64_t progress_ms =
		progress_wait(&launcher->progress, clock_ms());
	struct deadline next =
		deadline_in(pace_ms < progress_ms ? pace_ms : progress_ms);

	if (launcher->more)
		return deadline_in(0);
	if (launcher->stop.code == CODE_OK)
		next = deadline_first(next, launcher->until);
	for (unsigned i = 0; i < launcher->crew.count; i++) {
		const struct seat *seat = &launcher->crew.seat[i];

		if (seat->state != SEAT_BUSY && !seat->killed)
			continue;
		next = deadline_first(next, seat->kill_at);
		if (launcher->signalled != 0 && !seat->stopped && !seat->killed)
			next = deadline_first(next, launcher->drain_until);
	}
	return next;
}

/* Waits until somebody says something, or it is time for something. */
static void
wait_for_news(struct launcher *launcher, int64_t pace_ms)
{
	struct crew *crew = &launcher->crew;
	struct pollfd fds[WORKERS_MAX + 2];
	struct status st = { .code = CODE_OK };

	for (unsigned i = 0; i < crew->count; i++) {
		const struct seat *seat = &crew->seat[i];
		const bool deaf = seat->state == SEAT_EMPTY || seat->deaf;

		fds[i] = (struct pollfd){ deaf ? -1 : seat->fd, POLLIN, 0 };
	}
	fds[crew->count] = (struct pollfd){ crew->control, POLLIN, 0 };
	fds[crew->count + 1] = (struct pollfd){
		launcher->list_waits ? tasks_fd(&launcher->tasks) : -1, POLLIN,
		0
	};
	if (wait_ready(fds, crew->count + 2, next_moment(launcher, pace_ms),
		       &st) != CODE_OK) {
		launcher->broken = !status_interrupted(&st);
		if (launcher->broken)
			launcher_stop_and_say(launcher, &st, EXIT_RETRY);
		return;
	}
	for (unsigned i = 0; i < crew->count; i++)
		if (fds[i].revents != 0 &&
		    !listen_to(launcher, i, MESSAGES_AT_ONCE) &&
		    crew->control < 0)
			replace(launcher, i, 0);
	listen_to_spawner(launcher);
}

static bool
is_done(const struct launcher *launcher)
{
	if (launcher->broken)
		return true;
	for (size_t i = 0; i < launcher->used; i++)
		if (launcher->slot[i].state != SLOT_FREE)
			return false;
	return launcher->list_ended;
}

/* What was read ahead is not done: a short list is, at once, to its end. */
static void
show_progress(struct launcher *launcher)
{
	uint64_t bytes, size;

	tasks_progress(&launcher->tasks, &bytes, &size);
	for (size_t i = 0; i < launcher->used; i++)
		if (launcher->slot[i].state != SLOT_FREE)
			bytes -= launcher->slot[i].task.bytes;
	progress_step(&launcher->progress, &launcher->counts, bytes, size,
		      clock_ms());
}

void
launcher_run(struct launcher *launcher)
{
	for (;;) {
		int64_t pace_ms;

		take_signal(launcher);
		check_run(launcher);
		launcher_read_list(launcher);
		launcher_hand_out(launcher);
		launcher_give_up(launcher);
		pace_ms = let_go(launcher);
		if (is_done(launcher))
			break;
		show_progress(launcher);
		wait_for_news(launcher, pace_ms);
		/* What was said in time counts, however late it is heard. */
		check_workers(launcher);
	}
	progress_clear(&launcher->progress);
}
