/*
 * Floor 1, process. The one place where the program waits.
 *
 * SIGTERM and SIGINT are blocked except while it waits, so that they end a
 * run between two steps and never inside one.
 */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <poll.h>

#include "base/status.h"
#include "sys/clock.h"

/*
 * Blocks SIGTERM and SIGINT and notes them from now on, also as process 1,
 * which has no default action for them; ignores SIGPIPE and SIGXFSZ, so that
 * what causes them fails instead.
 */
void wait_init(void);

/* The signal that came in, SIGTERM or SIGINT; 0 if none did. */
int wait_signal(void);

/*
 * Waits until one of `count` descriptors is ready, `until` has passed, or a
 * signal comes. CANCELLED for a signal, also one that came before; else OK,
 * and `revents` tell what happened.
 */
MUST_CHECK enum code wait_ready(struct pollfd *fds, size_t count,
				struct deadline until, struct status *st);

/* Waits until `until` has passed. Codes as wait_ready(). */
MUST_CHECK enum code wait_until(struct deadline until, struct status *st);

#endif
