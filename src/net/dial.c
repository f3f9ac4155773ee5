#include "net/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
dial_start(struct dial *d, const struct resolver_config *config,
	   const char *host, uint16_t port, const struct dial_limits *limits)
{
	resolve_start(&d->resolver, config, host, port);
	d->limits = *limits;
	d->resolving = true;
	d->loopback_only = false;
	d->next = 0;
	d->fd = -1;
	d->connected = false;
	d->resolve_by = deadline_in(limits->resolve_ms);
	buf_init(&d->tried, d->tried_memory, sizeof(d->tried_memory));
}

void
dial_keep_to_loopback(struct dial *d)
{
	d->loopback_only = true;
}

/* Drops all other addresses. */
static enum code
keep_loopback(struct dial *d, struct status *st)
{
	struct addresses *all = &d->addresses;
	char text[ADDRESS_TEXT_SIZE] = "no address";
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++)
		if (address_is_loopback(&all->address[i]))
			all->address[kept++] = all->address[i];
	if (kept == 0 && all->count > 0)
		address_text(&all->address[0], text);
	all->count = kept;
	if (kept > 0)
		return CODE_OK;
	status_hint(st, "use https");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s leads to %s: plain http is sent to the loopback "
			  "only",
			  d->resolver.host, text);
}

/* Notes what became of the address that was tried last. */
static void
note_failure(struct dial *d, const char *what)
{
	char text[ADDRESS_TEXT_SIZE];

	address_text(&d->addresses.address[d->next - 1], text);
	if (d->tried.len > 0)
		buf_put_cstr(&d->tried, "; ");
	buf_put_cstr(&d->tried, text);
	buf_put_cstr(&d->tried, ": ");
	buf_put_cstr(&d->tried, what);
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

/* Starts a connection; true unless that failed at once. */
static bool
try_address(struct dial *d, const struct address *address)
{
	const int one = 1;

	d->fd = socket(address->sockaddr.any.sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0)
		return false;
	/* A request is written in one go; waiting for more only delays it. */
	(void)setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(d->fd, &address->sockaddr.any, address->length) == 0 ||
	       errno == EINPROGRESS || errno == EINTR;
}

static enum code
try_next(struct dial *d, struct status *st)
{
	while (d->next < d->addresses.count &&
	       deadline_left(d->connect_by) > 0) {
		const struct address *address =
			&d->addresses.address[d->next++];

		if (try_address(d, address)) {
			d->address_by =
				deadline_first(deadline_in(
						       d->limits.address_ms),
					       d->connect_by);
			return CODE_OK;
		}
		note_failure(d, strerror(errno));
	}
	status_hint(st, "check that the address is reachable from here: "
			"routes, firewall, NetworkPolicy egress");
	return status_set(st, CODE_UNAVAILABLE, "cannot connect to %s (%.*s)",
			  d->resolver.host, (int)d->tried.len, d->tried.ptr);
}

static enum code
resolve_more(struct dial *d, struct status *st)
{
	if (resolve_step(&d->resolver, st) != CODE_OK)
		return st->code;
	if (!resolve_done(&d->resolver)) {
		if (deadline_left(d->resolve_by) > 0)
			return CODE_OK;
		status_hint(st, "check /etc/resolv.conf, the cluster's DNS "
				"and NetworkPolicy egress to port 53");
		return status_set(st, CODE_UNAVAILABLE,
				  "cannot resolve %s: no answer within %lld s",
				  d->resolver.host,
				  (long long)(d->limits.resolve_ms / 1000));
	}
	resolve_addresses(&d->resolver, &d->addresses);
	resolve_close(&d->resolver);
	d->resolving = false;
	if (d->loopback_only && keep_loopback(d, st) != CODE_OK)
		return st->code;
	d->connect_by = deadline_in(d->limits.connect_ms);
	return try_next(d, st);
}

enum code
dial_step(struct dial *d, struct status *st)
{
	struct address peer = { .length = sizeof(peer.sockaddr) };
	int error = 0;
	socklen_t size = sizeof(error);

	if (d->resolving)
		return resolve_more(d, st);
	if (d->connected || d->fd < 0)
		return CODE_OK;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error == 0 &&
	    getpeername(d->fd, &peer.sockaddr.any, &peer.length) == 0) {
		d->connected = true;
		return CODE_OK;
	}
	if (error == 0 && deadline_left(d->address_by) > 0)
		return CODE_OK;
	note_failure(d, error != 0 ? strerror(error) : "no answer in time");
	return try_next(d, st);
}

int
dial_take(struct dial *d)
{
	int fd = d->connected ? d->fd : -1;

	if (fd >= 0) {
		d->fd = -1;
		d->connected = false;
	}
	return fd;
}

struct pollfd
dial_pollfd(const struct dial *d)
{
	if (d->resolving)
		return resolve_pollfd(&d->resolver);
	return (struct pollfd){ .fd = d->fd, .events = POLLOUT };
}

struct deadline
dial_deadline(const struct dial *d)
{
	if (d->resolving)
		return deadline_first(d->resolve_by,
				      resolve_deadline(&d->resolver));
	return d->address_by;
}

void
dial_close(struct dial *d)
{
	if (d->resolving)
		resolve_close(&d->resolver);
	d->resolving = false;
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}
