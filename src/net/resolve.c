#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dns.h"
#include "sys/entropy.h"

static const enum dns_type TYPES[2] = { DNS_A, DNS_AAAA };

void
address_text(const struct address *address, char out[static ADDRESS_TEXT_SIZE])
{
	char literal[INET6_ADDRSTRLEN] = "?";
	bool v6 = address->sockaddr.any.sa_family == AF_INET6;
	unsigned port = ntohs(v6 ? address->sockaddr.v6.sin6_port
				 : address->sockaddr.v4.sin_port);

	if (v6)
		(void)inet_ntop(AF_INET6, &address->sockaddr.v6.sin6_addr,
				literal, sizeof(literal));
	else
		(void)inet_ntop(AF_INET, &address->sockaddr.v4.sin_addr,
				literal, sizeof(literal));
	(void)snprintf(out, ADDRESS_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u",
		       literal, port);
}

static void
add_address(struct resolver *r, const unsigned char *bytes, enum dns_type type)
{
	struct addresses *found = &r->question[type == DNS_AAAA].found;
	struct address *a = &found->address[found->count];

	if (found->count == ADDRESSES_MAX)
		return;
	found->count++;
	*a = (struct address){ .length = 0 };
	if (type == DNS_A) {
		a->sockaddr.v4.sin_family = AF_INET;
		a->sockaddr.v4.sin_port = htons(r->port);
		memcpy(&a->sockaddr.v4.sin_addr, bytes, 4);
		a->length = sizeof(a->sockaddr.v4);
	} else {
		a->sockaddr.v6.sin6_family = AF_INET6;
		a->sockaddr.v6.sin6_port = htons(r->port);
		memcpy(&a->sockaddr.v6.sin6_addr, bytes, 16);
		a->length = sizeof(a->sockaddr.v6);
	}
}

/* What needs no name server: literals, localhost, /etc/hosts. */
static bool
find_locally(struct resolver *r)
{
	static const unsigned char v4_loopback[4] = { 127, 0, 0, 1 };
	static const unsigned char v6_loopback[16] = { [15] = 1 };
	struct str host = str_from(r->host);
	struct address literal;

	if (address_parse(&literal, host, r->port)) {
		bool v6 = literal.sockaddr.any.sa_family == AF_INET6;

		r->question[v6].found.address[0] = literal;
		r->question[v6].found.count = 1;
		return true;
	}
	if (resolver_config_find(r->config, host, r->port,
				 &r->question[0].found, &r->question[1].found))
		return true;
	if (!str_eq_nocase(host, STR("localhost")) &&
	    !str_ends(host, STR(".localhost")))
		return false;
	add_address(r, v4_loopback, DNS_A);
	add_address(r, v6_loopback, DNS_AAAA);
	return true;
}

void
resolve_start(struct resolver *r, const struct resolver_config *config,
	      const char *host, uint16_t port)
{
	struct str name = str_from(host);

	if (str_ends(name, STR(".")))
		name.len--;
	r->config = config;
	r->port = port;
	r->done = false;
	r->fd = -1;
	r->tcp = false;
	r->tries = 0;
	r->last_error[0] = '\0';
	memset(r->question, 0, sizeof(r->question));
	/* A name that does not fit is no name: the first query will say so. */
	if (!str_copy(name, r->host, sizeof(r->host)))
		r->host[0] = '\0';
	r->done = find_locally(r);
}

static void
note_error(struct resolver *r, const char *what)
{
	(void)snprintf(r->last_error, sizeof(r->last_error), "%s", what);
}

static const struct address *
server(const struct resolver *r)
{
	return &r->config->server[(r->tries - 1) % r->config->server_count];
}

static bool
open_socket(struct resolver *r, int type)
{
	const struct address *to = server(r);

	resolve_close(r);
	r->tcp = type == SOCK_STREAM;
	r->try_by = deadline_in(r->config->timeout_ms);
	r->fd = socket(to->sockaddr.any.sa_family,
		       type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return r->fd >= 0 &&
	       (connect(r->fd, &to->sockaddr.any, to->length) == 0 ||
		errno == EINPROGRESS);
}

/* The query of question `i`, with a new random id (RFC 5452). */
static bool
build_query(struct resolver *r, size_t i, struct buf *out)
{
	return entropy_fill(&r->question[i].id, sizeof(r->question[i].id)) &&
	       dns_query(out, r->question[i].id, str_from(r->host), TYPES[i]);
}

/* Asks the next server over UDP what is not answered yet. */
static bool
ask_over_udp(struct resolver *r)
{
	r->tries++;
	if (!open_socket(r, SOCK_DGRAM))
		return false;
	for (size_t i = 0; i < 2; i++) {
		char memory[DNS_QUERY_MAX];
		struct buf query;

		if (r->question[i].answered)
			continue;
		buf_init(&query, memory, sizeof(memory));
		if (!build_query(r, i, &query) ||
		    send(r->fd, query.ptr, query.len, MSG_NOSIGNAL) < 0)
			return false;
	}
	return true;
}

/* Asks the same server again over TCP for what was cut (RFC 1035 4.2.2). */
static bool
ask_over_tcp(struct resolver *r)
{
	struct buf out;

	if (!open_socket(r, SOCK_STREAM))
		return false;
	buf_init(&out, r->out, sizeof(r->out));
	for (size_t i = 0; i < 2; i++) {
		size_t start = out.len, len;

		if (!r->question[i].truncated)
			continue;
		buf_put(&out, "\0\0", 2);
		if (!build_query(r, i, &out) || out.overflow)
			return false;
		len = out.len - start - 2;
		r->out[start] = (unsigned char)(len >> 8);
		r->out[start + 1] = (unsigned char)(len & 0xff);
	}
	r->out_length = out.len;
	r->out_sent = 0;
	r->in_length = 0;
	return true;
}

/* Takes a message that came; what is no answer to us is passed over. */
static void
take_message(struct resolver *r, struct str message)
{
	for (size_t i = 0; i < 2; i++) {
		struct resolver_question *q = &r->question[i];
		struct dns_answer answer;

		if (q->answered || !dns_read(message, q->id, str_from(r->host),
					     TYPES[i], &answer))
			continue;
		if (answer.rcode != DNS_NOERROR &&
		    answer.rcode != DNS_NXDOMAIN) {
			note_error(r, answer.rcode == DNS_SERVFAIL
					      ? "server failure (SERVFAIL)"
				      : answer.rcode == DNS_REFUSED
					      ? "query refused (REFUSED)"
					      : "an error of the server");
			r->try_by = deadline_in(0);
			return;
		}
		q->truncated = answer.truncated && !r->tcp;
		q->answered = !q->truncated;
		q->rcode = answer.rcode;
		for (size_t a = 0; q->answered && a < answer.count; a++)
			add_address(r, answer.address[a].bytes, TYPES[i]);
		return;
	}
}

/* True as long as this server may still answer. */
static bool
receive_udp(struct resolver *r)
{
	for (;;) {
		ssize_t got = recv(r->fd, r->in, sizeof(r->in), 0);

		if (got >= 0)
			take_message(r, (struct str){ (const char *)r->in,
						      (size_t)got });
		else if (errno == EAGAIN)
			return true;
		else if (errno != EINTR) {
			note_error(r, strerror(errno));
			return false;
		}
	}
}

/* Takes the whole messages at the start of what came over TCP. */
static void
take_framed(struct resolver *r)
{
	size_t length;

	while (r->in_length >= 2) {
		length = (size_t)r->in[0] << 8 | r->in[1];
		if (r->in_length < 2 + length)
			return;
		take_message(r,
			     (struct str){ (const char *)r->in + 2, length });
		r->in_length -= 2 + length;
		memmove(r->in, r->in + 2 + length, r->in_length);
	}
}

static bool
exchange_tcp(struct resolver *r)
{
	ssize_t moved;

	while (r->out_sent < r->out_length) {
		moved = send(r->fd, r->out + r->out_sent,
			     r->out_length - r->out_sent, MSG_NOSIGNAL);
		if (moved > 0)
			r->out_sent += (size_t)moved;
		else if (errno != EINTR)
			break;
	}
	if (r->out_sent < r->out_length) {
		if (errno == EAGAIN || errno == ENOTCONN)
			return true;
		note_error(r, strerror(errno));
		return false;
	}
	for (;;) {
		moved = recv(r->fd, r->in + r->in_length,
			     sizeof(r->in) - r->in_length, 0);
		if (moved > 0) {
			r->in_length += (size_t)moved;
			take_framed(r);
		} else if (moved < 0 && errno == EAGAIN) {
			return true;
		} else if (moved == 0 || errno != EINTR) {
			note_error(r, "the TCP connection broke");
			return false;
		}
	}
}

static bool
wants_tcp(const struct resolver *r)
{
	return !r->tcp &&
	       (r->question[0].truncated || r->question[1].truncated) &&
	       (r->question[0].answered || r->question[0].truncated) &&
	       (r->question[1].answered || r->question[1].truncated);
}

static size_t
found(const struct resolver *r)
{
	return r->question[0].found.count + r->question[1].found.count;
}

static enum code
fail(const struct resolver *r, struct status *st)
{
	const struct resolver_question *q = r->question;
	char text[ADDRESS_TEXT_SIZE];

	if (q[0].answered && q[1].answered) {
		status_hint(st, "check the name, and whether this network's "
				"DNS knows it");
		return status_set(st, CODE_UNAVAILABLE, "cannot resolve %s: %s",
				  r->host,
				  q[0].rcode == DNS_NXDOMAIN
					  ? "no such host (NXDOMAIN)"
					  : "it has no addresses");
	}
	status_hint(st, "check /etc/resolv.conf, the cluster's DNS and "
			"NetworkPolicy egress to port 53");
	address_text(&r->config->server[0], text);
	return status_set(st, CODE_UNAVAILABLE,
			  "cannot resolve %s: %s (%zu name server%s, %s%s)",
			  r->host,
			  r->last_error[0] != '\0' ? r->last_error
						   : "no answer",
			  r->config->server_count,
			  r->config->server_count == 1 ? "" : "s",
			  r->config->server_count == 1 ? "" : "first ", text);
}

/* Goes to the next server, or ends: with what was found, or with an error. */
static enum code
next_server(struct resolver *r, struct status *st)
{
	size_t tries = r->config->server_count * r->config->attempts;

	resolve_close(r);
	if (found(r) > 0) {
		r->done = true;
		return CODE_OK;
	}
	r->question[0].truncated = false;
	r->question[1].truncated = false;
	while (r->tries < tries) {
		if (ask_over_udp(r))
			return CODE_OK;
		note_error(r, strerror(errno));
	}
	resolve_close(r);
	return fail(r, st);
}

/* The first question is asked only if it can be asked at all. */
static enum code
ask_first(struct resolver *r, struct status *st)
{
	char memory[DNS_QUERY_MAX];
	struct buf query;

	buf_init(&query, memory, sizeof(memory));
	if (!dns_query(&query, 0, str_from(r->host), DNS_A))
		return status_set(st, CODE_UNAVAILABLE,
				  "cannot resolve %s: no host name", r->host);
	return next_server(r, st);
}

static bool
all_answered(const struct resolver *r)
{
	return r->question[0].answered && r->question[1].answered;
}

enum code
resolve_step(struct resolver *r, struct status *st)
{
	bool alive;

	if (r->done)
		return CODE_OK;
	if (r->fd < 0)
		return r->tries == 0 ? ask_first(r, st) : next_server(r, st);
	alive = r->tcp ? exchange_tcp(r) : receive_udp(r);
	if (all_answered(r)) {
		resolve_close(r);
		r->done = found(r) > 0;
		return r->done ? CODE_OK : fail(r, st);
	}
	if (alive && wants_tcp(r) && !ask_over_tcp(r)) {
		note_error(r, strerror(errno));
		alive = false;
	}
	if (!alive || deadline_left(r->try_by) == 0)
		return next_server(r, st);
	return CODE_OK;
}

bool
resolve_done(const struct resolver *r)
{
	return r->done;
}

struct pollfd
resolve_pollfd(const struct resolver *r)
{
	bool sending = r->tcp && r->out_sent < r->out_length;

	return (struct pollfd){ .fd = r->fd,
				.events = sending ? POLLOUT : POLLIN };
}

struct deadline
resolve_deadline(const struct resolver *r)
{
	return r->done || r->fd < 0 ? deadline_in(0) : r->try_by;
}

void
resolve_addresses(const struct resolver *r, struct addresses *out)
{
	const struct addresses *v4 = &r->question[0].found;
	const struct addresses *v6 = &r->question[1].found;

	out->count = 0;
	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		if (i < v6->count && out->count < ADDRESSES_MAX)
			out->address[out->count++] = v6->address[i];
		if (i < v4->count && out->count < ADDRESSES_MAX)
			out->address[out->count++] = v4->address[i];
	}
}

void
resolve_close(struct resolver *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}
