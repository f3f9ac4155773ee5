#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static ssize_t
socket_send(struct stream *stream, const void *bytes, size_t len,
	    struct status *st)
{
	struct socket_stream *s = (struct socket_stream *)stream;
	ssize_t put;

	do
		put = send(s->fd, bytes, len, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	s->full = put < (ssize_t)len;
	if (put >= 0) {
		s->sent += (uint64_t)put;
		return put;
	}
	if (errno == EAGAIN)
		return STREAM_WAIT;
	if (errno == EPIPE || errno == ECONNRESET)
		return STREAM_ENDED;
	(void)status_set(st, CODE_UNAVAILABLE, "%s: cannot send: %s", s->host,
			 strerror(errno));
	return STREAM_FAILED;
}

static ssize_t
socket_recv(struct stream *stream, void *bytes, size_t len, struct status *st)
{
	struct socket_stream *s = (struct socket_stream *)stream;
	ssize_t got;

	do
		got = recv(s->fd, bytes, len, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got == 0)
		return STREAM_ENDED;
	if (errno == EAGAIN)
		return STREAM_WAIT;
	(void)status_set(st, CODE_UNAVAILABLE, "%s: the connection broke: %s",
			 s->host, strerror(errno));
	return STREAM_FAILED;
}

static short
socket_events(const struct stream *stream)
{
	const struct socket_stream *s = (const struct socket_stream *)stream;

	return s->full ? POLLIN | POLLOUT : POLLIN;
}

void
socket_stream_init(struct socket_stream *s, int fd, const char *host)
{
	s->stream = (struct stream){ socket_send, socket_recv, socket_events };
	s->fd = fd;
	s->full = false;
	s->sent = 0;
	s->host = host;
}
