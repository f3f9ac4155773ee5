/*
 * Floor 1, process. Processes that are forked, and their end.
 */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/*
 * Forks: the number of the new process; 0 in it, where a fault is its own from
 * now on (sys/crash.h), and only `master` can stop it (sys/wait.h; 0: nobody).
 * -1 with errno: the system has no room for it.
 */
MUST_CHECK pid_t process_fork(pid_t master);

/* The number of this process. */
pid_t process_number(void);

/* A group of its own, so that ^C of a terminal does not reach it. */
void process_leave_group(void);

/*
 * From now on this process is stopped by SIGTERM when `parent` ends. False if
 * it ended already.
 */
MUST_CHECK bool process_follow(pid_t parent);

/* Sends a signal to a process that process_ended() did not name yet. */
void process_stop(pid_t process, int by);

/*
 * Takes the next process that was forked here and has ended, if there is one:
 * its number, and how, as waitpid(2) says it.
 */
MUST_CHECK bool process_ended(pid_t *process, int *how);

/*
 * Closes every descriptor but standard error and the `count` ones of `keep`,
 * which were opened last. Nothing is read or written by standard input and
 * output any more.
 */
void process_close_others(const int *keep, size_t count);

#endif
