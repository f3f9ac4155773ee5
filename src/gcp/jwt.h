/*
 * Floor 3, Google. JSON Web Tokens (RFC 7519), signed with the private key of
 * a credential file: RS256 with RSA, ES256 with P-256 (RFC 7518 section 3).
 */
#ifndef GCP_JWT_H
#define GCP_JWT_H

#include <bearssl.h>

#include "base/json.h"

/* A private key. Caller-owned; private to jwt.c, and secret: wipe it. */
struct jwt_key {
	bool is_rsa;
	br_rsa_private_key rsa;
	br_ec_private_key ec; /* its curve is 0 if it is another than P-256 */
	size_t len;
	unsigned char der[3072]; /* where the numbers of the key lie */
};

/*
 * Reads a PEM text (RFC 7468): PKCS #8, PKCS #1 or SEC 1, unencrypted, RSA of
 * 2048 to 4096 bits or ECDSA on P-256. INVALID_ARGUMENT says what is wrong,
 * and shows nothing of the text.
 */
MUST_CHECK enum code jwt_key_read(struct jwt_key *key, struct str pem,
				  struct status *st);

/* Whether the key is for RS256; otherwise it is for ES256. */
bool jwt_key_is_rsa(const struct jwt_key *key);

/*
 * Appends the signed token (JWS compact serialization, RFC 7515 section 7.1)
 * of the JSON text `claims`. `key_id` becomes `kid`, unless it is empty.
 * INTERNAL if it does not fit or cannot be signed.
 */
MUST_CHECK enum code jwt_sign(const struct jwt_key *key, const char *key_id,
			      struct str claims, struct buf *out,
			      struct status *st);

#endif
