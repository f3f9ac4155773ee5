#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/tls_errors.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#define SEED_SIZE 48

/* Forward secrecy and authenticated encryption only (RFC 7525 section 4.2). */
static const uint16_t AES_FIRST[] = {
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};

/* The same where AES has no instruction of its own. */
static const uint16_t CHACHA_FIRST[] = {
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
};

static const char *const PROTOCOLS[] = { "http/1.1" };

static const br_ssl_engine_context *
engine(const struct tls *tls)
{
	return &tls->client.eng;
}

static void
set_profile(br_ssl_client_context *client)
{
	br_ssl_engine_context *eng = &client->eng;
	bool aes = br_aes_x86ni_ctr_get_vtable() != NULL;

	br_ssl_client_zero(client);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(eng, aes ? AES_FIRST : CHACHA_FIRST,
				 sizeof(AES_FIRST) / sizeof(AES_FIRST[0]));
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(eng, br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, br_tls12_sha384_prf);
	br_ssl_engine_set_default_aes_gcm(eng);
	br_ssl_engine_set_default_chapol(eng);
	br_ssl_engine_set_ec(eng, &br_ec_all_m31);
	br_ssl_engine_set_ecdsa(eng, br_ecdsa_i31_vrfy_asn1);
	br_ssl_engine_set_rsavrfy(eng, br_rsa_pkcs1_vrfy_get_default());
	br_ssl_engine_set_protocol_names(eng,
					 (const char **)(uintptr_t)PROTOCOLS,
					 1);
	br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION);
}

static bool
is_literal(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 ||
	       inet_pton(AF_INET6, host, address) == 1;
}

enum code
tls_start(struct tls *tls, const char *host, const struct trust *trust,
	  struct tls *outer, struct status *st)
{
	br_ssl_engine_context *eng = &tls->client.eng;
	unsigned char seed[SEED_SIZE];

	tls->host = host;
	tls->outer = outer;
	tls->peer_gone = false;
	tls->first_length = 0;
	set_profile(&tls->client);
	x509_init(&tls->x509, eng, trust, host, clock_unix());
	br_ssl_engine_set_buffer(eng, tls->records, sizeof(tls->records), 1);
	if (!entropy_fill(seed, sizeof(seed)))
		return status_set(st, CODE_INTERNAL,
				  "the kernel gives no entropy (getrandom)");
	br_ssl_engine_inject_entropy(eng, seed, sizeof(seed));
	wipe(seed, sizeof(seed));
	/* SNI is for names only (RFC 6066 section 3). */
	if (br_ssl_client_reset(&tls->client, is_literal(host) ? NULL : host,
				0) == 0)
		return tls_explain(host, br_ssl_engine_last_error(eng), st);
	return CODE_OK;
}

/* Content types of TLS records are 20 to 23 (RFC 5246 section 6.2.1). */
static bool
answers_in_clear(const struct tls *tls)
{
	return tls->first_length > 0 &&
	       (tls->first[0] < 20 || tls->first[0] > 23);
}

static enum code
explain(const struct tls *tls, struct status *st)
{
	int error = br_ssl_engine_last_error(engine(tls));

	if (answers_in_clear(tls)) {
		st->permanent = true;
		status_hint(st, "check the port and the scheme of the URL");
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: it does not speak TLS on this port%s",
				  tls->host,
				  memcmp(tls->first, "HTTP", 4) == 0
					  ? ", it answers in plain HTTP"
					  : "");
	}
	if (x509_explain(&tls->x509, error, st) != CODE_OK)
		return st->code;
	return tls_explain(tls->host, error, st);
}

/* As send(2) does, but perhaps inside another connection. */
static ssize_t
put_bytes(struct tls *tls, int fd, const void *bytes, size_t len)
{
	struct status ignored = { .code = CODE_OK };
	size_t taken;

	if (tls->outer == NULL)
		return send(fd, bytes, len, MSG_NOSIGNAL);
	taken = tls_send(tls->outer, bytes, len);
	if (tls_step(tls->outer, fd, &ignored) != CODE_OK ||
	    tls->outer->peer_gone) {
		errno = ECONNRESET;
		return -1;
	}
	errno = EAGAIN;
	return taken > 0 ? (ssize_t)taken : -1;
}

/* As recv(2) does, but perhaps inside another connection. */
static ssize_t
get_bytes(struct tls *tls, int fd, void *bytes, size_t len)
{
	struct status ignored = { .code = CODE_OK };
	bool ended, clean;
	size_t got;

	if (tls->outer == NULL)
		return recv(fd, bytes, len, 0);
	(void)tls_step(tls->outer, fd, &ignored);
	got = tls_recv(tls->outer, bytes, len, &ended, &clean);
	errno = EAGAIN;
	return got > 0 || ended ? (ssize_t)got : -1;
}

/* Sends what the engine has for the peer; true if anything moved. */
static bool
send_records(struct tls *tls, int fd)
{
	size_t len;
	unsigned char *bytes =
		br_ssl_engine_sendrec_buf(&tls->client.eng, &len);
	ssize_t put;

	do
		put = put_bytes(tls, fd, bytes, len);
	while (put < 0 && errno == EINTR);
	if (put > 0) {
		br_ssl_engine_sendrec_ack(&tls->client.eng, (size_t)put);
		return true;
	}
	/* What the peer said before it left may still be there to read. */
	if (errno != EAGAIN)
		tls->peer_gone = true;
	return false;
}

static void
remember_first(struct tls *tls, const unsigned char *bytes, size_t len)
{
	size_t take = sizeof(tls->first) - tls->first_length;

	take = len < take ? len : take;
	memcpy(tls->first + tls->first_length, bytes, take);
	tls->first_length += take;
}

/* Gives the engine what the peer sent; true if anything moved. */
static bool
receive_records(struct tls *tls, int fd)
{
	size_t len;
	unsigned char *bytes =
		br_ssl_engine_recvrec_buf(&tls->client.eng, &len);
	ssize_t got;

	do
		got = get_bytes(tls, fd, bytes, len);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		remember_first(tls, bytes, (size_t)got);
		br_ssl_engine_recvrec_ack(&tls->client.eng, (size_t)got);
		return true;
	}
	if (got == 0 || errno != EAGAIN)
		tls->peer_gone = true;
	return false;
}

enum code
tls_step(struct tls *tls, int fd, struct status *st)
{
	bool moved = true;

	while (moved) {
		unsigned state = br_ssl_engine_current_state(engine(tls));

		moved = false;
		if ((state & BR_SSL_CLOSED) != 0)
			return br_ssl_engine_last_error(engine(tls)) == 0
				       ? CODE_OK
				       : explain(tls, st);
		if ((state & BR_SSL_SENDREC) != 0)
			moved = send_records(tls, fd);
		if (!moved && (state & BR_SSL_RECVREC) != 0)
			moved = receive_records(tls, fd);
	}
	if (tls->peer_gone && !tls_ready(tls)) {
		if (answers_in_clear(tls))
			return explain(tls, st);
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: the connection was closed during the "
				  "TLS handshake",
				  tls->host);
	}
	return CODE_OK;
}

bool
tls_ready(const struct tls *tls)
{
	return (br_ssl_engine_current_state(engine(tls)) &
		(BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0;
}

short
tls_events(const struct tls *tls)
{
	unsigned state = br_ssl_engine_current_state(engine(tls));
	short events = 0;

	if (tls->peer_gone)
		return 0;
	if (tls->outer != NULL)
		return tls_events(tls->outer);
	if ((state & BR_SSL_SENDREC) != 0)
		events |= POLLOUT;
	if ((state & BR_SSL_RECVREC) != 0)
		events |= POLLIN;
	return events;
}

size_t
tls_send(struct tls *tls, const void *bytes, size_t len)
{
	size_t room = 0;
	unsigned char *to = br_ssl_engine_sendapp_buf(&tls->client.eng, &room);
	size_t take = len < room ? len : room;

	if (to == NULL || take == 0)
		return 0;
	memcpy(to, bytes, take);
	br_ssl_engine_sendapp_ack(&tls->client.eng, take);
	br_ssl_engine_flush(&tls->client.eng, 0);
	return take;
}

bool
tls_flushed(const struct tls *tls)
{
	return (br_ssl_engine_current_state(engine(tls)) & BR_SSL_SENDREC) ==
		       0 &&
	       (tls->outer == NULL || tls_flushed(tls->outer));
}

size_t
tls_recv(struct tls *tls, void *bytes, size_t len, bool *ended, bool *clean)
{
	size_t available = 0;
	const unsigned char *from =
		br_ssl_engine_recvapp_buf(&tls->client.eng, &available);
	size_t take = len < available ? len : available;
	bool closed =
		(br_ssl_engine_current_state(engine(tls)) & BR_SSL_CLOSED) != 0;

	*ended = false;
	*clean = false;
	if (from != NULL && take > 0) {
		memcpy(bytes, from, take);
		br_ssl_engine_recvapp_ack(&tls->client.eng, take);
		return take;
	}
	/* Closed without an error means that close_notify came. */
	*clean = closed && br_ssl_engine_last_error(engine(tls)) == 0;
	*ended = closed || tls->peer_gone;
	return 0;
}

void
tls_wipe(struct tls *tls)
{
	wipe(&tls->client, sizeof(tls->client));
	wipe(tls->records, sizeof(tls->records));
	tls->first_length = 0;
	tls->peer_gone = false;
}
