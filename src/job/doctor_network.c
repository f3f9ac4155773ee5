#include "job/doctor_network.h"

#include <string.h>

#include "job/doctor_finding.h"
#include "net/name.h"
#include "sys/opt.h"

/* The metadata server of a pod that is up answers at once. */
#define TOKEN_WAIT_MS 10000

#define DAY_S 86400

/* The step at which the opening of the connection failed. */
static enum doctor_step
step_of(const struct conn *c)
{
	switch (c->last_phase) {
	case CONN_PROXY_TLS:
	case CONN_TUNNELLING:
		return DOCTOR_PROXY;
	case CONN_HANDSHAKING:
	case CONN_READY:
		return DOCTOR_TLS;
	case CONN_DIALING:
	case CONN_CLOSED:
	case CONN_FAILED:
		break;
	}
	return c->resolved ? DOCTOR_TCP : DOCTOR_DNS;
}

/* An address without its port, and without brackets. */
static void
put_host(const struct address *address, char out[static ADDRESS_TEXT_SIZE])
{
	char *port;
	size_t brackets;

	address_text(address, out);
	port = strrchr(out, ':');
	brackets = out[0] == '[';
	if (port == NULL)
		return;
	port[-(ptrdiff_t)brackets] = '\0';
	memmove(out, out + brackets, strlen(out + brackets) + 1);
}

static void
take_addresses(struct doctor_facts *facts, const struct conn *c,
	       enum doctor_step last)
{
	const struct addresses *found = &c->dial.addresses;

	if (!c->resolved)
		return;
	facts->address_count = found->count;
	for (size_t i = 0; i < found->count; i++)
		put_host(&found->address[i], facts->address[i]);
	if (last > DOCTOR_TCP || c->state == CONN_READY)
		address_text(&found->address[c->dial.winner],
			     facts->connected_to);
}

static void
take_certificate(struct doctor_facts *facts, const struct conn *c)
{
	const struct certificate *leaf = tls_certificate(&c->tls);
	struct buf issuer;
	int64_t left;

	if (leaf == NULL)
		return;
	facts->has_certificate = true;
	buf_init(&issuer, facts->issuer, sizeof(facts->issuer) - 1);
	name_put(leaf->issuer, &issuer);
	left = leaf->not_after - clock_unix();
	facts->days_left = (left >= 0 ? left : left - (DAY_S - 1)) / DAY_S;
	if (c->state == CONN_READY)
		facts->cipher_suite = tls_cipher_suite(&c->tls);
}

static void
describe_dns(struct doctor *d, const struct conn *c)
{
	char memory[ADDRESSES_MAX * ADDRESS_TEXT_SIZE];
	struct buf list;

	buf_init(&list, memory, sizeof(memory));
	for (size_t i = 0; i < d->facts.address_count; i++) {
		buf_put_cstr(&list, i > 0 ? ", " : "");
		buf_put_cstr(&list, d->facts.address[i]);
	}
	doctor_record(d, DOCTOR_DNS, DOCTOR_OK, EXIT_DONE, "%s: %.*s",
		      conn_next_hop(c)->host, (int)list.len, list.ptr);
}

static void
describe(struct doctor *d, const struct conn *c, enum doctor_step step)
{
	const struct doctor_facts *facts = &d->facts;
	const char *via = facts->via;

	if (step == DOCTOR_DNS)
		describe_dns(d, c);
	else if (step == DOCTOR_TCP)
		doctor_record(d, step, DOCTOR_OK, EXIT_DONE,
			      "connected to %s%s%s%s", facts->connected_to,
			      via != NULL ? ", where " : "",
			      via != NULL ? via : "",
			      via != NULL ? " leads" : "");
	else if (step == DOCTOR_PROXY && c->proxy == NULL)
		doctor_record(d, step, DOCTOR_SKIPPED, EXIT_DONE,
			      "none leads to %s", c->url->host);
	else if (step == DOCTOR_PROXY)
		doctor_record(d, step, DOCTOR_OK, EXIT_DONE, "%s leads to %s",
			      c->proxy->url.authority, c->url->host);
	else if (!c->url->tls)
		doctor_record(d, step, DOCTOR_SKIPPED, EXIT_DONE,
			      "%s is plain http", c->url->host);
	else
		doctor_record(d, step, DOCTOR_OK, EXIT_DONE,
			      "TLS 1.2, %s; the certificate of %s is good, "
			      "from \"%s\", %lld days left",
			      facts->cipher_suite, c->url->host, facts->issuer,
			      (long long)facts->days_left);
}

/* The time of each phase; the `last` one took what is left if it failed. */
static void
take_times(struct doctor *d, const struct conn *c, enum doctor_step last,
	   int64_t all)
{
	const struct conn_usage *usage = &c->usage;
	int64_t proxy = usage->proxy_ms;
	const struct {
		enum doctor_step step;
		int64_t ms;
	} phases[] = {
		{ DOCTOR_DNS, usage->dns_ms },
		{ DOCTOR_TCP, usage->connect_ms },
		{ DOCTOR_PROXY, c->proxy != NULL ? proxy : -1 },
		{ DOCTOR_TLS, usage->tls_ms >= 0 ? usage->tls_ms - proxy : -1 },
	};

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		if (phases[i].step == last && c->state != CONN_READY)
			d->finding[last].duration_ms = all;
		if (phases[i].step > last || phases[i].ms < 0)
			continue;
		d->finding[phases[i].step].duration_ms = phases[i].ms;
		all -= phases[i].ms;
	}
}

/* DNS, TCP, proxy and TLS are one opening; a failure has its phase. */
bool
doctor_connect(struct doctor *d, struct program *program)
{
	struct status st = { .code = CODE_OK };
	struct conn *c = &program->client.sm.conn;
	enum doctor_step last = DOCTOR_TLS;
	int64_t started = clock_ms();

	if (c->connect_to != NULL)
		d->facts.via = opt_origin("SECRET_MANAGER_CONNECT_TO");
	else if (c->proxy != NULL)
		d->facts.via = opt_origin("HTTPS_PROXY");
	if (conn_open(c, program->client.until, &st) != CODE_OK)
		last = step_of(c);
	take_times(d, c, last, clock_ms() - started);
	take_addresses(&d->facts, c, last);
	if (last == DOCTOR_TLS)
		take_certificate(&d->facts, c);
	for (enum doctor_step step = DOCTOR_DNS; step < last; step++)
		describe(d, c, step);
	if (st.code == CODE_OK)
		describe(d, c, last);
	else
		doctor_fail(d, last, &st);
	return st.code == CODE_OK;
}

bool
doctor_check_token(struct doctor *d, struct program *program)
{
	struct deadline until = deadline_first(program->client.until,
					       deadline_in(TOKEN_WAIT_MS));
	struct status st = { .code = CODE_OK };
	struct cred *cred = &program->client.cred;
	char end[RFC3339_SIZE];

	if (cred_fetch(cred, &program->client.call, NULL, until, &st) !=
	    CODE_OK) {
		doctor_fail(d, DOCTOR_TOKEN, &st);
		return false;
	}
	d->facts.token_expires_at = cred->token.expires_at;
	clock_rfc3339(cred->token.expires_at, end);
	doctor_record(d, DOCTOR_TOKEN, DOCTOR_OK, EXIT_DONE, "valid until %s",
		      end);
	return true;
}
