/*
 * Floor 1, process. The one place where the program waits.
 *
 * SIGTERM and SIGINT are blocked except while it waits, so that they end a
 * run between two steps and never inside one.
 */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <poll.h>
#include <sys/types.h>

#include "base/bounds.h"
#include "base/status.h"
#include "sys/clock.h"

/*
 * Blocks SIGTERM and SIGINT and records them from now on, also as process 1,
 * which has no default action for them; ignores SIGPIPE and SIGXFSZ, so that
 * what causes them fails instead.
 */
void wait_init(void);

/* The signal that came in, SIGTERM or SIGINT; 0 if none did. */
int wait_signal(void);

/*
 * The same, and forgets it, so that one can wait again, until another one
 * comes. Signals are blocked meanwhile, so that none is lost.
 */
int wait_take_signal(void);

/*
 * Of a process that was forked: forgets what came before, and from now on only
 * `process` can stop this one by a signal. A terminal or a service manager
 * sends it to all processes of a run, of which one decides.
 */
void wait_only_for(pid_t process);

/* From now on SIGCHLD counts as a signal that came in, too. */
void wait_for_children(void);

/*
 * Waits until one of `count` descriptors is ready, `until` has passed, or a
 * signal comes. CANCELLED for a signal, also one that came before, and also
 * where nothing had to be waited for; else OK, and `revents` tell what
 * happened.
 */
MUST_CHECK enum code wait_ready(struct pollfd *fds, size_t count,
				struct deadline until, struct status *st);

/* What to wait for: descriptors, and a point in time. */
struct wait_list {
	struct deadline until;
	size_t count;
	struct pollfd fds[WAIT_MAX];
};

/* An empty list. */
struct wait_list wait_list(struct deadline until);

/*
 * Adds a descriptor with the events to poll(2) for; 0: there is no need to
 * wait, only to look for signals.
 */
void wait_add(struct wait_list *list, int fd, short events);

/* Waits no longer than `until`. */
void wait_by(struct wait_list *list, struct deadline until);

/* Waits for the first thing in the list. Codes as wait_ready(). */
MUST_CHECK enum code wait_any(struct wait_list *list, struct status *st);

/* Waits until `until` has passed. Codes as wait_ready(). */
MUST_CHECK enum code wait_until(struct deadline until, struct status *st);

/*
 * While it is on, a system call that blocks ends with EINTR ten times a
 * second. For inherited descriptors, which must not be made non-blocking:
 * a terminal that poll(2) calls ready takes less than it is given, and waits.
 */
void wait_interrupt(bool on);

#endif
