/*
 * Floor 1, process. Messages between processes that were forked of one program:
 * a pair of sockets that keep the bounds of messages (unix(7), SOCK_SEQPACKET).
 *
 * Nothing here waits; sys/wait.h does.
 */
#ifndef SYS_CHANNEL_H
#define SYS_CHANNEL_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"

/*
 * Makes a pair whose ends take a message of `size` bytes at once. UNAVAILABLE
 * if the system has none left.
 */
MUST_CHECK enum code channel_pair(int end[static 2], size_t size,
				  struct status *st);

/*
 * Sends `head`, which is not empty, and `tail` as one message. False if there
 * is no room (errno EAGAIN), or nobody at the other end.
 */
MUST_CHECK bool channel_send(int fd, const void *head, size_t size,
			     struct str tail);

/* What channel_receive() returns instead of a length. */
enum { CHANNEL_EMPTY = -1, CHANNEL_CLOSED = -2 };

/*
 * Takes the next message: its first `size` bytes go to `head`, the rest to
 * `tail`, which is emptied before and may be NULL. Returns its length. One
 * that is empty or too long, as no channel_send() makes it, counts as the end.
 */
MUST_CHECK ssize_t channel_receive(int fd, void *head, size_t size,
				   struct buf *tail);

#endif
