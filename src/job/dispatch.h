/*
 * Floor 4, job. The tasks of a fleet: read of the list, handed out, reported.
 */
#ifndef JOB_DISPATCH_H
#define JOB_DISPATCH_H

#include "job/launcher.h"

/* Writes a line of the log on a task, or on the run (NULL). */
void launcher_log(struct launcher *launcher, const struct task *task,
		  const struct log_line *line);
void launcher_log_error(struct launcher *launcher, const struct task *task,
			const char *operation, const struct status *st,
			const char *resource);

/*
 * From now on nothing is handed out, and the run ends with `exit`; the first
 * reason stays. The other one logs it, too.
 */
void launcher_stop(struct launcher *launcher, const struct status *why,
		   enum exit_status exit);
void launcher_stop_and_say(struct launcher *launcher, const struct status *why,
			   enum exit_status exit);

/* Reports a task that is done, or failed in `operation`; frees its slot. */
void launcher_finish_task(struct launcher *launcher, struct slot *slot,
			  const struct outcome *outcome);
void launcher_fail_task(struct launcher *launcher, struct slot *slot,
			const struct outcome *outcome, const char *operation);

/* Reads what there is of the list, as far as there are free slots. */
void launcher_read_list(struct launcher *launcher);

/* To each idle worker its next task, in the order of the list. */
void launcher_hand_out(struct launcher *launcher);

/* After a stop: what was not handed out is not tried. */
void launcher_give_up(struct launcher *launcher);

#endif
