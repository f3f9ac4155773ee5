#include "sys/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum code
channel_pair(int end[static 2], size_t size, struct status *st)
{
	/* The kernel counts twice of it, and its own part of a message. */
	const int room = (int)size;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end) != 0)
		return status_set(st, CODE_UNAVAILABLE, "socketpair: %s",
				  strerror(errno));
	for (int i = 0; i < 2; i++)
		(void)setsockopt(end[i], SOL_SOCKET, SO_SNDBUF, &room,
				 sizeof(room));
	return CODE_OK;
}

bool
channel_send(int fd, const void *head, size_t size, struct str tail)
{
	union {
		const void *from;
		void *base;
	} first = { head }, second = { tail.ptr };
	struct iovec part[2] = { { first.base, size },
				 { second.base, tail.len } };
	const struct msghdr message = { .msg_iov = part, .msg_iovlen = 2 };

	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

ssize_t
channel_receive(int fd, void *head, size_t size, struct buf *tail)
{
	struct iovec part[2] = { { head, size } };
	struct msghdr message = { .msg_iov = part, .msg_iovlen = 1 };
	ssize_t got;

	if (tail != NULL) {
		buf_reset(tail);
		part[1] = (struct iovec){ tail->ptr, tail->size };
		message.msg_iovlen = 2;
	}
	do
		got = recvmsg(fd, &message, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return CHANNEL_EMPTY;
	if (got <= 0 || (message.msg_flags & MSG_TRUNC) != 0)
		return CHANNEL_CLOSED;
	if (tail != NULL && (size_t)got > size)
		tail->len = (size_t)got - size;
	return got;
}
