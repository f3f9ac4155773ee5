#include "job/dispatch.h"

#include <signal.h>

#include "base/redact.h"
#include "job/shard.h"
#include "sys/crash.h"

/* Beyond the time for a task. */
#define OVERTIME_MS 10000
/* Requests of a task that wait for their turn. */
#define TURNS 4
/* To read the file of a task. */
#define LOAD_MS 5000
/* Lines of the list that are read before the workers are looked after. */
#define LINES_AT_ONCE 64

static const char LIST[] = "read-tasks";

/* A line on a task, or on the run. */
void
launcher_log(struct launcher *launcher, const struct task *task,
	     const struct log_line *line)
{
	struct report *report = launcher->report;
	const char *cluster_id = report->cluster_id, *project = report->project;
	struct log_line named = *line;

	if (line->level < report->log.level)
		return;
	if (task != NULL) {
		named.of_task = true;
		report->cluster_id = task->cluster_id;
		report->project = task->project;
	}
	progress_clear(&launcher->progress);
	/* At the end a reader has little time (report.c), or had it already. */
	report->until = deadline_in(
		launcher->signalled != 0 || report->failure.code != CODE_OK
			? 0
			: tasks_settings()->task_timeout_ms);
	report->until = deadline_first(launcher->until, report->until);
	report_log(report, &named);
	report->cluster_id = cluster_id;
	report->project = project;
}

void
launcher_log_error(struct launcher *launcher, const struct task *task,
		   const char *operation, const struct status *st,
		   const char *resource)
{
	const struct log_line line = { .level = LOG_ERROR,
				       .operation = operation,
				       .message = st->message,
				       .version = resource,
				       .status = st };

	launcher_log(launcher, task, &line);
}

/* The first reason stays. */
void
launcher_stop(struct launcher *launcher, const struct status *why,
	      enum exit_status exit)
{
	if (launcher->stop.code != CODE_OK)
		return;
	launcher->stop = *why;
	launcher->exit = exit;
	launcher->drain_until = deadline_in(DRAIN_MS);
}

/* The same, where nobody else said it. */
void
launcher_stop_and_say(struct launcher *launcher, const struct status *why,
		      enum exit_status exit)
{
	launcher_log_error(launcher, NULL, "stop", why, NULL);
	launcher_stop(launcher, why, exit);
}

/* Journal or failed list cannot be written. */
static void
stop_unwritable(struct launcher *launcher, const struct status *why)
{
	if (why->code == CODE_OK)
		return;
	launcher_log_error(launcher, NULL, "journal", why, NULL);
	launcher_stop(launcher, why,
		      launcher->wrote ? EXIT_UNREPORTED : EXIT_RETRY);
}

static void
free_slot(struct slot *slot)
{
	/* What was written of it: pages that are not in use cost nothing. */
	buf_reset(&slot->task.input);
	slot->task.payload = STR("");
	slot->task.labels[0] = '\0';
	slot->state = SLOT_FREE;
}

/* A task that failed, in `operation`. */
void
launcher_fail_task(struct launcher *launcher, struct slot *slot,
		   const struct outcome *outcome, const char *operation)
{
	struct status st = { .code = CODE_OK };

	launcher_log_error(launcher, &slot->task, operation, &outcome->status,
			   outcome->resource);
	launcher->last_failure = outcome->status;
	counts_failed(&launcher->counts, outcome->status.code,
		      outcome->exit == EXIT_RETRY || outcome->exit > 128);
	(void)failed_add(&launcher->failed, &slot->task, &st);
	stop_unwritable(launcher, &st);
	free_slot(slot);
}

void
launcher_finish_task(struct launcher *launcher, struct slot *slot,
		     const struct outcome *outcome)
{
	struct status st = { .code = CODE_OK };
	const struct log_line line = { .level = LOG_INFO,
				       .operation = "completed",
				       .message = outcome->message[0] != '\0'
							  ? outcome->message
							  : OUTCOME_UNCHANGED,
				       .version = outcome->resource };

	launcher_log(launcher, &slot->task, &line);
	counts_succeeded(&launcher->counts, false);
	if (outcome->resource[0] != '\0')
		(void)journal_add(&launcher->journal, &slot->task,
				  outcome->resource, &st);
	stop_unwritable(launcher, &st);
	free_slot(slot);
}

/* --- the list --- */

static struct slot *
find_free(struct launcher *launcher)
{
	for (size_t i = 0; i < TASKS_AHEAD(launcher->crew.count); i++) {
		struct slot *slot = &launcher->slot[i];

		if (slot->state != SLOT_FREE)
			continue;
		if (i >= launcher->used) {
			launcher->used = i + 1;
			crash_wipes(launcher->slot,
				    launcher->used * sizeof(*slot));
		}
		return slot;
	}
	return NULL;
}

/* Of a line without a name each shard would say the same. */
static bool
line_is_ours(const struct launcher *launcher)
{
	const struct tasks_settings *settings = tasks_settings();

	return settings->strict ||
	       launcher->tasks.number % settings->shards == settings->shard;
}

static void
refuse_line(struct launcher *launcher, const struct status *why)
{
	struct status st = { .code = CODE_OK };

	launcher_log_error(launcher, NULL, LIST, why, NULL);
	launcher->last_failure = *why;
	counts_failed(&launcher->counts, why->code, false);
	(void)failed_add_line(&launcher->failed, tasks_line(&launcher->tasks),
			      &st);
	stop_unwritable(launcher, &st);
	if (!tasks_settings()->strict)
		return;
	launcher_stop(launcher, why, EXIT_CONFIG);
	launcher->list_ended = true;
}

/* After a stop the rest of the list is only counted. */
static void
take_task(struct launcher *launcher, struct slot *slot)
{
	struct status st = { .code = CODE_OK };

	if (!shard_is_ours(slot->task.hash)) {
		free_slot(slot);
		return;
	}
	slot->state = SLOT_WAITING;
	slot->order = launcher->read++;
	if (launcher->stop.code == CODE_OK)
		return;
	counts_not_tried(&launcher->counts);
	(void)failed_add(&launcher->failed, &slot->task, &st);
	free_slot(slot);
}

void
launcher_read_list(struct launcher *launcher)
{
	struct slot *slot;

	launcher->more = launcher->list_waits = false;
	/* A list may have no end. */
	if (launcher->stop.code != CODE_OK &&
	    deadline_left(launcher->drain_until) == 0)
		launcher->list_ended = true;
	for (unsigned i = 0; !launcher->list_ended; i++) {
		struct status st = { .code = CODE_OK };

		slot = find_free(launcher);
		launcher->more = slot != NULL && i == LINES_AT_ONCE;
		if (slot == NULL || launcher->more)
			return;
		switch (tasks_next(&launcher->tasks, &slot->task, &st)) {
		case TASKS_TASK:
			take_task(launcher, slot);
			break;
		case TASKS_BAD:
			if (line_is_ours(launcher))
				refuse_line(launcher, &st);
			free_slot(slot);
			break;
		case TASKS_MORE:
			break;
		case TASKS_AGAIN:
			launcher->list_waits = true;
			launcher->list_ended = launcher->stop.code != CODE_OK;
			return;
		case TASKS_BROKEN:
			launcher_log_error(launcher, NULL, LIST, &st, NULL);
			launcher_stop(launcher, &st, EXIT_RETRY);
			launcher->list_ended = true;
			break;
		case TASKS_END:
			launcher->list_ended = true;
			break;
		}
	}
}

/* --- handing out --- */

/* That of the hash; where it is gone for good, one that all agree on. */
static unsigned
seat_of(const struct launcher *launcher, const struct task *task)
{
	const struct crew *crew = &launcher->crew;
	unsigned number = shard_worker(task->hash, crew->count);

	for (unsigned i = 0; i < crew->count; i++)
		if (crew->seat[(number + i) % crew->count].state != SEAT_EMPTY)
			return (number + i) % crew->count;
	return number;
}

/*
 * Its time, and what its turns may take on top, beside those of the other
 * workers: at a low rate that is more.
 */
static int64_t
time_for_task(const struct launcher *launcher)
{
	const int64_t turns = TURNS * (int64_t)launcher->crew.count;

	return deadline_left(deadline_first(
		launcher->until,
		deadline_in(tasks_settings()->task_timeout_ms +
			    turns * 1000 * 1000 / launcher->pace.rate)));
}

/* Gives the task to its worker, which is idle; or it is done already. */
static void
hand_out(struct launcher *launcher, struct slot *slot, unsigned number)
{
	static struct outcome outcome;
	struct seat *seat = &launcher->crew.seat[number];
	const int64_t time_ms = time_for_task(launcher);

	outcome = (struct outcome){ .effect = EFFECT_NONE };
	if (tasks_load(&launcher->tasks, &slot->task, deadline_in(LOAD_MS),
		       &outcome.status) != CODE_OK) {
		if (status_interrupted(&outcome.status))
			return; /* it waits for what the signal does */
		outcome.exit = code_exit_status(outcome.status.code);
		launcher_fail_task(launcher, slot, &outcome, LIST);
		return;
	}
	if (journal_has(&launcher->journal, &slot->task)) {
		counts_succeeded(&launcher->counts, true);
		free_slot(slot);
		return;
	}
	if (!crew_give(&launcher->crew, number, &slot->task, time_ms)) {
		seat->state = SEAT_STARTING; /* until the spawner says more */
		crew_order_stop(&launcher->crew, number, SIGKILL);
		return;
	}
	slot->state = SLOT_BUSY;
	seat->state = SEAT_BUSY;
	seat->slot = (size_t)(slot - launcher->slot);
	seat->kill_at = deadline_in(time_ms + OVERTIME_MS);
	seat->stopped = false;
}

/* To each idle worker its next task, in the order of the list. */
void
launcher_hand_out(struct launcher *launcher)
{
	struct slot *next[WORKERS_MAX] = { NULL };

	if (launcher->stop.code != CODE_OK)
		return;
	for (size_t i = 0; i < launcher->used; i++) {
		struct slot *slot = &launcher->slot[i];
		unsigned number;

		if (slot->state != SLOT_WAITING)
			continue;
		number = seat_of(launcher, &slot->task);
		if (next[number] == NULL || slot->order < next[number]->order)
			next[number] = slot;
	}
	for (unsigned i = 0; i < launcher->crew.count; i++)
		if (next[i] != NULL &&
		    launcher->crew.seat[i].state == SEAT_IDLE &&
		    !launcher->crew.seat[i].killed) {
			hand_out(launcher, next[i], i);
			launcher->more |= next[i]->state == SLOT_FREE;
		}
}

/* After a stop: what was not handed out is not tried. */
void
launcher_give_up(struct launcher *launcher)
{
	struct status st = { .code = CODE_OK };

	if (launcher->stop.code == CODE_OK)
		return;
	for (size_t i = 0; i < launcher->used; i++)
		if (launcher->slot[i].state == SLOT_WAITING) {
			counts_not_tried(&launcher->counts);
			(void)failed_add(&launcher->failed,
					 &launcher->slot[i].task, &st);
			free_slot(&launcher->slot[i]);
		}
}
