#include "gcp/jwt.h"

#include <string.h>

#include "base/codec.h"
#include "base/json_write.h"
#include "net/der.h"
#include "net/pem.h"
#include "net/sha256.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define SIGNATURE_MAX (RSA_BITS_MAX / 8)

#define FACTOR_MAX (RSA_BITS_MAX / 8 / 2 + 4) /* as BearSSL takes it */
#define P256_SIZE 32

#define OID_RSA STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_EC STR("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_P256 STR("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define CURVE_TAG 0xa0

/* One that does not fit counts on, and is refused in the end. */
static void
take_bytes(struct jwt_key *key, const struct pem_reader *pem)
{
	if (key->len <= sizeof(key->der) &&
	    pem->count <= sizeof(key->der) - key->len)
		memcpy(key->der + key->len, pem->bytes, pem->count);
	key->len += pem->count;
}

/*
 * Whether the first private key in the text has ended. `*wanted`: whether one
 * has begun.
 */
static bool
decode_key(struct jwt_key *key, struct pem_reader *pem, struct str text,
	   bool *wanted)
{
	while (text.len > 0) {
		switch (pem_next(pem, &text)) {
		case PEM_BEGIN:
			/* "RSA PRIVATE KEY" and "EC PRIVATE KEY", too */
			*wanted = str_ends(str_from(pem->label),
					   STR("PRIVATE KEY"));
			break;
		case PEM_BYTES:
			if (*wanted)
				take_bytes(key, pem);
			break;
		case PEM_END:
			if (*wanted)
				return true;
			break;
		case PEM_ERROR:
			*wanted = false;
			key->len = 0;
			break;
		case PEM_MORE:
			break;
		}
	}
	return false;
}

/* SEQUENCE and version, which all private keys start with. */
static bool
open_key(struct str der, struct str *rest)
{
	struct der whole, version;

	if (!der_expect(&der, DER_SEQUENCE, &whole) || der.len > 0)
		return false;
	*rest = whole.content;
	return der_expect(rest, DER_INTEGER, &version);
}

static bool
take_number(struct str *rest, unsigned char **number, size_t *len)
{
	struct der element;
	struct str bytes;

	if (!der_expect(rest, DER_INTEGER, &element) ||
	    !der_unsigned(element.content, &bytes))
		return false;
	/* BearSSL's structures lack const, but it never writes through them. */
	*number = (unsigned char *)(uintptr_t)bytes.ptr;
	*len = bytes.len;
	return true;
}

/* The rest of RSAPrivateKey, RFC 8017 appendix A.1.2. */
static bool
read_rsa(struct jwt_key *key, struct str rest)
{
	br_rsa_private_key *rsa = &key->rsa;
	unsigned char *n, *other;
	size_t len, other_len;

	if (!take_number(&rest, &n, &len) ||
	    !take_number(&rest, &other, &other_len) ||
	    !take_number(&rest, &other, &other_len) ||
	    !take_number(&rest, &rsa->p, &rsa->plen) ||
	    !take_number(&rest, &rsa->q, &rsa->qlen) ||
	    !take_number(&rest, &rsa->dp, &rsa->dplen) ||
	    !take_number(&rest, &rsa->dq, &rsa->dqlen) ||
	    !take_number(&rest, &rsa->iq, &rsa->iqlen) || rest.len > 0)
		return false;
	key->is_rsa = true;
	rsa->n_bitlen = (uint32_t)(8 * len);
	for (unsigned top = 0x80; top > n[0]; top >>= 1)
		rsa->n_bitlen--;
	return true;
}

/* The rest of ECPrivateKey, RFC 5915 section 3. `curve`: empty, or known. */
static bool
read_ec(struct jwt_key *key, struct str rest, struct str curve)
{
	struct der secret, next, named;

	if (!der_expect(&rest, DER_OCTET_STRING, &secret))
		return false;
	while (rest.len > 0) {
		if (!der_next(&rest, &next))
			return false;
		if (next.tag != CURVE_TAG)
			continue;
		if (!der_expect(&next.content, DER_OID, &named))
			return false;
		curve = named.content;
	}
	key->is_rsa = false;
	key->ec.curve = str_eq(curve, OID_P256) ? BR_EC_secp256r1 : 0;
	key->ec.x = (unsigned char *)(uintptr_t)secret.content.ptr;
	key->ec.xlen = secret.content.len;
	return key->ec.curve == 0 || key->ec.xlen <= P256_SIZE;
}

/* PKCS #8 (RFC 5208 section 5), which holds one of the others, or these. */
static bool
read_key(struct jwt_key *key, struct str der)
{
	struct der algorithm, oid, named = { .tag = 0 }, inner;
	struct str rest;

	if (!open_key(der, &rest))
		return false;
	if (!der_expect(&rest, DER_SEQUENCE, &algorithm))
		return read_rsa(key, rest) || read_ec(key, rest, STR(""));
	if (!der_expect(&algorithm.content, DER_OID, &oid) ||
	    !der_expect(&rest, DER_OCTET_STRING, &inner) ||
	    !open_key(inner.content, &rest))
		return false;
	if (str_eq(oid.content, OID_RSA))
		return read_rsa(key, rest);
	return str_eq(oid.content, OID_EC) &&
	       der_expect(&algorithm.content, DER_OID, &named) &&
	       read_ec(key, rest, named.content);
}

static enum code
refuse(const char *why, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "private_key %s", why);
}

static enum code
check_key(struct jwt_key *key, struct status *st)
{
	static const char NO_KEY[] = "is no unencrypted RSA or EC key";
	const br_rsa_private_key *rsa = &key->rsa;

	if (key->len > sizeof(key->der) ||
	    !read_key(key, (struct str){ (const char *)key->der, key->len }))
		return refuse(NO_KEY, st);
	if (!key->is_rsa && key->ec.curve == 0)
		return refuse("is an EC key, but not on P-256", st);
	if (!key->is_rsa)
		return CODE_OK;
	if (rsa->n_bitlen < RSA_BITS_MIN || rsa->n_bitlen > RSA_BITS_MAX)
		return refuse("is an RSA key, but not of 2048 to 4096 bits",
			      st);
	if (rsa->plen > FACTOR_MAX || rsa->qlen > FACTOR_MAX)
		return refuse(NO_KEY, st);
	return CODE_OK;
}

enum code
jwt_key_read(struct jwt_key *key, struct str pem, struct status *st)
{
	struct pem_reader reader = { .count = 0 };
	bool found, wanted = false;

	key->len = 0;
	/* The last line may lack its end. */
	found = decode_key(key, &reader, pem, &wanted) ||
		decode_key(key, &reader, STR("\n"), &wanted);
	wipe(&reader, sizeof(reader));
	if (!found)
		(void)refuse("holds no PEM block of a private key", st);
	else
		(void)check_key(key, st);
	if (st->code != CODE_OK)
		wipe(key, sizeof(*key));
	return st->code;
}

bool
jwt_key_is_rsa(const struct jwt_key *key)
{
	return key->is_rsa;
}

/* Base64 for URLs, without padding (RFC 7515 section 2). */
static void
put_base64url(struct buf *out, const void *bytes, size_t len)
{
	size_t from = out->len;

	base64_encode(out, bytes, len);
	if (out->overflow)
		return;
	while (out->len > from && out->ptr[out->len - 1] == '=')
		out->len--;
	for (size_t i = from; i < out->len; i++)
		if (out->ptr[i] == '+')
			out->ptr[i] = '-';
		else if (out->ptr[i] == '/')
			out->ptr[i] = '_';
}

static void
put_header(struct buf *out, const char *algorithm, const char *key_id)
{
	char memory[512];
	struct json_writer json;
	struct buf text;

	buf_init(&text, memory, sizeof(memory));
	json_writer_init(&json, &text);
	json_open_object(&json);
	json_member(&json, "alg", str_from(algorithm));
	if (key_id[0] != '\0')
		json_member(&json, "kid", str_from(key_id));
	json_member(&json, "typ", STR("JWT"));
	json_close(&json);
	if (!json_writer_done(&json))
		out->overflow = true;
	put_base64url(out, text.ptr, text.len);
}

/* The length of the signature, or 0. */
static size_t
sign(const struct jwt_key *key, struct str text,
     unsigned char signature[static SIGNATURE_MAX])
{
	unsigned char hash[SHA256_SIZE];

	sha256(text, hash);
	if (!key->is_rsa)
		return br_ecdsa_i31_sign_raw(&br_ec_p256_m31, &br_sha256_vtable,
					     hash, &key->ec, signature);
	if (br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash,
					    sizeof(hash), &key->rsa,
					    signature) != 1)
		return 0;
	return (key->rsa.n_bitlen + 7) / 8;
}

enum code
jwt_sign(const struct jwt_key *key, const char *key_id, struct str claims,
	 struct buf *out, struct status *st)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t from = out->len, len = 0;

	put_header(out, jwt_key_is_rsa(key) ? "RS256" : "ES256", key_id);
	buf_put_char(out, '.');
	put_base64url(out, claims.ptr, claims.len);
	if (!out->overflow)
		len = sign(key,
			   (struct str){ out->ptr + from, out->len - from },
			   signature);
	buf_put_char(out, '.');
	put_base64url(out, signature, len);
	if (len == 0 || out->overflow)
		return status_set(st, CODE_INTERNAL,
				  "a token cannot be signed with this key");
	return CODE_OK;
}
