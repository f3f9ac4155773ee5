#include "net/resolve_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dns.h"
#include "sys/entropy.h"

/* Reads at most in one step, so that a flood cannot hold up the deadline. */
#define READS_MAX 64

static const enum dns_type TYPES[2] = { DNS_A, DNS_AAAA };

size_t
resolve_server(const struct resolver *r)
{
	return (r->tries - 1) % r->config->server_count;
}

void
resolve_note(struct resolver *r, enum resolver_outcome outcome, int detail)
{
	r->server[resolve_server(r)] = (struct resolver_server){
		.outcome = outcome,
		.detail = detail,
		.tcp = r->tcp,
	};
}

/* Notes the error of the call that failed last. */
static bool
broke(struct resolver *r)
{
	resolve_note(r, RESOLVER_ERRNO, errno);
	return false;
}

/* Connected: the kernel drops what others send (RFC 5452 section 9.1). */
static bool
open_socket(struct resolver *r, bool tcp)
{
	const struct address *to = &r->config->server[resolve_server(r)];
	int type = tcp ? SOCK_STREAM : SOCK_DGRAM;

	resolve_close(r);
	r->tcp = tcp;
	r->fd = socket(to->sockaddr.any.sa_family,
		       type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0)
		return false;
	return connect(r->fd, &to->sockaddr.any, to->length) == 0 ||
	       errno == EINPROGRESS || errno == EINTR;
}

static bool
new_ids(struct resolver *r)
{
	for (size_t i = 0; i < 2; i++)
		if (r->question[i].state == RESOLVER_OPEN &&
		    !entropy_fill(&r->question[i].id,
				  sizeof(r->question[i].id)))
			return false;
	return true;
}

static bool
put_query(struct resolver *r, size_t i, struct buf *out)
{
	return dns_query(out, r->question[i].id, str_from(r->name), TYPES[i]);
}

bool
resolve_ask_again(struct resolver *r)
{
	for (size_t i = 0; i < 2; i++) {
		char memory[DNS_QUERY_MAX];
		struct buf query;

		if (r->question[i].state != RESOLVER_OPEN)
			continue;
		buf_init(&query, memory, sizeof(memory));
		if (!put_query(r, i, &query) ||
		    send(r->fd, query.ptr, query.len, MSG_NOSIGNAL) < 0)
			return broke(r);
	}
	return true;
}

bool
resolve_ask_udp(struct resolver *r)
{
	if (!open_socket(r, false) || !new_ids(r))
		return broke(r);
	return resolve_ask_again(r);
}

/* Both queries in one go, each after its length (RFC 1035 section 4.2.2). */
static bool
fill_out(struct resolver *r)
{
	struct buf out;

	buf_init(&out, r->out, sizeof(r->out));
	for (size_t i = 0; i < 2; i++) {
		size_t start = out.len, length;

		if (r->question[i].state != RESOLVER_OPEN)
			continue;
		buf_put(&out, "\0\0", 2);
		if (!put_query(r, i, &out))
			return false;
		length = out.len - start - 2;
		r->out[start] = (unsigned char)(length >> 8);
		r->out[start + 1] = (unsigned char)(length & 0xff);
	}
	r->out_length = out.len;
	r->out_sent = 0;
	r->in_length = 0;
	return true;
}

bool
resolve_ask_tcp(struct resolver *r)
{
	if (!open_socket(r, true) || !new_ids(r) || !fill_out(r))
		return broke(r);
	return true;
}

static void
take_answer(struct resolver *r, struct resolver_question *q, enum dns_type type,
	    const struct dns_answer *answer)
{
	if (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN) {
		resolve_note(r, RESOLVER_RCODE, (int)answer->rcode);
		q->state = RESOLVER_FAILED;
		return;
	}
	q->state = RESOLVER_ANSWERED;
	q->rcode = answer->rcode;
	q->server = resolve_server(r);
	q->found.count = answer->count;
	for (size_t i = 0; i < answer->count; i++)
		address_set(&q->found.address[i],
			    type == DNS_A ? AF_INET : AF_INET6,
			    answer->address[i].bytes, r->port);
}

/* Takes a message for the question that it answers; passes over others. */
static void
take_message(struct resolver *r, const unsigned char *bytes, size_t len)
{
	struct str message = { (const char *)bytes, len };

	for (size_t i = 0; i < 2; i++) {
		struct resolver_question *q = &r->question[i];
		struct dns_answer answer;

		if (q->state == RESOLVER_ANSWERED)
			continue;
		switch (dns_read(message, q->id, str_from(r->name), TYPES[i],
				 &answer)) {
		case DNS_FOREIGN:
			continue;
		case DNS_COMPLETE:
			take_answer(r, q, TYPES[i], &answer);
			return;
		case DNS_TRUNCATED:
			if (r->tcp)
				break;
			q->state = RESOLVER_TRUNCATED;
			return;
		case DNS_MALFORMED:
			break;
		}
		resolve_note(r, RESOLVER_MALFORMED, 0);
		q->state = RESOLVER_FAILED;
		return;
	}
}

static bool
exchange_udp(struct resolver *r)
{
	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t got = recv(r->fd, r->in, sizeof(r->in), 0);

		if (got >= 0)
			take_message(r, r->in, (size_t)got);
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			return broke(r);
	}
	return true;
}

/* Takes the whole messages at the start of what came over TCP. */
static bool
take_framed(struct resolver *r)
{
	while (r->in_length >= 2) {
		size_t length = (size_t)r->in[0] << 8 | r->in[1];

		if (length > DNS_MESSAGE_MAX) {
			resolve_note(r, RESOLVER_ERRNO, EMSGSIZE);
			return false;
		}
		if (r->in_length < 2 + length)
			break;
		take_message(r, r->in + 2, length);
		r->in_length -= 2 + length;
		memmove(r->in, r->in + 2 + length, r->in_length);
	}
	return true;
}

/* An EAGAIN while the connection is not there yet is no error either. */
static bool
send_out(struct resolver *r)
{
	while (r->out_sent < r->out_length) {
		ssize_t sent = send(r->fd, r->out + r->out_sent,
				    r->out_length - r->out_sent, MSG_NOSIGNAL);

		if (sent >= 0)
			r->out_sent += (size_t)sent;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			return broke(r);
	}
	return true;
}

static bool
receive_in(struct resolver *r)
{
	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t got = recv(r->fd, r->in + r->in_length,
				   sizeof(r->in) - r->in_length, 0);

		if (got > 0) {
			r->in_length += (size_t)got;
			if (!take_framed(r))
				return false;
		} else if (got == 0) {
			resolve_note(r, RESOLVER_CLOSED, 0);
			return false;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			return broke(r);
		}
	}
	return true;
}

bool
resolve_exchange(struct resolver *r)
{
	if (!r->tcp)
		return exchange_udp(r);
	if (!send_out(r))
		return false;
	return r->out_sent < r->out_length || receive_in(r);
}
