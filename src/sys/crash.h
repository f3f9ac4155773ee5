/*
 * Floor 1, process. Fatal signals: the last output, and wiping.
 *
 * After a fault of the program itself (SIGSEGV, SIGBUS, SIGABRT, SIGFPE,
 * SIGILL) or a forbidden system call (SIGSYS, see sys/sandbox.h) nothing can
 * be trusted. The handler, on a stack of its own, writes what was prepared,
 * wipes, and dies of the same signal; process 1, whom its own signals do not
 * kill, exits with 128 and the signal.
 */
#ifndef SYS_CRASH_H
#define SYS_CRASH_H

#include "sys/file.h"

/*
 * From now on a fault is reported in one line on standard error, and `secrets`
 * are overwritten.
 */
void crash_init(void *secrets, size_t size);

/*
 * In a process that was just forked: a fault is its own, and no longer writes
 * the outputs of the other one.
 */
void crash_forked(void);

/* From now on a fault also overwrites `memory`; the last one that was given. */
void crash_wipes(void *memory, size_t size);

/*
 * From now on a fault also writes `content` to `target` (NULL: nothing), and
 * the line to the descriptor `termination_log` (-1: none). All of it must stay
 * where it is.
 */
void crash_prepare(struct file_target *target, struct str content,
		   int termination_log);

#endif
