#include "net/tls_errors.h"

#include <bearssl.h>

/* Errors of the engine with a message of their own. */
static const struct {
	int error;
	bool permanent;
	const char *what;
	const char *hint;
} ERRORS[] = {
	{ BR_ERR_UNSUPPORTED_VERSION, true,
	  "it chose a version other than TLS 1.2, which this program requires",
	  "allow TLS 1.2 there" },
	{ BR_ERR_BAD_VERSION, true, "it does not speak TLS on this port",
	  "check the port and the scheme of the URL" },
	{ BR_ERR_BAD_LENGTH, false, "a TLS record has a wrong length", NULL },
	{ BR_ERR_TOO_LARGE, false, "a TLS record is too large", NULL },
	{ BR_ERR_BAD_MAC, false, "a TLS record was damaged on its way",
	  "something in between changes the bytes" },
	{ BR_ERR_NO_RANDOM, true, "no entropy for TLS", NULL },
	{ BR_ERR_UNKNOWN_TYPE, true, "it does not speak TLS on this port",
	  "check the port and the scheme of the URL" },
	{ BR_ERR_BAD_CIPHER_SUITE, true,
	  "it chose a cipher suite that was not offered",
	  "allow TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305 there" },
	{ BR_ERR_BAD_SECRENEG, true, "secure renegotiation failed", NULL },
	{ BR_ERR_LIMIT_EXCEEDED, true,
	  "its handshake is larger than this program takes", NULL },
	{ BR_ERR_BAD_FINISHED, false, "the handshake was tampered with",
	  "something in between changes the bytes" },
	{ BR_ERR_INVALID_ALGORITHM, true,
	  "it chose an algorithm that was not offered", NULL },
	{ BR_ERR_BAD_SIGNATURE, false,
	  "the signature of its key exchange is "
	  "wrong",
	  NULL },
	{ BR_ERR_WRONG_KEY_USAGE, true, "its key does not fit the cipher suite",
	  NULL },
	{ BR_ERR_IO, false, "the connection broke", NULL },
};

/* Alerts of RFC 5246 section 7.2 with a known cause. */
static const struct {
	int alert;
	const char *name;
	const char *what;
	const char *hint;
} ALERTS[] = {
	{ 10, "unexpected_message", NULL, NULL },
	{ 20, "bad_record_mac", NULL, NULL },
	{ 40, "handshake_failure",
	  "the server accepts none of the cipher suites, curves or signatures "
	  "that were offered",
	  "TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305 must be "
	  "allowed there; a FIPS server may also require Extended Master "
	  "Secret, which this program lacks" },
	{ 47, "illegal_parameter", NULL, NULL },
	{ 48, "unknown_ca", NULL, NULL },
	{ 49, "access_denied", NULL, NULL },
	{ 50, "decode_error", NULL, NULL },
	{ 51, "decrypt_error", NULL, NULL },
	{ 70, "protocol_version",
	  "the server refuses TLS 1.2, and this program speaks TLS 1.2 only",
	  "allow TLS 1.2 there" },
	{ 71, "insufficient_security",
	  "the server's policy refuses what was offered", NULL },
	{ 80, "internal_error", NULL, NULL },
	{ 112, "unrecognized_name", "the server does not know this host name",
	  "check the host name" },
	{ 116, "certificate_required",
	  "the server asks for a client certificate", NULL },
	{ 120, "no_application_protocol", "the server does not speak HTTP/1.1",
	  NULL },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Alerts that may not come again on a retry. */
static bool
is_passing(int alert)
{
	return alert == 20 || alert == 51 || alert == 80;
}

/* For all else. */
static void
hint_at_path(struct status *st)
{
	status_hint(st, "check what stands between here and the server "
			"(proxy, firewall), then the server's TLS settings");
}

static enum code
explain_alert(const char *host, int alert, struct status *st)
{
	st->permanent = !is_passing(alert);
	for (size_t i = 0; i < COUNT(ALERTS); i++) {
		if (ALERTS[i].alert != alert)
			continue;
		if (ALERTS[i].hint != NULL)
			status_hint(st, "%s", ALERTS[i].hint);
		hint_at_path(st);
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: TLS handshake failed: %s%salert %s",
				  host,
				  ALERTS[i].what != NULL ? ALERTS[i].what : "",
				  ALERTS[i].what != NULL ? ", " : "",
				  ALERTS[i].name);
	}
	hint_at_path(st);
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: TLS handshake failed: alert %d", host, alert);
}

enum code
tls_explain(const char *host, int error, struct status *st)
{
	if (error >= BR_ERR_RECV_FATAL_ALERT && error < BR_ERR_SEND_FATAL_ALERT)
		return explain_alert(host, error - BR_ERR_RECV_FATAL_ALERT, st);
	for (size_t i = 0; i < COUNT(ERRORS); i++) {
		if (ERRORS[i].error != error)
			continue;
		st->permanent = ERRORS[i].permanent;
		if (ERRORS[i].hint != NULL)
			status_hint(st, "%s", ERRORS[i].hint);
		hint_at_path(st);
		return status_set(st, CODE_UNAVAILABLE, "%s: TLS: %s", host,
				  ERRORS[i].what);
	}
	st->permanent = true;
	hint_at_path(st);
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: it broke the TLS protocol (BearSSL error %d)",
			  host, error);
}
