#include "net/conn_open.h"

bool
conn_is_opening(const struct conn *c)
{
	return c->state == CONN_DIALING || c->state == CONN_PROXY_TLS ||
	       c->state == CONN_TUNNELLING || c->state == CONN_HANDSHAKING;
}

const struct url *
conn_next_hop(const struct conn *c)
{
	if (c->connect_to != NULL)
		return c->connect_to;
	return c->proxy != NULL ? &c->proxy->url : c->url;
}

void
conn_start_opening(struct conn *c)
{
	const struct url *to = conn_next_hop(c);

	dial_start(&c->dial, &c->network->resolver, to->host, to->port,
		   &c->limits->dial);
	/* Short names are in use for proxies and private endpoints. */
	if (to != c->url && !to->absolute)
		dial_search(&c->dial);
	/* Plain text must not leave the machine. */
	if (!c->url->tls && url_is_loopback(c->url))
		dial_only_loopback(&c->dial);
	c->state = CONN_DIALING;
	c->last_phase = CONN_DIALING;
	c->resolved = false;
	c->exchanges = 0;
	c->usage = (struct conn_usage){ -1, -1, -1, -1, 0, 0, 0 };
	(void)conn_lap(c);
}

int64_t
conn_lap(struct conn *c)
{
	int64_t before = c->lap_ms;

	c->lap_ms = clock_ms();
	return c->lap_ms - before;
}

/* A TLS session over the innermost stream. */
static enum code
start_tls(struct conn *c, struct tls *tls, const char *host, struct status *st)
{
	struct stream *below = c->stream;

	c->stream = &tls->stream;
	return tls_start(tls, host, c->trust, below, st);
}

/* Starts the next phase, which has its own time limit. */
static enum code
start_next(struct conn *c, enum conn_state next, struct status *st)
{
	c->state = next;
	c->phase = deadline_in(c->limits->handshake_ms);
	switch (next) {
	case CONN_PROXY_TLS:
		return start_tls(c, &c->proxy_tls, c->proxy->url.host, st);
	case CONN_TUNNELLING:
		return tunnel_start(&c->tunnel, c->proxy, c->url, st);
	case CONN_HANDSHAKING:
		return start_tls(c, &c->tls, c->url->host, st);
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
			return c->proxy->url.tls ? CONN_PROXY_TLS
						 : CONN_TUNNELLING;
		return c->url->tls ? CONN_HANDSHAKING : CONN_READY;
	case CONN_PROXY_TLS:
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

/* One step of the current phase; `*done` if it has succeeded. */
static enum code
step_phase(struct conn *c, bool *done, struct status *st)
{
	struct tls *tls = c->state == CONN_PROXY_TLS ? &c->proxy_tls : &c->tls;

	*done = false;
	if (c->state == CONN_DIALING) {
		if (dial_step(&c->dial, st) != CODE_OK)
			return st->code;
		c->fd = dial_release_fd(&c->dial);
		if (c->fd < 0)
			return CODE_OK;
		socket_stream_init(&c->socket, c->fd, c->url->host);
		c->stream = &c->socket.stream;
		c->opened++;
		*done = true;
		return CODE_OK;
	}
	if (c->state == CONN_TUNNELLING) {
		(void)tunnel_step(&c->tunnel, c->stream, st);
		*done = tunnel_ready(&c->tunnel);
		return st->code;
	}
	(void)tls_step(tls, st);
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
			  c->state == CONN_PROXY_TLS ? c->proxy->url.host
						     : c->url->host,
			  seconds);
}

/* Before the next phase starts, if this one is `done`. */
static void
note_times(struct conn *c, bool done)
{
	if (!c->resolved && !c->dial.resolving) {
		c->resolved = true;
		c->usage.dns_ms = conn_lap(c);
	}
	if (done && c->state == CONN_DIALING)
		c->usage.connect_ms = conn_lap(c);
	else if (done && c->state == CONN_TUNNELLING)
		c->usage.proxy_ms = clock_ms() - c->lap_ms;
	else if (done && c->state == CONN_HANDSHAKING)
		c->usage.tls_ms = conn_lap(c);
}

enum code
conn_step_opening(struct conn *c, struct status *st)
{
	bool done = true;

	while (conn_is_opening(c) && done) {
		(void)step_phase(c, &done, st);
		note_times(c, done);
		if (st->code == CODE_OK && done)
			(void)start_next(c, after(c), st);
		c->last_phase = c->state;
		if (st->code != CODE_OK) {
			if (c->proxy != NULL && c->state == CONN_DIALING)
				status_prefix(st, "proxy");
			return st->code;
		}
	}
	if (conn_is_opening(c) && c->state != CONN_DIALING &&
	    deadline_left(c->phase) == 0)
		return phase_is_late(c, st);
	return CODE_OK;
}

void
conn_opening_wait(struct conn *c, struct wait_list *list)
{
	if (c->state == CONN_DIALING) {
		dial_wait(&c->dial, list);
		return;
	}
	wait_by(list, c->phase);
	wait_add(list, c->fd, c->stream->events(c->stream));
}
