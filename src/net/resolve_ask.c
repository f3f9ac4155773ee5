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

static void
record(struct resolver *r, size_t server, bool tcp,
       enum resolver_outcome outcome, int detail)
{
	r->server[server].outcome = outcome;
	r->server[server].detail = detail;
	r->server[server].tcp = tcp;
}

/* Nothing more is expected of a server in this try. */
static void
give_up(struct resolver *r, size_t server)
{
	r->server[server].failed[0] = true;
	r->server[server].failed[1] = true;
}

/* Fails a server after a call failed, unless that would only have waited. */
static void
fail_server(struct resolver *r, size_t server, bool tcp)
{
	if (errno == EAGAIN || errno == EINTR)
		return;
	record(r, server, tcp, RESOLVER_ERRNO, errno);
	give_up(r, server);
}

/* Whether a question is open that this server has not failed. */
static bool
can_answer(const struct resolver *r, size_t server)
{
	for (size_t i = 0; i < 2; i++)
		if (!r->question[i].answered && !r->server[server].failed[i])
			return true;
	return false;
}

/* Connected: the kernel drops what others send (RFC 5452 section 9.1). */
static int
open_socket(const struct address *to, int type)
{
	int fd = socket(to->sockaddr.any.sa_family,
			type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &to->sockaddr.any, to->length) == 0 ||
	    errno == EINPROGRESS || errno == EINTR)
		return fd;
	(void)close(fd);
	return -1;
}

static bool
put_query(const struct resolver *r, size_t i, struct buf *out)
{
	return dns_query(out, r->question[i].id, str_from(r->name), TYPES[i]);
}

/* Asks over UDP; an error of the socket shows here or when it is read. */
static void
ask_udp(struct resolver *r, size_t server)
{
	int fd = r->server[server].fd;

	for (size_t i = 0; i < 2 && fd >= 0; i++) {
		char memory[DNS_QUERY_MAX];
		struct buf query;

		if (r->question[i].answered || r->server[server].failed[i])
			continue;
		buf_init(&query, memory, sizeof(memory));
		if (put_query(r, i, &query) &&
		    send(fd, query.ptr, query.len, MSG_NOSIGNAL) < 0)
			fail_server(r, server, false);
	}
}

/* The first try: sockets and ids. */
static void
open_udp(struct resolver *r)
{
	for (size_t i = 0; i < r->config->server_count; i++) {
		r->server[i].fd =
			open_socket(&r->config->server[i], SOCK_DGRAM);
		if (r->server[i].fd < 0)
			fail_server(r, i, false);
	}
}

void
resolve_ask_init(struct resolver *r)
{
	r->tries = 0;
	memset(r->question, 0, sizeof(r->question));
	memset(r->server, 0, sizeof(r->server));
	for (size_t i = 0; i < NAME_SERVERS_MAX; i++)
		r->server[i].fd = -1;
	r->tcp.fd = -1;
}

void
resolve_ask(struct resolver *r)
{
	int64_t ms = r->config->timeout_ms;
	bool random = true;

	r->try_until = deadline_in(ms);
	r->resend_at = deadline_in(ms / 4);
	r->grace_until = deadline_in(ms / 2);
	if (r->tries++ == 0) {
		for (size_t i = 0; i < 2; i++)
			random = entropy_fill(&r->question[i].id,
					      sizeof(r->question[i].id)) &&
				 random;
		if (!r->config->use_tcp)
			open_udp(r);
	}
	for (size_t i = 0; i < r->config->server_count; i++) {
		struct resolver_server *server = &r->server[i];
		bool usable = random && server->fd >= 0;

		server->failed[0] = !usable;
		server->failed[1] = !usable;
		server->asked_tcp = false;
		server->truncated = random && r->config->use_tcp;
		if (usable)
			record(r, i, false, RESOLVER_SILENT, 0);
		ask_udp(r, i);
	}
}

static void
take_answer(struct resolver *r, size_t i, size_t server, bool tcp,
	    const struct dns_answer *answer)
{
	struct resolver_question *q = &r->question[i];

	if (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN) {
		record(r, server, tcp, RESOLVER_RCODE, (int)answer->rcode);
		r->server[server].failed[i] = true;
		return;
	}
	q->answered = true;
	q->rcode = answer->rcode;
	q->server = server;
	q->found.count = answer->count;
	for (size_t n = 0; n < answer->count; n++)
		address_set(&q->found.address[n],
			    TYPES[i] == DNS_A ? AF_INET : AF_INET6,
			    answer->address[n].bytes, r->port);
}

/* Takes a message for the question that it answers; ignores others. */
static void
take_message(struct resolver *r, size_t server, bool tcp, struct str message)
{
	for (size_t i = 0; i < 2; i++) {
		struct dns_answer answer;
		enum dns_reading reading;

		if (r->question[i].answered)
			continue;
		reading = dns_read(message, r->question[i].id,
				   str_from(r->name), TYPES[i], &answer);
		if (reading == DNS_UNRELATED)
			continue;
		if (reading == DNS_COMPLETE) {
			take_answer(r, i, server, tcp, &answer);
			return;
		}
		if (reading == DNS_TRUNCATED && !tcp) {
			if (!r->server[server].asked_tcp)
				r->server[server].truncated = true;
			return;
		}
		r->server[server].failed[i] = true;
		record(r, server, tcp, RESOLVER_MALFORMED, 0);
		return;
	}
}

static void
receive_udp(struct resolver *r, size_t server)
{
	char message[DNS_MESSAGE_MAX];

	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t got =
			recv(r->server[server].fd, message, sizeof(message), 0);

		if (got < 0) {
			fail_server(r, server, false);
			break;
		}
		take_message(r, server, false,
			     (struct str){ message, (size_t)got });
	}
}

/* The queries in one go, each after its length (RFC 1035 section 4.2.2). */
static bool
put_framed(const struct resolver *r, struct buf *out)
{
	for (size_t i = 0; i < 2; i++) {
		size_t start = out->len, length;

		if (r->question[i].answered)
			continue;
		buf_put(out, "\0\0", 2);
		if (!put_query(r, i, out))
			return false;
		length = out->len - start - 2;
		out->ptr[start] = (char)(length >> 8);
		out->ptr[start + 1] = (char)(length & 0xff);
	}
	return true;
}

/* Asks the next server whose answers do not fit a datagram; false if none. */
static bool
start_tcp(struct resolver *r)
{
	struct resolver_tcp *tcp = &r->tcp;
	struct buf out;
	size_t i = 0;

	while (i < r->config->server_count && !r->server[i].truncated)
		i++;
	if (i == r->config->server_count)
		return false;
	r->server[i].truncated = false;
	r->server[i].asked_tcp = true;
	r->server[i].failed[0] = false;
	r->server[i].failed[1] = false;
	tcp->server = i;
	tcp->until = deadline_in(r->config->timeout_ms);
	record(r, i, true, RESOLVER_SILENT, 0);
	buf_init(&out, tcp->out, sizeof(tcp->out));
	tcp->fd = open_socket(&r->config->server[i], SOCK_STREAM);
	if (tcp->fd < 0 || !put_framed(r, &out))
		fail_server(r, i, true);
	tcp->out_length = out.len;
	tcp->out_sent = 0;
	tcp->in_length = 0;
	return true;
}

/* Takes the whole messages at the start of what came over TCP. */
static void
take_framed(struct resolver *r)
{
	struct resolver_tcp *tcp = &r->tcp;

	while (tcp->in_length >= 2) {
		size_t length = (size_t)tcp->in[0] << 8 | tcp->in[1];

		if (length > DNS_MESSAGE_MAX) {
			record(r, tcp->server, true, RESOLVER_ERRNO, EMSGSIZE);
			give_up(r, tcp->server);
			break;
		}
		if (tcp->in_length < 2 + length)
			break;
		take_message(r, tcp->server, true,
			     (struct str){ (char *)tcp->in + 2, length });
		tcp->in_length -= 2 + length;
		memmove(tcp->in, tcp->in + 2 + length, tcp->in_length);
	}
}

/* Sends what is left to send, or takes what has come. */
static void
exchange_tcp(struct resolver *r)
{
	struct resolver_tcp *tcp = &r->tcp;
	bool sending = tcp->out_sent < tcp->out_length;
	ssize_t moved =
		sending ? send(tcp->fd, tcp->out + tcp->out_sent,
			       tcp->out_length - tcp->out_sent, MSG_NOSIGNAL)
			: recv(tcp->fd, tcp->in + tcp->in_length,
			       sizeof(tcp->in) - tcp->in_length, 0);

	if (moved < 0) {
		fail_server(r, tcp->server, true);
	} else if (sending) {
		tcp->out_sent += (size_t)moved;
	} else if (moved == 0) {
		record(r, tcp->server, true, RESOLVER_CLOSED, 0);
		give_up(r, tcp->server);
	} else {
		tcp->in_length += (size_t)moved;
		take_framed(r);
	}
}

/* One server after the other, until all questions are answered. */
static void
advance_tcp(struct resolver *r)
{
	while (r->tcp.fd >= 0 || start_tcp(r)) {
		if (r->tcp.fd >= 0)
			exchange_tcp(r);
		if (can_answer(r, r->tcp.server) &&
		    deadline_left(r->tcp.until) > 0)
			return;
		give_up(r, r->tcp.server);
		if (r->tcp.fd >= 0)
			(void)close(r->tcp.fd);
		r->tcp.fd = -1;
	}
}

void
resolve_exchange(struct resolver *r)
{
	for (size_t i = 0; i < r->config->server_count; i++)
		if (r->server[i].fd >= 0)
			receive_udp(r, i);
	advance_tcp(r);
	/* A datagram is sent twice in a try: one lost is not worth a try. */
	if (r->tcp.fd >= 0 || deadline_left(r->resend_at) > 0 ||
	    deadline_left(r->try_until) == 0)
		return;
	r->resend_at = r->try_until;
	for (size_t i = 0; i < r->config->server_count; i++)
		ask_udp(r, i);
}

bool
resolve_may_answer(const struct resolver *r)
{
	if (r->tcp.fd >= 0)
		return true;
	if (deadline_left(r->try_until) == 0)
		return false;
	for (size_t i = 0; i < r->config->server_count; i++)
		if (can_answer(r, i))
			return true;
	return false;
}
