#include "gcp/jwt.h"

#include <string.h>

#include "base/codec.h"
#include "base/json_write.h"
#include "net/pem.h"
#include "net/sha256.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define SIGNATURE_MAX (RSA_BITS_MAX / 8)

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
				br_skey_decoder_push(&key->decoder, pem->bytes,
						     pem->count);
			break;
		case PEM_END:
			if (*wanted)
				return true;
			break;
		case PEM_ERROR:
			*wanted = false;
			br_skey_decoder_init(&key->decoder);
			break;
		case PEM_MORE:
			break;
		}
	}
	return false;
}

static enum code
refuse(const char *why, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "private_key %s", why);
}

static enum code
check_key(const struct jwt_key *key, struct status *st)
{
	const br_rsa_private_key *rsa;
	const br_ec_private_key *ec;

	if (br_skey_decoder_last_error(&key->decoder) != 0)
		return refuse("is no unencrypted RSA or EC key", st);
	if (jwt_key_is_rsa(key)) {
		rsa = br_skey_decoder_get_rsa(&key->decoder);
		if (rsa->n_bitlen < RSA_BITS_MIN ||
		    rsa->n_bitlen > RSA_BITS_MAX)
			return refuse("is an RSA key, but not of 2048 to 4096 "
				      "bits",
				      st);
		return CODE_OK;
	}
	ec = br_skey_decoder_get_ec(&key->decoder);
	if (ec == NULL || ec->curve != BR_EC_secp256r1)
		return refuse("is an EC key, but not on P-256", st);
	return CODE_OK;
}

enum code
jwt_key_read(struct jwt_key *key, struct str pem, struct status *st)
{
	struct pem_reader reader = { .count = 0 };
	bool found, wanted = false;

	br_skey_decoder_init(&key->decoder);
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
	return br_skey_decoder_key_type(&key->decoder) == BR_KEYTYPE_RSA;
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
	const br_rsa_private_key *rsa;

	sha256(text, hash);
	if (!jwt_key_is_rsa(key))
		return br_ecdsa_i31_sign_raw(
			&br_ec_p256_m31, &br_sha256_vtable, hash,
			br_skey_decoder_get_ec(&key->decoder), signature);
	rsa = br_skey_decoder_get_rsa(&key->decoder);
	if (br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash,
					    sizeof(hash), rsa, signature) != 1)
		return 0;
	return (rsa->n_bitlen + 7) / 8;
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
