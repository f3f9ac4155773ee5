#include "net/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "base/bounds.h"
#include "net/tls_errors.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#define SEED_SIZE 48

/* Reads and writes of one step; each moves a part of a record at most. */
#define MOVES_MAX 64

#define RECORD_ALERT 21

/* Forward secrecy and authenticated encryption only (RFC 7525 section 4.2). */
static const uint16_t AES_FIRST[] = {
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};

/* The same for processors without AES instructions. */
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

/* Every x86-64 has SSE2. */
#ifdef __SSE2__
#define CHACHA20 br_chacha20_sse2_run
#else
#define CHACHA20 br_chacha20_ct_run
#endif

/*
 * As br_ssl_engine_set_default_chapol() and _aes_gcm() do, but what is slower
 * and needs less code stands in where the processor has no instructions for it:
 * a run has a few KiB to encrypt. All of it takes constant time.
 */
static void
set_chapol(br_ssl_engine_context *eng)
{
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable,
				 &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(eng, CHACHA20);
	br_ssl_engine_set_poly1305(eng, br_poly1305_ctmul_run);
}

/* `aes`: with the processor's instructions, or NULL. */
static void
set_gcm(br_ssl_engine_context *eng, const br_block_ctr_class *aes)
{
	br_ghash ghash = br_ghash_pclmul_get();

	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable,
			      &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(eng,
				  aes != NULL ? aes : &br_aes_ct_ctr_vtable);
	br_ssl_engine_set_ghash(eng, ghash != 0 ? ghash : br_ghash_ctmul64);
}

static void
set_profile(br_ssl_client_context *client)
{
	br_ssl_engine_context *eng = &client->eng;
	const br_block_ctr_class *aes = br_aes_x86ni_ctr_get_vtable();

	br_ssl_client_zero(client);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(eng, aes != NULL ? AES_FIRST : CHACHA_FIRST,
				 sizeof(AES_FIRST) / sizeof(AES_FIRST[0]));
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(eng, br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, br_tls12_sha384_prf);
	set_gcm(eng, aes);
	set_chapol(eng);
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

/* Content types of TLS records are 20 to 23 (RFC 5246 section 6.2.1). */
static bool
is_plain_text(const struct tls *tls)
{
	return tls->first_length > 0 &&
	       (tls->first[0] < 20 || tls->first[0] > 23);
}

static enum code
explain(const struct tls *tls, struct status *st)
{
	int error = br_ssl_engine_last_error(engine(tls));

	if (is_plain_text(tls)) {
		st->permanent = true;
		status_hint(st, "check the port and the scheme of the URL");
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: it does not speak TLS on this port%s",
				  tls->host,
				  memcmp(tls->first, "HTTP", 4) == 0
					  ? ", it answers in plain HTTP"
					  : "");
	}
	if (x509_explain(&tls->x509, st) != CODE_OK)
		return st->code;
	return tls_explain(tls->host, error, st);
}

/* Sends what the engine has for the peer; true if anything moved. */
static bool
send_records(struct tls *tls)
{
	struct status ignored = { .code = CODE_OK };
	size_t len;
	unsigned char *bytes =
		br_ssl_engine_sendrec_buf(&tls->client.eng, &len);
	ssize_t put = tls->below->send(tls->below, bytes, len, &ignored);

	if (put > 0)
		br_ssl_engine_sendrec_ack(&tls->client.eng, (size_t)put);
	/* What the peer sent before it closed may still be readable. */
	if (put < 0)
		tls->peer_gone = true;
	return put > 0;
}

static void
remember_first(struct tls *tls, const unsigned char *bytes, size_t len)
{
	size_t take = sizeof(tls->first) - tls->first_length;

	take = len < take ? len : take;
	memcpy(tls->first + tls->first_length, bytes, take);
	tls->first_length += take;
}

/*
 * Parses record headers; true if a record has ended. The engine reads a header
 * or the content after it, never beyond.
 */
static bool
parse_records(struct tls_records *in, const unsigned char *bytes, size_t len)
{
	if (in->header_length < sizeof(in->header)) {
		memcpy(in->header + in->header_length, bytes, len);
		in->header_length += len;
		if (in->header_length < sizeof(in->header))
			return false;
		in->left = (size_t)in->header[3] << 8 | in->header[4];
		in->zeros = true;
	} else {
		for (size_t i = 0; i < len; i++)
			in->zeros = in->zeros && bytes[i] == 0;
		in->left -= len;
	}
	if (in->left > 0)
		return false;
	in->header_length = 0;
	return true;
}

/*
 * Whether the record that has ended had no effect. Once the session is open:
 * no byte of data. Before: an alert that ended nothing, no content, or
 * HelloRequests, which are zeros only (RFC 5246 section 7.4.1.1).
 */
static bool
is_idle(const struct tls *tls, bool was_open)
{
	if (was_open)
		return (br_ssl_engine_current_state(engine(tls)) &
			BR_SSL_RECVAPP) == 0;
	return tls->incoming.header[0] == RECORD_ALERT || tls->incoming.zeros;
}

/* Fails for a peer that keeps sending without progress. */
static enum code
check_progress(struct tls *tls, bool was_open, bool record_ended, size_t len,
	       struct status *st)
{
	struct tls_records *in = &tls->incoming;

	if (record_ended)
		in->idle = is_idle(tls, was_open) ? in->idle + 1 : 0;
	in->handshake += was_open ? 0 : len;
	/* The engine's error says what broke the session. */
	if ((br_ssl_engine_current_state(engine(tls)) & BR_SSL_CLOSED) != 0)
		return CODE_OK;
	if (in->idle <= TLS_IDLE_RECORDS_MAX &&
	    in->handshake <= TLS_HANDSHAKE_MAX)
		return CODE_OK;
	status_hint(st, "the server, or what stands before it, is broken or "
			"hostile: check where the name leads");
	if (in->idle > TLS_IDLE_RECORDS_MAX)
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: more than %d TLS records in a row lead "
				  "to nothing",
				  tls->host, TLS_IDLE_RECORDS_MAX);
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: the TLS handshake is larger than %d bytes",
			  tls->host, TLS_HANDSHAKE_MAX);
}

/* Gives received bytes to the engine; `*moved` if there were any. */
static enum code
receive_records(struct tls *tls, bool *moved, struct status *st)
{
	bool was_open = tls_ready(tls);
	bool record_ended;
	size_t len;
	unsigned char *bytes =
		br_ssl_engine_recvrec_buf(&tls->client.eng, &len);
	ssize_t got = tls->below->recv(tls->below, bytes, len, st);

	*moved = got > 0;
	if (got > 0) {
		remember_first(tls, bytes, (size_t)got);
		record_ended =
			parse_records(&tls->incoming, bytes, (size_t)got);
		br_ssl_engine_recvrec_ack(&tls->client.eng, (size_t)got);
		return check_progress(tls, was_open, record_ended, (size_t)got,
				      st);
	}
	if (got < 0)
		tls->peer_gone = true;
	return st->code;
}

enum code
tls_step(struct tls *tls, struct status *st)
{
	bool moved = true;

	for (unsigned moves = 0; moved && moves < MOVES_MAX; moves++) {
		unsigned state = br_ssl_engine_current_state(engine(tls));

		moved = false;
		if ((state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0)
			tls->open = true;
		if (x509_refused(&tls->x509))
			return explain(tls, st);
		if ((state & BR_SSL_CLOSED) != 0)
			return br_ssl_engine_last_error(engine(tls)) == 0
				       ? CODE_OK
				       : explain(tls, st);
		/* A record that was refused is not sent later, in half. */
		if ((state & BR_SSL_SENDREC) != 0 && !tls->peer_gone)
			moved = send_records(tls);
		if (!moved && (state & BR_SSL_RECVREC) != 0 &&
		    receive_records(tls, &moved, st) != CODE_OK)
			return st->code;
	}
	tls->cut_short = moved;
	if (tls->peer_gone && !tls_ready(tls)) {
		if (is_plain_text(tls))
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
	return tls->open;
}

const struct certificate *
tls_certificate(const struct tls *tls)
{
	return tls->x509.count > 0 ? &tls->x509.certificate[0] : NULL;
}

const char *
tls_cipher_suite(const struct tls *tls)
{
#define ROW(name) \
	case BR_##name: \
		return #name;
	switch (engine(tls)->session.cipher_suite) {
		ROW(TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
		ROW(TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
		ROW(TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)
		ROW(TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)
		ROW(TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256)
		ROW(TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256)
	default:
		return "";
	}
#undef ROW
}

/* Takes bytes into the engine, and moves records so that they leave. */
static ssize_t
tls_send(struct stream *stream, const void *bytes, size_t len,
	 struct status *st)
{
	struct tls *tls = (struct tls *)stream;
	size_t room = 0;
	unsigned char *to = br_ssl_engine_sendapp_buf(&tls->client.eng, &room);
	size_t take = to == NULL ? 0 : len < room ? len : room;

	if (take > 0) {
		memcpy(to, bytes, take);
		br_ssl_engine_sendapp_ack(&tls->client.eng, take);
		br_ssl_engine_flush(&tls->client.eng, 0);
	}
	if (tls_step(tls, st) != CODE_OK)
		return STREAM_FAILED;
	return (ssize_t)take;
}

/* Copies decrypted data; returns its length, which may be 0. */
static size_t
read_data(struct tls *tls, void *bytes, size_t len)
{
	size_t available = 0;
	const unsigned char *from =
		br_ssl_engine_recvapp_buf(&tls->client.eng, &available);
	size_t take = len < available ? len : available;

	if (from == NULL || take == 0)
		return 0;
	memcpy(bytes, from, take);
	br_ssl_engine_recvapp_ack(&tls->client.eng, take);
	return take;
}

static ssize_t
tls_recv(struct stream *stream, void *bytes, size_t len, struct status *st)
{
	struct tls *tls = (struct tls *)stream;
	size_t got = read_data(tls, bytes, len);

	if (got == 0) {
		if (tls_step(tls, st) != CODE_OK)
			return STREAM_FAILED;
		got = read_data(tls, bytes, len);
	}
	if (got > 0)
		return (ssize_t)got;
	/* Closed without an error means that close_notify came. */
	if ((br_ssl_engine_current_state(engine(tls)) & BR_SSL_CLOSED) != 0)
		return STREAM_ENDED;
	return tls->peer_gone ? STREAM_CUT : STREAM_WAIT;
}

static short
tls_events(const struct stream *stream)
{
	const struct tls *tls = (const struct tls *)stream;
	unsigned state = br_ssl_engine_current_state(engine(tls));
	short events;

	if (tls->peer_gone || tls->cut_short ||
	    (state & (BR_SSL_CLOSED | BR_SSL_RECVAPP)) != 0)
		return 0;
	events = tls->below->events(tls->below);
	/* The engine has to send before it can take more. */
	if ((state & BR_SSL_RECVREC) == 0)
		events &= ~POLLIN;
	return events;
}

enum code
tls_start(struct tls *tls, const char *host, const struct trust *trust,
	  struct stream *below, struct status *st)
{
	br_ssl_engine_context *eng = &tls->client.eng;
	unsigned char seed[SEED_SIZE];

	/* BearSSL does not check iPAddress, and would match a dNSName. */
	if (is_literal(host)) {
		status_hint(st, "use the server's name; "
				"SECRET_MANAGER_CONNECT_TO leads to another "
				"address");
		st->permanent = true;
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: TLS to an IP address is not supported: "
				  "certificates are checked for names only",
				  host);
	}
	tls->stream = (struct stream){ tls_send, tls_recv, tls_events };
	tls->below = below;
	tls->host = host;
	tls->peer_gone = false;
	tls->cut_short = false;
	tls->open = false;
	tls->incoming = (struct tls_records){ .idle = 0 };
	tls->first_length = 0;
	set_profile(&tls->client);
	x509_init(&tls->x509, eng, trust, host, clock_unix());
	br_ssl_engine_set_buffer(eng, tls->records, sizeof(tls->records), 1);
	if (!entropy_fill(seed, sizeof(seed)))
		return status_set(st, CODE_INTERNAL,
				  "the kernel gives no entropy (getrandom)");
	br_ssl_engine_inject_entropy(eng, seed, sizeof(seed));
	wipe(seed, sizeof(seed));
	if (br_ssl_client_reset(&tls->client, host, 0) == 0)
		return tls_explain(host, br_ssl_engine_last_error(eng), st);
	return CODE_OK;
}

void
tls_wipe(struct tls *tls)
{
	if (tls->below == NULL)
		return; /* never started, or wiped since */
	wipe(&tls->client, sizeof(tls->client));
	wipe(tls->records, sizeof(tls->records));
	tls->first_length = 0;
	tls->peer_gone = false;
	tls->below = NULL;
}
