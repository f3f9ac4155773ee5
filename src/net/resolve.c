#include "net/resolve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/dns.h"
#include "net/resolve_ask.h"

static bool
is_host_name(struct str host)
{
	char memory[DNS_QUERY_MAX];
	struct buf query;

	/* A colon stands for an address whose interface is not there. */
	buf_init(&query, memory, sizeof(memory));
	return str_find(host, ':') == host.len &&
	       dns_query(&query, 0, host, DNS_A);
}

/* "localhost" and below (RFC 6761 section 6.3). */
static bool
is_localhost(struct str host)
{
	return str_eq_nocase(host, STR("localhost")) ||
	       str_below(host, STR("localhost"));
}

static void
find_loopback(struct resolver *r)
{
	static const unsigned char v4[4] = { 127, 0, 0, 1 };
	static const unsigned char v6[16] = { [15] = 1 };
	struct addresses *found4 = &r->question[0].found;
	struct addresses *found6 = &r->question[1].found;

	address_set(&found4->address[found4->count++], AF_INET, v4, r->port);
	address_set(&found6->address[found6->count++], AF_INET6, v6, r->port);
}

/* What needs no name server: literals, localhost, /etc/hosts. */
static bool
find_locally(struct resolver *r)
{
	struct str host = str_from(r->host);
	struct address literal;

	if (address_parse(&literal, host, r->port)) {
		bool v6 = literal.sockaddr.any.sa_family == AF_INET6;

		r->question[v6].found.address[0] = literal;
		r->question[v6].found.count = 1;
		return true;
	}
	if (!is_host_name(host))
		return false;
	if (is_localhost(host)) {
		find_loopback(r);
		return true;
	}
	return resolver_config_find(r->config, host, r->port,
				    &r->question[0].found,
				    &r->question[1].found);
}

/* What a look-up of one name starts with. */
static void
start_name(struct resolver *r)
{
	r->tcp = false;
	r->tries = 0;
	memset(r->question, 0, sizeof(r->question));
	memset(r->server, 0, sizeof(r->server));
}

void
resolve_start(struct resolver *r, const struct resolver_config *config,
	      const char *host, uint16_t port)
{
	struct str name = str_from(host);

	if (str_ends(name, STR(".")))
		name.len--;
	/* What is cut here is too long for a host name even so. */
	if (name.len > sizeof(r->host) - 1)
		name.len = sizeof(r->host) - 1;
	r->config = config;
	r->port = port;
	r->fd = -1;
	r->search = false;
	r->names = 0;
	start_name(r);
	r->done = str_copy(name, r->host, sizeof(r->host)) && find_locally(r);
}

void
resolve_search(struct resolver *r)
{
	r->search = true;
}

static unsigned
count_dots(const char *name)
{
	unsigned dots = 0;

	for (; *name != '\0'; name++)
		dots += *name == '.';
	return dots;
}

/* Makes the name to ask for in place `i`; false if there are no more. */
static bool
make_name(const struct resolver *r, size_t i,
	  char out[static HOST_NAME_MAX_SIZE])
{
	unsigned dots = count_dots(r->host);
	bool searched = r->search && dots < r->config->ndots;
	size_t domains = searched ? resolver_config_domains(r->config) : 0;
	size_t itself = dots > 0 ? 0 : domains;
	struct buf name;

	if (i > domains)
		return false;
	buf_init(&name, out, HOST_NAME_MAX_SIZE - 1);
	buf_put_cstr(&name, r->host);
	if (i != itself) {
		buf_put_char(&name, '.');
		buf_put_str(&name, resolver_config_domain(r->config,
							  i - (itself == 0)));
	}
	if (name.overflow)
		name.len = 0;
	out[name.len] = '\0';
	return true;
}

/* Goes on to the next name; what cannot be one is passed over. */
static bool
next_name(struct resolver *r)
{
	while (make_name(r, r->names, r->name)) {
		r->names++;
		if (is_host_name(str_from(r->name))) {
			resolve_close(r);
			start_name(r);
			return true;
		}
	}
	return false;
}

static bool
any(const struct resolver *r, enum resolver_state state)
{
	return r->question[0].state == state || r->question[1].state == state;
}

static size_t
found(const struct resolver *r)
{
	return r->question[0].found.count + r->question[1].found.count;
}

static bool
exists(const struct resolver *r)
{
	return r->question[0].rcode == DNS_NOERROR ||
	       r->question[1].rcode == DNS_NOERROR;
}

/* Where the search list was used: the names that were asked for. */
static void
put_names(const struct resolver *r, struct buf *out)
{
	char name[HOST_NAME_MAX_SIZE];

	if (r->names < 2)
		return;
	buf_put_cstr(out, "tried ");
	for (size_t i = 0; i < r->names && make_name(r, i, name); i++) {
		if (!is_host_name(str_from(name)))
			continue;
		buf_put_cstr(out, name);
		buf_put_cstr(out, i + 1 < r->names ? ", " : "; ");
	}
}

/* Where a limit may be the reason that a name is not known. */
static const char *
cut_files(const struct resolver *r)
{
	return r->config->cut ? "; of /etc/hosts the first 64 KiB are read, of "
				"/etc/resolv.conf 8 KiB and 2 KiB of search "
				"domains"
			      : "";
}

/* Every server answered, and none has an address. */
static enum code
fail_name(const struct resolver *r, struct status *st)
{
	const struct resolver_question *q = r->question;
	char server[ADDRESS_TEXT_SIZE], memory[256];
	struct buf names;

	address_text(&r->config->server[q[0].server], server);
	buf_init(&names, memory, sizeof(memory));
	put_names(r, &names);
	status_hint(st,
		    "%.*scheck the name; if it is right, this name server does "
		    "not know it: check /etc/resolv.conf, the cluster's DNS "
		    "and private zones%s",
		    (int)names.len, names.ptr, cut_files(r));
	return status_set(st, CODE_UNAVAILABLE,
			  "cannot resolve %s: %s, says name server %s", r->host,
			  exists(r) ? "it has no addresses (neither A nor AAAA)"
				    : dns_rcode_text(DNS_NXDOMAIN),
			  server);
}

static void
put_silence(struct buf *out, unsigned timeout_ms)
{
	bool seconds = timeout_ms % 1000 == 0;

	buf_put_cstr(out, "no answer within ");
	buf_put_uint(out, seconds ? timeout_ms / 1000 : timeout_ms);
	buf_put_cstr(out, seconds ? " s" : " ms");
}

/* "name server 192.0.2.1:53: what it did" */
static void
put_server(const struct resolver *r, size_t i, struct buf *out)
{
	const struct resolver_server *server = &r->server[i];
	char text[ADDRESS_TEXT_SIZE];

	address_text(&r->config->server[i], text);
	buf_put_cstr(out, "name server ");
	buf_put_cstr(out, text);
	buf_put_cstr(out, ": ");
	switch (server->outcome) {
	case RESOLVER_UNASKED:
		buf_put_cstr(out, "not asked");
		break;
	case RESOLVER_SILENT:
		put_silence(out, r->config->timeout_ms);
		break;
	case RESOLVER_RCODE:
		buf_put_cstr(out, dns_rcode_text((unsigned)server->detail));
		break;
	case RESOLVER_MALFORMED:
		buf_put_cstr(out, "a malformed answer");
		break;
	case RESOLVER_CLOSED:
		buf_put_cstr(out, "connection closed without an answer");
		break;
	case RESOLVER_ERRNO:
		buf_put_cstr(out, strerror(server->detail));
		break;
	}
	if (server->tcp)
		buf_put_cstr(out, " over TCP");
}

static enum code
fail_servers(const struct resolver *r, struct status *st)
{
	char memory[512];
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	for (size_t i = 0; i < r->config->server_count; i++) {
		if (i > 0)
			buf_put_cstr(&out, "; ");
		put_server(r, i, &out);
	}
	status_hint(st,
		    "check /etc/resolv.conf, the cluster's DNS and "
		    "NetworkPolicy egress to port 53 (UDP and TCP)%s",
		    cut_files(r));
	return status_set(st, CODE_UNAVAILABLE, "cannot resolve %s: %.*s",
			  r->host, (int)out.len, out.ptr);
}

static bool
all_answered(const struct resolver *r)
{
	return r->question[0].state == RESOLVER_ANSWERED &&
	       r->question[1].state == RESOLVER_ANSWERED;
}

/* The end: with the addresses that were found, or with an error. */
static enum code
finish(struct resolver *r, struct status *st)
{
	resolve_close(r);
	r->done = found(r) > 0;
	if (r->done)
		return CODE_OK;
	return all_answered(r) ? fail_name(r, st) : fail_servers(r, st);
}

static void
start_clocks(struct resolver *r)
{
	int64_t ms = r->config->timeout_ms;

	r->try_by = deadline_in(ms);
	r->resend_at = deadline_in(ms / 4);
	r->patience_by = deadline_in(ms / 2);
}

/*
 * Asks the next server. If that is the same one, and it was silent, the socket
 * stays: a late answer to the first try is still an answer.
 */
static bool
ask_next(struct resolver *r)
{
	bool keep = r->fd >= 0 && !r->tcp && r->config->server_count == 1 &&
		    r->server[0].outcome == RESOLVER_SILENT;

	r->tries++;
	start_clocks(r);
	if (keep)
		return resolve_ask_again(r);
	return r->config->use_tcp ? resolve_ask_tcp(r) : resolve_ask_udp(r);
}

static enum code
next_server(struct resolver *r, struct status *st)
{
	size_t tries = r->config->server_count * r->config->attempts;

	do {
		while (found(r) == 0 && !all_answered(r) && r->tries < tries) {
			for (size_t i = 0; i < 2; i++)
				if (r->question[i].state != RESOLVER_ANSWERED)
					r->question[i].state = RESOLVER_OPEN;
			if (ask_next(r))
				return CODE_OK;
		}
	} while (all_answered(r) && !exists(r) && next_name(r));
	return finish(r, st);
}

/* Asks the same server over TCP for what is still needed of it. */
static bool
turn_to_tcp(struct resolver *r)
{
	for (size_t i = 0; i < 2; i++)
		if (r->question[i].state == RESOLVER_TRUNCATED)
			r->question[i].state = RESOLVER_OPEN;
	start_clocks(r);
	return resolve_ask_tcp(r);
}

/* One family is there, or can be had over TCP. */
static bool
half_known(const struct resolver *r)
{
	return found(r) > 0 || any(r, RESOLVER_TRUNCATED);
}

/* Whether to wait on for this server, whose socket is `alive`. */
static bool
may_still_answer(struct resolver *r, bool alive)
{
	if (!alive || !any(r, RESOLVER_OPEN))
		return false;
	if (deadline_left(r->try_by) == 0) {
		resolve_note(r, RESOLVER_SILENT, 0);
		return false;
	}
	return !half_known(r) || deadline_left(r->patience_by) > 0;
}

/* A datagram is sent twice in a try: one lost is not worth a whole try. */
static bool
resend_when_due(struct resolver *r)
{
	if (r->tcp || deadline_left(r->resend_at) > 0)
		return true;
	r->resend_at = r->try_by;
	return resolve_ask_again(r);
}

enum code
resolve_step(struct resolver *r, struct status *st)
{
	bool alive;

	if (r->done)
		return CODE_OK;
	if (!is_host_name(str_from(r->host)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "cannot resolve %s: this is no host name",
				  r->host);
	if (r->names == 0)
		(void)next_name(r);
	if (r->fd < 0)
		return next_server(r, st);
	alive = resolve_exchange(r);
	if (may_still_answer(r, alive) && resend_when_due(r))
		return CODE_OK;
	if (any(r, RESOLVER_TRUNCATED) && turn_to_tcp(r))
		return CODE_OK;
	return next_server(r, st);
}

bool
resolve_done(const struct resolver *r)
{
	return r->done;
}

void
resolve_wait(const struct resolver *r, struct wait_list *list)
{
	bool sending = r->tcp && r->out_sent < r->out_length;

	if (r->done || r->fd < 0) {
		wait_by(list, deadline_in(0));
		return;
	}
	wait_add(list, r->fd, sending ? POLLOUT : POLLIN);
	wait_by(list, r->try_by);
	if (!r->tcp)
		wait_by(list, r->resend_at);
	if (half_known(r))
		wait_by(list, r->patience_by);
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
