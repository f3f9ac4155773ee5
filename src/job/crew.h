/*
 * Floor 4, job. The processes of a fleet, as the launcher knows them.
 */
#ifndef JOB_CREW_H
#define JOB_CREW_H

#include "job/job.h"
#include "job/message.h"

/* What a worker is doing. */
enum seat_state {
	SEAT_STARTING, /* was ordered */
	SEAT_IDLE,
	SEAT_BUSY,
	SEAT_EMPTY /* for good */
};

struct seat {
	enum seat_state state;
	int fd;
	unsigned crashes; /* without a task between them */
	size_t slot;      /* of its task, if it is busy */
	struct deadline kill_at;
	bool stopped; /* a signal was sent to it for this task */
	bool killed;  /* by the last means */
	bool deaf;    /* what it says is not listened to any more */
	uint32_t ask; /* the number of what it asks for */
};

/* Caller-owned. */
struct crew {
	pid_t spawner;
	int control; /* -1: the spawner is gone */
	unsigned count;
	struct seat seat[WORKERS_MAX];
};

/*
 * Forks the spawner, with `count` workers. In the process that was forked, and
 * in the workers, it returns when they have done their part: `*forked` is true
 * then, and `*exit` what the process must end with. UNAVAILABLE if the system
 * has no room for it.
 */
MUST_CHECK enum code crew_start(struct crew *crew, unsigned count,
				const struct job *job, struct program *program,
				bool *forked, enum exit_status *exit,
				struct status *st);

/* Orders to start worker `number`, or to stop it by a signal. */
void crew_order_start(struct crew *crew, unsigned number);
void crew_order_stop(struct crew *crew, unsigned number, int by);

/* Sends a task to an idle worker; false if that cannot be. */
MUST_CHECK bool crew_give(struct crew *crew, unsigned number,
			  const struct task *task, int64_t time_ms);

/* Tells a worker that it may send what it asked for. */
void crew_tell_go(struct crew *crew, unsigned number);

/* Ends all of them, with the spawner, and waits for that. */
void crew_end(struct crew *crew);

#endif
