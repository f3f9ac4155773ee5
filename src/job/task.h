/*
 * Floor 4, job. What there is to do.
 */
#ifndef JOB_TASK_H
#define JOB_TASK_H

#include "base/bounds.h"
#include "base/buf.h"

/* Secret Manager: [A-Za-z0-9_-]{1,255}. */
#define SECRET_NAME_SIZE 256
/* A label value: at most 63 characters. */
#define CLUSTER_ID_MAX 63
/* Project IDs have up to 30; domain-scoped ones have a domain in front. */
#define PROJECT_ID_MAX 100
/* Of a SHA-256. */
#define TASK_DIGEST_SIZE 32
/* A version's number, in decimal digits. */
#define VERSION_NUMBER_SIZE 24

/* Caller-owned; holds a secret: end with task_wipe(). Texts stay. */
struct task {
	const char *project;
	const char *cluster_id; /* NULL where none is needed */
	char secret[SECRET_NAME_SIZE];
	struct str payload; /* what is stored, a part of `input` or shared */
	struct buf input;   /* as it was read */
	/* Of a task of a list (job/fleet.h); else zero. */
	size_t line;                             /* its number, from 1 */
	size_t bytes;                            /* of that line */
	uint64_t hash;                           /* of the secret's full name */
	char project_memory[PROJECT_ID_MAX + 1]; /* what `project` points at */
	char cluster_memory[CLUSTER_ID_MAX + 1];
	char version[VERSION_NUMBER_SIZE]; /* to go back to, or "" */
	char labels[LABELS_TEXT_MAX]; /* "KEY=VALUE,..." of its own, or "" */
	char path[TASK_PATH_MAX];     /* of the file of its own, or "" */
	unsigned char digest[TASK_DIGEST_SIZE]; /* SHA-256 of `payload` */
	char input_memory[PULL_SECRET_MAX + PULL_SECRET_SLACK];
};

/* Gives an all-zero `task` its memory. */
void task_init(struct task *task);

/* Wipes it; also a struct that is all zero. */
void task_wipe(struct task *task);

#endif
