/*
 * Floor 2, network. Bytes to and from a peer, whatever carries them: a socket,
 * a TLS session, or a TLS session inside of another one.
 *
 * Nothing here waits. One call moves a bounded number of bytes, however fast
 * the peer sends, so that a caller in a loop can check its deadline and
 * signals in between.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <sys/types.h>

#include "base/status.h"

/* What `send` and `recv` return where no byte moved. */
enum stream_result {
	STREAM_WAIT = 0,    /* none now; see `events` */
	STREAM_ENDED = -1,  /* the peer closed, or reads no more */
	STREAM_CUT = -2,    /* the end came without close_notify; truncated */
	STREAM_FAILED = -3, /* `st` says why */
};

/*
 * The first member of what carries the bytes; that one must stay where it is.
 * `send` and `recv` return the number of bytes that moved, else a
 * stream_result. `send` may return STREAM_ENDED while there is more to receive.
 * UNAVAILABLE is the code of all failures, which name the host.
 */
struct stream {
	ssize_t (*send)(struct stream *stream, const void *bytes, size_t len,
			struct status *st);
	ssize_t (*recv)(struct stream *stream, void *bytes, size_t len,
			struct status *st);
	/*
	 * What to poll(2) the socket for before the next call; 0: call again,
	 * for bytes wait inside.
	 */
	short (*events)(const struct stream *stream);
};

/* Reads in one step of a loop over `recv`. */
#define STREAM_READS_MAX 64

/*
 * A connected, non-blocking socket. Caller-owned; private to stream.c but
 * for what says otherwise.
 */
struct socket_stream {
	struct stream stream;
	int fd;
	bool full;     /* the kernel took less than it was given */
	uint64_t sent; /* readable: bytes that the kernel took */
	const char *host;
};

/* Does not own `fd`; `host`, which must stay, is named in messages. */
void socket_stream_init(struct socket_stream *s, int fd, const char *host);

#endif
