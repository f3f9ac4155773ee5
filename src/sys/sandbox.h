/*
 * Floor 1, process. What the process gives up before the network speaks.
 *
 * Two mechanisms of the kernel: Landlock denies files, and seccomp every
 * system call that is not in the table of sandbox.c. Such a call ends the
 * process with an error line (sys/crash.h). Neither can be undone.
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include "base/status.h"

/* What the process is there for: it may make the calls that this takes. */
enum sandbox_role {
	SANDBOX_ALONE = 1,    /* all of a run */
	SANDBOX_LAUNCHER = 2, /* reads a list, writes; no sockets of its own */
	SANDBOX_SPAWNER = 4,  /* forks workers; a worker confines itself more */
	SANDBOX_WORKER = 8    /* speaks with the network; writes no file */
};

/* The files that the process still needs once it is confined. */
struct sandbox_allow {
	int write_folder;   /* files may be made and replaced in it; -1: none */
	int read_folder;    /* files may be read beneath it; -1: none */
	const char *reread; /* a file that is still to be read; NULL: none */
};

/*
 * Confines the process for good; once in its life, before it reads
 * what a peer sent. A worker was forked of a spawner, whose files it has:
 * `allow` is NULL. OK also where the kernel knows no Landlock or no seccomp
 * filters; INTERNAL where it does and refuses.
 */
MUST_CHECK enum code sandbox_enter(enum sandbox_role role,
				   const struct sandbox_allow *allow,
				   struct status *st);

#endif
