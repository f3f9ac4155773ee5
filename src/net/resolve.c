#include "net/resolve.h"

#include <string.h>
#include <unistd.h>

#include "net/dns.h"
#include "net/resolve_ask.h"

static bool
is_host_name(struct str host)
{
	char memory[DNS_QUERY_MAX];
	struct buf query;

	/* A colon stands for an address whose interface does not exist. */
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
	r->search = false;
	r->names = 0;
	resolve_ask_init(r);
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

/* Goes on to the next name; what cannot be one is skipped. */
static bool
next_name(struct resolver *r)
{
	while (make_name(r, r->names, r->name)) {
		r->names++;
		if (is_host_name(str_from(r->name))) {
			resolve_close(r);
			resolve_ask_init(r);
			return true;
		}
	}
	return false;
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

/* A limit may be the reason that a name is unknown. */
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
	return r->question[0].answered && r->question[1].answered;
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

/* Whether to wait on in this try. */
static bool
is_open(const struct resolver *r)
{
	if (r->tries == 0 || all_answered(r))
		return false;
	if (found(r) > 0 && deadline_left(r->grace_until) == 0)
		return false;
	return resolve_may_answer(r);
}

enum code
resolve_step(struct resolver *r, struct status *st)
{
	if (r->done)
		return CODE_OK;
	if (!is_host_name(str_from(r->host)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "cannot resolve %s: this is no host name",
				  r->host);
	if (r->names == 0)
		(void)next_name(r);
	if (r->tries > 0)
		resolve_exchange(r);
	while (!is_open(r)) {
		bool settled = found(r) > 0 || all_answered(r);
		bool missing = all_answered(r) && !exists(r);

		if (settled || r->tries == r->config->attempts) {
			if (!missing || !next_name(r))
				return finish(r, st);
		}
		resolve_ask(r);
		resolve_exchange(r);
	}
	return CODE_OK;
}

bool
resolve_done(const struct resolver *r)
{
	return r->done;
}

void
resolve_wait(const struct resolver *r, struct wait_list *list)
{
	const struct resolver_tcp *tcp = &r->tcp;

	if (r->done || r->tries == 0) {
		wait_by(list, deadline_in(0));
		return;
	}
	for (size_t i = 0; i < r->config->server_count; i++)
		if (r->server[i].fd >= 0)
			wait_add(list, r->server[i].fd, POLLIN);
	if (tcp->fd >= 0) {
		wait_add(list, tcp->fd,
			 tcp->out_sent < tcp->out_length ? POLLOUT : POLLIN);
		wait_by(list, tcp->until);
	} else {
		wait_by(list, r->resend_at);
	}
	if (found(r) > 0)
		wait_by(list, r->grace_until);
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
	for (size_t i = 0; i < NAME_SERVERS_MAX; i++) {
		if (r->server[i].fd >= 0)
			(void)close(r->server[i].fd);
		r->server[i].fd = -1;
	}
	if (r->tcp.fd >= 0)
		(void)close(r->tcp.fd);
	r->tcp.fd = -1;
}
