/* Every error number of BearSSL's engine becomes a sentence with a remedy. */
#include "net/tls_errors.h"

#include <bearssl.h>

#include "test.h"

static struct status st;

static void
explain(int error)
{
	status_clear(&st);
	assert_int_equal(tls_explain("host.example", error, &st),
			 CODE_UNAVAILABLE);
}

TEST(every_number_has_host_sentence_and_remedy)
{
	for (int error = 1; error < BR_ERR_SEND_FATAL_ALERT + 256; error++) {
		explain(error);
		assert_int_equal(strncmp(st.message, "host.example: ", 14), 0);
		assert_true(strlen(st.message) > 30);
		assert_true(st.hint[0] != '\0');
	}
}

TEST(what_happened_is_named)
{
	static const struct {
		int error;
		const char *sentence;
		bool permanent;
	} rows[] = {
		{ BR_ERR_UNSUPPORTED_VERSION, "other than TLS 1.2", true },
		{ BR_ERR_BAD_VERSION, "does not speak TLS", true },
		{ BR_ERR_UNKNOWN_TYPE, "does not speak TLS", true },
		{ BR_ERR_BAD_LENGTH, "wrong length", false },
		{ BR_ERR_TOO_LARGE, "too large", false },
		{ BR_ERR_BAD_MAC, "damaged", false },
		{ BR_ERR_NO_RANDOM, "no entropy", true },
		{ BR_ERR_BAD_CIPHER_SUITE, "cipher suite", true },
		{ BR_ERR_BAD_SECRENEG, "renegotiation", true },
		{ BR_ERR_LIMIT_EXCEEDED, "larger than", true },
		{ BR_ERR_BAD_FINISHED, "tampered", false },
		{ BR_ERR_INVALID_ALGORITHM, "not offered", true },
		{ BR_ERR_BAD_SIGNATURE, "signature", false },
		{ BR_ERR_WRONG_KEY_USAGE, "does not fit", true },
		{ BR_ERR_IO, "the connection broke", false },
		{ BR_ERR_BAD_PARAM, "BearSSL error 1)", true },
		{ BR_ERR_UNEXPECTED, "broke the TLS protocol", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		explain(rows[i].error);
		if (strstr(st.message, rows[i].sentence) == NULL ||
		    st.permanent != rows[i].permanent)
			fail_msg("%d: %s", rows[i].error, st.message);
	}
}

/* RFC 5246 section 7.2, RFC 6066 section 3, RFC 7301 section 3.2. */
TEST(alerts_are_named_as_the_rfcs_do)
{
	static const struct {
		int alert;
		const char *sentence;
		bool permanent;
	} rows[] = {
		{ 10, "unexpected_message", true },
		{ 20, "bad_record_mac", false },
		{ 40, "cipher suites, curves or signatures", true },
		{ 47, "illegal_parameter", true },
		{ 48, "unknown_ca", true },
		{ 49, "access_denied", true },
		{ 50, "decode_error", true },
		{ 51, "decrypt_error", false },
		{ 70, "refuses TLS 1.2", true },
		{ 71, "policy refuses", true },
		{ 80, "internal_error", false },
		{ 112, "does not know this host name", true },
		{ 116, "client certificate", true },
		{ 120, "does not speak HTTP/1.1", true },
		{ 0, "alert 0", true },
		{ 99, "alert 99", true },
		{ 255, "alert 255", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		explain(BR_ERR_RECV_FATAL_ALERT + rows[i].alert);
		if (strstr(st.message, "TLS handshake failed: ") == NULL ||
		    strstr(st.message, rows[i].sentence) == NULL ||
		    st.permanent != rows[i].permanent)
			fail_msg("%d: %s", rows[i].alert, st.message);
	}
}
