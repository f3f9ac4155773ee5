#include "net/conn.h"

#include <unistd.h>

#include "net/conn_open.h"

void
conn_init(struct conn *c, const struct url *url, const struct network *network,
	  const struct conn_limits *limits)
{
	c->state = CONN_CLOSED;
	c->url = url;
	c->network = network;
	c->trust = &network->trust;
	c->limits = limits;
	c->proxy = proxy_applies(&network->proxy, url) ? &network->proxy : NULL;
	c->connect_to = NULL;
	c->opening_ahead = NULL;
	c->fd = -1;
	c->dial.fd = -1;
	c->dial.resolving = false;
	c->opened = 0;
	c->exchanges = 0;
	status_clear(&c->failure);
	buf_init(&c->head, c->head_memory, sizeof(c->head_memory));
}

void
conn_use_trust(struct conn *c, const struct trust *trust)
{
	c->trust = trust;
}

void
conn_connect_to(struct conn *c, const struct url *to)
{
	c->connect_to = to;
	c->proxy = NULL;
}

/* The connection that is opened ahead: its failure is kept until it is used. */
static void
step_ahead(struct conn *c)
{
	if (!conn_is_opening(c))
		return;
	if (conn_step_opening(c, &c->failure) != CODE_OK) {
		conn_close(c);
		c->state = CONN_FAILED;
	}
}

/* Waits for what is in `own`, or for what is being opened ahead. */
static enum code
wait_for_either(struct conn *c, struct wait_list *own, struct status *st)
{
	if (c->opening_ahead != NULL && conn_is_opening(c->opening_ahead))
		conn_opening_wait(c->opening_ahead, own);
	if (wait_any(own, st) != CODE_OK)
		return st->code;
	if (c->opening_ahead != NULL)
		step_ahead(c->opening_ahead);
	return CODE_OK;
}

void
conn_open_ahead(struct conn *c, struct conn *while_waiting)
{
	while_waiting->opening_ahead = c;
	if (c->state == CONN_CLOSED)
		conn_start_opening(c);
	step_ahead(c);
}

static enum code
out_of_time(const struct conn *c, struct status *st)
{
	status_hint(st, "the warnings before say what took the time; "
			"MAX_WAIT_TIME_SECONDS gives more");
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
		conn_start_opening(c);
	while (conn_step_opening(c, st) == CODE_OK && conn_is_opening(c)) {
		struct wait_list list = wait_list(until);

		conn_opening_wait(c, &list);
		if (deadline_left(until) == 0)
			(void)out_of_time(c, st);
		else
			(void)wait_for_either(c, &list, st);
		if (st->code != CODE_OK)
			break;
	}
	if (st->code != CODE_OK)
		conn_close(c);
	return st->code;
}

/* The rest of head or body after the first `sent` bytes. */
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
	return c->sent == c->head.len + body.len;
}

/* Sends as much of the request as fits now. */
static enum code
send_some(struct conn *c, struct str body, struct status *st)
{
	struct str rest;

	while ((rest = rest_to_send(c, body)).len > 0) {
		ssize_t put;

		if (!c->at_end &&
		    c->sent + rest.len == c->head.len + body.len) {
			c->at_end = true;
			c->before = c->socket.sent;
		}
		put = c->stream->send(c->stream, rest.ptr, rest.len, st);
		/* A reply may have come before the peer closed. */
		if (put <= 0)
			return st->code;
		c->sent += (size_t)put;
	}
	return CODE_OK;
}

static enum code
receive_some(struct conn *c, struct http_response *response, struct status *st)
{
	ssize_t got = STREAM_WAIT;

	for (unsigned reads = 0; reads < STREAM_READS_MAX; reads++) {
		got = c->stream->recv(c->stream, c->input, sizeof(c->input),
				      st);
		if (got <= 0)
			break;
		c->usage.received += got;
		if (http_feed(response, c->input, (size_t)got, st) != CODE_OK)
			return st->code;
		if (response->body_dropped)
			break;
	}
	if (response->state == HTTP_COMPLETE) {
		/*
		 * How the connection ends after a whole reply does not matter.
		 */
		if (got < 0)
			response->keep_alive = false;
		status_clear(st);
	} else if (got == STREAM_ENDED || got == STREAM_CUT) {
		(void)http_feed_end(response, got == STREAM_ENDED, st);
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
	short events = c->stream->events(c->stream);
	bool started = reply_started(response);
	struct deadline limit =
		started ? exchange : deadline_first(first_byte, exchange);
	struct wait_list own = wait_list(deadline_first(limit, until));

	if (deadline_left(until) == 0)
		return out_of_time(c, st);
	if (deadline_left(limit) == 0) {
		status_hint(st, "the server is slow, or something in between "
				"drops what it says: run again later, look at "
				"proxies and firewalls");
		return status_set(
			st, CODE_DEADLINE_EXCEEDED, "%s: %s within %lld s",
			c->url->host,
			started ? "the reply was not complete" : "no reply",
			(long long)((started ? c->limits->exchange_ms
					     : c->limits->first_byte_ms) /
				    1000));
	}
	/* Also for bytes that TLS had no room for. */
	if (events != 0 && rest_to_send(c, body).len > 0)
		events |= POLLOUT;
	wait_add(&own, c->fd, events);
	return wait_for_either(c, &own, st);
}

static enum code
run_exchange(struct conn *c, const struct http_request *request,
	     struct http_response *response, struct deadline until,
	     struct status *st)
{
	struct deadline exchange = deadline_in(c->limits->exchange_ms);
	struct deadline first_byte = deadline_in(c->limits->first_byte_ms);
	bool waiting = false;

	(void)conn_lap(c);
	while (response->state != HTTP_COMPLETE) {
		if (send_some(c, request->body, st) != CODE_OK)
			return st->code;
		/* The clock for the first byte starts when all has left. */
		if (!waiting && all_sent(c, request->body)) {
			waiting = true;
			(void)conn_lap(c);
			first_byte = deadline_in(c->limits->first_byte_ms);
		}
		(void)receive_some(c, response, st);
		if (c->usage.first_byte_ms < 0 && c->usage.received > 0)
			c->usage.first_byte_ms = conn_lap(c);
		if (st->code != CODE_OK)
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
 * Whether an idle connection is still open. One that the peer closed, or sent
 * unasked bytes on, is found here, before a request is lost on it.
 */
static bool
still_idle(struct conn *c)
{
	struct status ignored = { .code = CODE_OK };

	return c->stream->recv(c->stream, c->input, sizeof(c->input),
			       &ignored) == STREAM_WAIT;
}

enum code
conn_exchange(struct conn *c, const struct http_request *request,
	      struct http_response *response, struct deadline until,
	      enum delivery *delivery, struct status *st)
{
	*delivery = NOT_SENT;
	buf_reset(&c->head);
	c->sent = 0;
	c->at_end = false;
	if (!http_write_head(request, &c->head)) {
		buf_wipe(&c->head);
		st->permanent = true;
		return status_set(st, CODE_INTERNAL,
				  "%s: the request does not fit into HTTP",
				  c->url->host);
	}
	if (c->state == CONN_READY && !still_idle(c))
		conn_close(c);
	if (c->state == CONN_READY && c->exchanges > 0)
		c->usage = (struct conn_usage){ -1, -1, -1, -1, 0, 0, 0 };
	if (conn_open(c, until, st) == CODE_OK) {
		if (run_exchange(c, request, response, until, st) == CODE_OK)
			*delivery = ANSWERED;
		/*
		 * What TLS took may have left before the peer broke off; but
		 * nobody acts on a request that lacks its end.
		 */
		else if (c->at_end && c->socket.sent > c->before)
			*delivery = MAYBE_ACTED;
	}
	c->exchanges++;
	c->usage.sent = (int64_t)c->sent;
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
	if (c->proxy != NULL)
		wipe(&c->tunnel, sizeof(c->tunnel));
	c->state = CONN_CLOSED;
}
