#include "gcp/cred_key.h"

#include "base/json_write.h"
#include "sys/clock.h"

/* The key is decoded in the memory of the request, and wiped there. */
enum code
cred_key_read(const struct cred_file *f, bool rsa, struct status *st)
{
	struct json_value value = json_get(f->root, "private_key");
	struct buf *pem = &f->call->request;

	if (json_type(value) == JSON_ABSENT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s lacks private_key",
				  f->path);
	buf_reset(pem);
	if (!json_string(value, pem))
		return cred_file_refuse(f, "private_key",
					"is not a usable string", st);
	if (jwt_key_read(&f->cred->key, buf_view(pem), st) != CODE_OK)
		status_prefix(st, "credential file %s", f->path);
	buf_reset(pem);
	if (st->code == CODE_OK && jwt_key_is_rsa(&f->cred->key) != rsa)
		return cred_file_refuse(f, "private_key",
					rsa ? "is no RSA key" : "is no EC key",
					st);
	return st->code;
}

static void
claim(struct json_writer *json, const char *name, const char *value)
{
	if (value[0] != '\0')
		json_member(json, name, str_from(value));
}

enum code
cred_key_sign(const struct cred *cred, const struct claims *claims,
	      struct buf *out, struct status *st)
{
	uint64_t now = (uint64_t)(clock_unix() > 0 ? clock_unix() : 0);
	struct json_writer json;
	char memory[2048];
	struct buf text;

	now -= now < CRED_KEY_BACKDATE_S ? now : CRED_KEY_BACKDATE_S;
	buf_init(&text, memory, sizeof(memory));
	json_writer_init(&json, &text);
	json_open_object(&json);
	claim(&json, "aud", claims->audience);
	json_key(&json, "exp");
	json_put_uint(&json, now + CRED_KEY_LIFE_S);
	json_key(&json, "iat");
	json_put_uint(&json, now);
	claim(&json, "iss", cred->issuer);
	claim(&json, "scope", claims->scope);
	claim(&json, "sub", claims->subject);
	json_close(&json);
	if (!json_writer_done(&json))
		return status_set(st, CODE_INTERNAL, "the claims do not fit");
	return jwt_sign(&cred->key, cred->key_id, buf_view(&text), out, st);
}
