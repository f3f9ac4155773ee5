#include "net/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
conn_init(struct conn *c, const struct url *url, const struct trust *trust,
	  const struct resolver_config *resolver,
	  const struct conn_limits *limits)
{
	c->state = CONN_CLOSED;
	c->url = url;
	c->trust = trust;
	c->resolver = resolver;
	c->limits = limits;
	c->proxy = NULL;
	c->beside = NULL;
	c->fd = -1;
	c->dial.fd = -1;
	c->dial.resolving = false;
	c->opened = 0;
	c->exchanges = 0;
	status_clear(&c->failure);
	buf_init(&c->head, c->head_memory, sizeof(c->head_memory));
}

void
conn_use_proxy(struct conn *c, const struct proxy *proxy)
{
	c->proxy = proxy_applies(proxy, c->url) ? proxy : NULL;
}

static bool
opening(const struct conn *c)
{
	return c->state == CONN_DIALING || c->state == CONN_GREETING ||
	       c->state == CONN_TUNNELLING || c->state == CONN_HANDSHAKING;
}

static void
start_opening(struct conn *c)
{
	const struct url *to = c->proxy != NULL ? &c->proxy->url : c->url;

	dial_start(&c->dial, c->resolver, to->host, to->port, &c->limits->dial);
	c->state = CONN_DIALING;
	c->reached = CONN_DIALING;
	c->resolved = false;
	c->exchanges = 0;
}

/* The TLS connection to the proxy, or NULL. */
static struct tls *
proxy_tls(struct conn *c)
{
	return c->proxy != NULL && c->proxy->url.tls ? &c->proxy_tls : NULL;
}

/* What comes next once all before it stands; each has its time. */
static enum code
start_next(struct conn *c, enum conn_state next, struct status *st)
{
	c->state = next;
	c->phase = deadline_in(c->limits->handshake_ms);
	switch (next) {
	case CONN_GREETING:
		return tls_start(&c->proxy_tls, c->proxy->url.host, c->trust,
				 NULL, st);
	case CONN_TUNNELLING:
		return tunnel_start(&c->tunnel, c->proxy, c->url, st);
	case CONN_HANDSHAKING:
		return tls_start(&c->tls, c->url->host, c->trust, proxy_tls(c),
				 st);
	case CONN_CLOSED:
	case CONN_DIALING:
	case CONN_READY:
	case CONN_FAILED:
		break;
	}
	return CODE_OK;
}

/* The step after TCP, and after each of the others. */
static enum conn_state
after(const struct conn *c)
{
	switch (c->state) {
	case CONN_DIALING:
		if (c->proxy != NULL)
			return c->proxy->url.tls ? CONN_GREETING
						 : CONN_TUNNELLING;
		return c->url->tls ? CONN_HANDSHAKING : CONN_READY;
	case CONN_GREETING:
		return CONN_TUNNELLING;
	case CONN_TUNNELLING:
		return CONN_HANDSHAKING;
	case CONN_CLOSED:
	case CONN_HANDSHAKING:
	case CONN_READY:
	case CONN_FAILED:
		break;
	}
	return CONN_READY;
}

/* One step of the phase under way; `*done` if it has ended well. */
static enum code
step_phase(struct conn *c, bool *done, struct status *st)
{
	struct tls *tls = c->state == CONN_GREETING ? &c->proxy_tls : &c->tls;

	*done = false;
	if (c->state == CONN_DIALING) {
		if (dial_step(&c->dial, st) != CODE_OK)
			return st->code;
		c->fd = dial_take(&c->dial);
		*done = c->fd >= 0;
		c->opened += *done ? 1 : 0;
		return CODE_OK;
	}
	if (c->state == CONN_TUNNELLING) {
		(void)tunnel_step(&c->tunnel, c->fd, proxy_tls(c), st);
		*done = tunnel_ready(&c->tunnel);
		return st->code;
	}
	(void)tls_step(tls, c->fd, st);
	*done = tls_ready(tls);
	return st->code;
}

static enum code
phase_is_late(const struct conn *c, struct status *st)
{
	long long seconds = (long long)(c->limits->handshake_ms / 1000);

	if (c->state == CONN_TUNNELLING)
		return status_set(
			st, CODE_UNAVAILABLE,
			"proxy %s: no answer to CONNECT within %lld s",
			c->proxy->url.authority, seconds);
	status_hint(st, "the port is open but nobody speaks TLS there in time: "
			"check the host, the port and what is in between");
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: no TLS handshake within %lld s",
			  c->state == CONN_GREETING ? c->proxy->url.host
						    : c->url->host,
			  seconds);
}

/* Opens as far as it goes without waiting. */
static enum code
step_opening(struct conn *c, struct status *st)
{
	bool done = true;

	while (opening(c) && done) {
		if (step_phase(c, &done, st) == CODE_OK && done)
			(void)start_next(c, after(c), st);
		c->reached = c->state;
		c->resolved = !c->dial.resolving;
		if (st->code != CODE_OK) {
			if (c->proxy != NULL && c->state == CONN_DIALING)
				status_prefix(st, "proxy");
			return st->code;
		}
	}
	if (opening(c) && c->state != CONN_DIALING &&
	    deadline_left(c->phase) == 0)
		return phase_is_late(c, st);
	return CODE_OK;
}

static struct pollfd
opening_pollfd(struct conn *c)
{
	if (c->state == CONN_DIALING)
		return dial_pollfd(&c->dial);
	if (c->state == CONN_TUNNELLING)
		return (struct pollfd){ .fd = c->fd,
					.events = tunnel_events(&c->tunnel,
								proxy_tls(c)) };
	return (struct pollfd){ .fd = c->fd,
				.events = tls_events(c->state == CONN_GREETING
							     ? &c->proxy_tls
							     : &c->tls) };
}

static struct deadline
opening_deadline(const struct conn *c)
{
	return c->state == CONN_DIALING ? dial_deadline(&c->dial) : c->phase;
}

/* The connection in the shadow: its failure is kept until it is used. */
static void
step_beside(struct conn *c)
{
	if (!opening(c))
		return;
	if (step_opening(c, &c->failure) != CODE_OK) {
		conn_close(c);
		c->state = CONN_FAILED;
	}
}

/* Waits for `own` or for what is being opened beside, at most `until`. */
static enum code
wait_beside(struct conn *c, struct pollfd own, struct deadline until,
	    struct status *st)
{
	struct pollfd fds[2] = { own };
	size_t count = 1;

	if (c->beside != NULL && opening(c->beside)) {
		fds[count++] = opening_pollfd(c->beside);
		until = deadline_first(until, opening_deadline(c->beside));
	}
	if (wait_ready(fds, count, until, st) != CODE_OK)
		return st->code;
	if (c->beside != NULL)
		step_beside(c->beside);
	return CODE_OK;
}

void
conn_open_beside(struct conn *c, struct conn *while_waiting)
{
	while_waiting->beside = c;
	if (c->state == CONN_CLOSED)
		start_opening(c);
	step_beside(c);
}

static enum code
out_of_time(const struct conn *c, struct status *st)
{
	return status_set(st, CODE_DEADLINE_EXCEEDED,
			  "%s: the time for the whole run is over",
			  c->url->host);
}

enum code
conn_open(struct conn *c, struct deadline until, struct status *st)
{
	if (c->state == CONN_FAILED) {
		*st = c->failure;
		status_clear(&c->failure);
		c->state = CONN_CLOSED;
		return st->code;
	}
	if (c->state == CONN_CLOSED)
		start_opening(c);
	while (step_opening(c, st) == CODE_OK && opening(c)) {
		if (deadline_left(until) == 0)
			(void)out_of_time(c, st);
		else
			(void)wait_beside(c, opening_pollfd(c),
					  deadline_first(until,
							 opening_deadline(c)),
					  st);
		if (st->code != CODE_OK)
			break;
	}
	if (st->code != CODE_OK)
		conn_close(c);
	return st->code;
}

/* What of head and body has not been taken yet, `sent` bytes being gone. */
static struct str
rest_to_send(const struct conn *c, struct str body)
{
	if (c->sent < c->head.len)
		return str_skip(buf_view(&c->head), c->sent);
	return str_skip(body, c->sent - c->head.len);
}

static bool
all_sent(const struct conn *c, struct str body)
{
	return c->sent == c->head.len + body.len &&
	       (!c->url->tls || tls_flushed(&c->tls));
}

/* Hands over as much of the request as fits now. */
static enum code
send_some(struct conn *c, struct str body, struct status *st)
{
	struct str rest;

	while ((rest = rest_to_send(c, body)).len > 0) {
		ssize_t put;

		if (c->url->tls) {
			size_t taken = tls_send(&c->tls, rest.ptr, rest.len);

			if (tls_step(&c->tls, c->fd, st) != CODE_OK)
				return st->code;
			c->sent += taken;
			if (taken == 0)
				return CODE_OK;
			continue;
		}
		put = send(c->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
		if (put > 0)
			c->sent += (size_t)put;
		else if (errno == EAGAIN)
			return CODE_OK;
		else if (errno != EINTR)
			/* A reply may have come before the peer closed. */
			return errno == EPIPE || errno == ECONNRESET
				       ? CODE_OK
				       : status_set(st, CODE_UNAVAILABLE,
						    "%s: cannot send: %s",
						    c->url->host,
						    strerror(errno));
	}
	return c->url->tls ? tls_step(&c->tls, c->fd, st) : CODE_OK;
}

/* Takes what has arrived; 0 and `*ended` as for tls_recv(). */
static size_t
receive(struct conn *c, bool *ended, bool *clean, struct status *st)
{
	ssize_t got;

	*ended = false;
	if (c->url->tls) {
		if (tls_step(&c->tls, c->fd, st) != CODE_OK)
			return 0;
		return tls_recv(&c->tls, c->input, sizeof(c->input), ended,
				clean);
	}
	do
		got = recv(c->fd, c->input, sizeof(c->input), 0);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		return (size_t)got;
	if (got == 0) {
		*ended = true;
		*clean = true;
	} else if (errno != EAGAIN) {
		(void)status_set(st, CODE_UNAVAILABLE,
				 "%s: the connection broke: %s", c->url->host,
				 strerror(errno));
	}
	return 0;
}

static enum code
receive_some(struct conn *c, struct http_response *response, struct status *st)
{
	bool ended, clean = false;
	size_t got;

	do {
		got = receive(c, &ended, &clean, st);
		if (http_feed(response, c->input, got, st) != CODE_OK)
			return st->code;
	} while (got > 0 && !response->body_dropped);
	if (response->state == HTTP_COMPLETE) {
		/* How the connection ends after a whole reply does not matter. */
		if (ended || st->code != CODE_OK)
			response->keep_alive = false;
		status_clear(st);
	} else if (ended && st->code == CODE_OK) {
		(void)http_feed_end(response, clean, st);
		response->keep_alive = false;
	}
	return st->code;
}

static bool
reply_started(const struct http_response *response)
{
	return response->head->len > 0 || response->state != HTTP_HEAD;
}

/* Waits for the socket; the limits of first byte and exchange end it. */
static enum code
wait_for_peer(struct conn *c, const struct http_response *response,
	      struct str body, struct deadline first_byte,
	      struct deadline exchange, struct deadline until,
	      struct status *st)
{
	bool started = reply_started(response);
	struct deadline limit =
		started ? exchange : deadline_first(first_byte, exchange);
	struct pollfd own = { .fd = c->fd, .events = POLLIN };

	if (deadline_left(until) == 0)
		return out_of_time(c, st);
	if (deadline_left(limit) == 0)
		return status_set(
			st, CODE_DEADLINE_EXCEEDED, "%s: %s within %lld s",
			c->url->host,
			started ? "the reply was not complete" : "no reply",
			(long long)((started ? c->limits->exchange_ms
					     : c->limits->first_byte_ms) /
				    1000));
	if (c->url->tls)
		own.events = tls_events(&c->tls);
	else if (!all_sent(c, body))
		own.events = POLLIN | POLLOUT;
	return wait_beside(c, own, deadline_first(limit, until), st);
}

static enum code
run_exchange(struct conn *c, const struct http_request *request,
	     struct http_response *response, struct deadline until,
	     struct status *st)
{
	struct deadline exchange = deadline_in(c->limits->exchange_ms);
	struct deadline first_byte = deadline_in(c->limits->first_byte_ms);
	bool waiting = false;

	while (response->state != HTTP_COMPLETE) {
		if (send_some(c, request->body, st) != CODE_OK)
			return st->code;
		/* The clock for the first byte starts when all has left. */
		if (!waiting && all_sent(c, request->body)) {
			waiting = true;
			first_byte = deadline_in(c->limits->first_byte_ms);
		}
		if (receive_some(c, response, st) != CODE_OK)
			return st->code;
		if (response->state == HTTP_COMPLETE)
			break;
		if (wait_for_peer(c, response, request->body,
				  waiting ? first_byte : exchange, exchange,
				  until, st) != CODE_OK)
			return st->code;
	}
	if (!all_sent(c, request->body))
		response->keep_alive = false;
	return CODE_OK;
}

/*
 * Whether an idle connection still stands. A peer that closed it, or sent
 * something unasked, shows here, before a request is lost on it.
 */
static bool
still_idle(struct conn *c)
{
	struct status ignored = { .code = CODE_OK };
	bool ended, clean;

	return receive(c, &ended, &clean, &ignored) == 0 && !ended &&
	       ignored.code == CODE_OK;
}

enum code
conn_exchange(struct conn *c, const struct http_request *request,
	      struct http_response *response, struct deadline until,
	      struct status *st)
{
	buf_reset(&c->head);
	c->sent = 0;
	if (!http_write_head(request, &c->head)) {
		buf_wipe(&c->head);
		st->permanent = true;
		return status_set(st, CODE_INTERNAL,
				  "%s: the request does not fit into HTTP",
				  c->url->host);
	}
	if (c->state == CONN_READY && !still_idle(c))
		conn_close(c);
	if (conn_open(c, until, st) == CODE_OK &&
	    run_exchange(c, request, response, until, st) != CODE_OK)
		st->ambiguous = c->sent > 0;
	c->exchanges++;
	if (st->code != CODE_OK || !response->keep_alive)
		conn_close(c);
	buf_wipe(&c->head);
	wipe(c->input, sizeof(c->input));
	return st->code;
}

void
conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSED || c->state == CONN_FAILED)
		return;
	dial_close(&c->dial);
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	tls_wipe(&c->tls);
	tls_wipe(&c->proxy_tls);
	wipe(c->tunnel.request_memory, sizeof(c->tunnel.request_memory));
	c->state = CONN_CLOSED;
}
