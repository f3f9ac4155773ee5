#include "net/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between the starts of two attempts (RFC 8305 section 8). */
#define ATTEMPT_DELAY_MS 250

void
dial_start(struct dial *d, const struct resolver_config *config,
	   const char *host, uint16_t port, const struct dial_limits *limits)
{
	resolve_start(&d->resolver, config, host, port);
	d->limits = *limits;
	d->resolving = true;
	d->loopback_only = false;
	d->fd = -1;
	d->attempts = 0;
	d->resolve_by = deadline_in(limits->resolve_ms);
	buf_init(&d->tried, d->tried_memory, sizeof(d->tried_memory));
}

void
dial_only_loopback(struct dial *d)
{
	d->loopback_only = true;
}

void
dial_search(struct dial *d)
{
	resolve_search(&d->resolver);
}

/* Drops all other addresses. */
static enum code
filter_loopback(struct dial *d, struct status *st)
{
	struct addresses *all = &d->addresses;
	char text[ADDRESS_TEXT_SIZE] = "no address";
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		if (address_is_loopback(&all->address[i]))
			all->address[count++] = all->address[i];
	if (count == 0 && all->count > 0)
		address_text(&all->address[0], text);
	all->count = count;
	if (count > 0)
		return CODE_OK;
	status_hint(st, "use https");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s leads to %s: plain http is sent to the loopback "
			  "only",
			  d->resolver.host, text);
}

/* Ends an attempt and records its result; the next one is due. */
static void
give_up(struct dial *d, size_t i, const char *why)
{
	struct dial_attempt *attempt = &d->attempt[i];
	char text[ADDRESS_TEXT_SIZE];

	address_text(&d->addresses.address[i], text);
	if (d->tried.len > 0)
		buf_put_cstr(&d->tried, "; ");
	buf_put_cstr(&d->tried, text);
	buf_put_cstr(&d->tried, ": ");
	buf_put_cstr(&d->tried, why);
	if (attempt->fd >= 0)
		(void)close(attempt->fd);
	attempt->fd = -1;
	d->next_at = deadline_in(0);
}

/* Starts a connection; false if that failed at once. */
static bool
start_connecting(struct dial_attempt *attempt, const struct address *address)
{
	const int one = 1;

	attempt->fd = socket(address->sockaddr.any.sa_family,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0)
		return false;
	/* A request is written in one go; waiting for more only delays it. */
	(void)setsockopt(attempt->fd, IPPROTO_TCP, TCP_NODELAY, &one,
			 sizeof(one));
	return connect(attempt->fd, &address->sockaddr.any, address->length) ==
		       0 ||
	       errno == EINPROGRESS || errno == EINTR;
}

/* Starts the attempts that are due. */
static void
start_attempts(struct dial *d)
{
	while (d->attempts < d->addresses.count &&
	       deadline_left(d->next_at) == 0) {
		size_t i = d->attempts++;

		d->attempt[i].until = deadline_in(d->limits.connect_ms);
		d->next_at = deadline_in(ATTEMPT_DELAY_MS);
		if (!start_connecting(&d->attempt[i], &d->addresses.address[i]))
			give_up(d, i, strerror(errno));
	}
}

/* Whether an attempt is connected; gives up one that failed. */
static bool
is_connected(struct dial *d, size_t i)
{
	const struct dial_attempt *attempt = &d->attempt[i];
	struct address peer = { .length = sizeof(peer.sockaddr) };
	int error = 0;
	socklen_t size = sizeof(error);

	if (attempt->fd < 0)
		return false;
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0)
		give_up(d, i, strerror(error));
	else if (getpeername(attempt->fd, &peer.sockaddr.any, &peer.length) ==
		 0)
		return true;
	else if (deadline_left(attempt->until) == 0)
		give_up(d, i, "no answer in time");
	return false;
}

static void
close_attempts(struct dial *d)
{
	for (size_t i = 0; i < d->attempts; i++)
		if (d->attempt[i].fd >= 0)
			(void)close(d->attempt[i].fd);
	d->attempts = 0;
}

static bool
any_is_under_way(const struct dial *d)
{
	for (size_t i = 0; i < d->attempts; i++)
		if (d->attempt[i].fd >= 0)
			return true;
	return false;
}

static enum code
race(struct dial *d, struct status *st)
{
	for (size_t i = 0; i < d->attempts; i++)
		if (is_connected(d, i)) {
			d->winner = i;
			d->fd = d->attempt[i].fd;
			d->attempt[i].fd = -1;
			close_attempts(d);
			return CODE_OK;
		}
	start_attempts(d);
	if (any_is_under_way(d))
		return CODE_OK;
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
	if (d->loopback_only && filter_loopback(d, st) != CODE_OK)
		return st->code;
	d->next_at = deadline_in(0);
	return race(d, st);
}

enum code
dial_step(struct dial *d, struct status *st)
{
	if (d->resolving)
		return resolve_more(d, st);
	return d->fd >= 0 ? CODE_OK : race(d, st);
}

int
dial_release_fd(struct dial *d)
{
	int fd = d->fd;

	d->fd = -1;
	return fd;
}

void
dial_wait(const struct dial *d, struct wait_list *list)
{
	if (d->resolving) {
		wait_by(list, d->resolve_by);
		resolve_wait(&d->resolver, list);
		return;
	}
	if (d->attempts < d->addresses.count)
		wait_by(list, d->next_at);
	for (size_t i = 0; i < d->attempts; i++)
		if (d->attempt[i].fd >= 0) {
			wait_add(list, d->attempt[i].fd, POLLOUT);
			wait_by(list, d->attempt[i].until);
		}
}

void
dial_close(struct dial *d)
{
	if (d->resolving)
		resolve_close(&d->resolver);
	d->resolving = false;
	close_attempts(d);
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}
