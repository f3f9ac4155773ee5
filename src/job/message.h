/*
 * Floor 4, job. What the processes of a fleet say to each other.
 *
 * They were forked of one program, so that a message is a struct. But a worker
 * reads what the network sends: nothing in what it says is taken on trust.
 */
#ifndef JOB_MESSAGE_H
#define JOB_MESSAGE_H

#include "gcp/pace.h"
#include "job/log.h"
#include "job/outcome.h"
#include "job/task.h"

enum message_type {
	/* to a worker */
	MESSAGE_TASK = 1, /* struct task_message, then the payload */
	MESSAGE_GO,       /* struct go_message: what it asked for may be sent */
	/* of a worker: struct message */
	MESSAGE_READY,     /* for its first task */
	MESSAGE_LOG,       /* a line of the log */
	MESSAGE_ASK,       /* may a request be sent? */
	MESSAGE_THROTTLED, /* one was refused with 429 */
	MESSAGE_OUTCOME,   /* the task is done; ready for the next one */
	/* to the spawner and of it: struct order */
	ORDER_START, /* a worker */
	ORDER_STOP,  /* it, by the signal `how` */
	ORDER_END,   /* all of them, and the spawner */
	ORDER_ENDED  /* a worker did, as waitpid(2) says in `how` */
};

/* To a worker; the start of a struct task_message. */
struct go_message {
	uint32_t type;
	uint32_t number; /* of the MESSAGE_ASK that this answers */
};

struct task_message {
	uint32_t type;
	uint32_t number; /* 0 */
	int64_t time_ms; /* for all of it */
	uint64_t line;   /* as in struct task, like what follows */
	uint64_t hash;
	char project[PROJECT_ID_MAX + 1];
	char cluster_id[CLUSTER_ID_MAX + 1];
	char secret[SECRET_NAME_SIZE];
	char version[VERSION_NUMBER_SIZE];
	char labels[LABELS_TEXT_MAX];
};

/* The longest one, with its payload. */
#define MESSAGE_MAX \
	(sizeof(struct task_message) + PULL_SECRET_MAX + PULL_SECRET_SLACK)

/* Of a worker; what a type does not need is zero. */
struct message {
	uint32_t type;
	uint32_t number; /* of this MESSAGE_ASK */
	uint32_t quota;  /* enum quota */
	int32_t level;   /* enum log_level */
	uint32_t code;   /* enum code */
	int32_t http_status;
	uint32_t exit;   /* enum exit_status */
	uint32_t effect; /* enum effect */
	uint32_t attempt;
	uint32_t timed;
	uint32_t has_usage;
	int64_t duration_ms;
	int64_t wait_ms; /* until a retry, or as a 429 asked for */
	struct conn_usage usage;
	char project[128];
	char operation[32];
	char text[STATUS_MESSAGE_MAX];
	char hint[STATUS_HINT_MAX];
	char resource[VERSION_NAME_SIZE];
};

/* To the spawner, and of it. */
struct order {
	uint32_t type;
	uint32_t worker;
	int32_t how;
};

/*
 * Whether `size` bytes that came of a worker are a message: of its size, with
 * values that there are, its texts ended. Makes the texts printable.
 */
MUST_CHECK bool message_check(struct message *message, ssize_t size);

/* A line of the log as a message, and back; `st` and texts are views of it. */
void message_put_line(struct message *message, const struct log_line *line);
struct log_line message_line(const struct message *message, struct status *st);

/* An outcome as a message, and back; `reason` is left out. */
void message_put_outcome(struct message *message, const struct outcome *outcome,
			 const char *operation);
void message_outcome(const struct message *message, struct outcome *outcome);

/* A task as a message, and back into a `task` that was just wiped. */
void message_put_task(struct task_message *message, const struct task *task,
		      int64_t time_ms);
void message_task(const struct task_message *message, struct task *task);

#endif
