#include "gcp/cred_token.h"

#include "base/codec.h"

/* A token with less life than this is not worth using, in seconds. */
#define TOKEN_LIFE_MIN 10
/* Assumed where the reply names no life (RFC 6749 section 5.1). */
#define TOKEN_LIFE_UNKNOWN 300
/* Longer lives are cut to this. */
#define TOKEN_LIFE_MAX 86400

const struct conn_limits CRED_LIMITS = {
	.dial = { .resolve_ms = 10000, .connect_ms = 5000 },
	.handshake_ms = 10000,
	.first_byte_ms = 20000,
	.exchange_ms = 30000,
};

enum code
token_set(struct token *token, struct json_value text, int64_t life_s,
	  struct status *st)
{
	/* What a bearer token is made of (RFC 6750 section 2.1). */
	if (!json_cstr(text, token->text, sizeof(token->text)) ||
	    !str_only(str_from(token->text), "!-~"))
		(void)status_set(st, CODE_UNAVAILABLE,
				 "the reply holds no usable access_token");
	else if (life_s < TOKEN_LIFE_MIN)
		(void)status_set(st, CODE_UNAVAILABLE,
				 "the token expires in %lld s",
				 (long long)life_s);
	if (st->code != CODE_OK) {
		token_wipe(token);
		return st->code;
	}
	if (life_s > TOKEN_LIFE_MAX)
		life_s = TOKEN_LIFE_MAX;
	token->expires_at = clock_unix() + life_s;
	return CODE_OK;
}

enum code
token_take(struct token *token, struct call *call,
	   const struct call_service *service, struct status *st)
{
	struct json_value root = json_root(&call->json);
	struct json_value life = json_get(root, "expires_in");
	uint64_t seconds = TOKEN_LIFE_UNKNOWN;

	if (call_check_oauth(call, service, st) != CODE_OK)
		return st->code;
	if (json_type(life) != JSON_ABSENT && !json_uint(life, &seconds))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply's expires_in is no whole number");
	if (seconds > TOKEN_LIFE_MAX)
		seconds = TOKEN_LIFE_MAX;
	return token_set(token, json_get(root, "access_token"),
			 (int64_t)seconds, st);
}

void
token_wipe(struct token *token)
{
	wipe(token, sizeof(*token));
}

void
cred_set_target(struct cred *cred, const struct url *url,
		const struct conn_limits *limits)
{
	struct conn *ahead = cred->conn.opening_ahead;

	if (cred->conn.url == url && cred->conn.limits == limits)
		return;
	conn_close(&cred->conn);
	conn_init(&cred->conn, url, cred->network, limits);
	if (cred->has_own_trust)
		conn_use_trust(&cred->conn, &cred->own_trust);
	cred->conn.opening_ahead = ahead;
}

void
cred_put_form(struct buf *out, const char *name, struct str value)
{
	if (out->len > 0)
		buf_put_char(out, '&');
	buf_put_cstr(out, name);
	buf_put_char(out, '=');
	percent_encode(out, value);
}

void
cred_put_secret(struct call *call, const char *name, struct str value)
{
	cred_put_form(&call->request, name, STR(""));
	call->secret_from = call->request.len;
	percent_encode(&call->request, value);
	call->secret_len = call->request.len - call->secret_from;
}

/* "Basic " and the base64 of "ID:SECRET" (RFC 7617). */
static struct str
put_basic(struct cred *cred)
{
	char memory[sizeof(cred->client_id) + sizeof(cred->client_secret)];
	struct buf pair, out;

	buf_init(&pair, memory, sizeof(memory));
	buf_put_cstr(&pair, cred->client_id);
	buf_put_char(&pair, ':');
	buf_put_cstr(&pair, cred->client_secret);
	buf_init(&out, cred->authorization, sizeof(cred->authorization));
	buf_put_cstr(&out, "Basic ");
	base64_encode(&out, pair.ptr, pair.len);
	buf_wipe(&pair);
	return buf_view(&out);
}

enum code
cred_post_form(struct cred *cred, struct call *call, const char *name,
	       bool basic, struct deadline until, struct token *token,
	       struct status *st)
{
	const struct call_service service = { &cred->conn, name,
					      cred->type->hints, false };
	struct http_field fields[] = {
		{ STR("Content-Type"),
		  STR("application/x-www-form-urlencoded") },
		{ STR("Authorization"), STR("") },
	};

	if (basic)
		fields[1].value = put_basic(cred);
	secrets_add(&call->secrets, str_from(cred->client_secret));
	secrets_add(&call->secrets,
		    str_skip(fields[1].value, sizeof("Basic ") - 1));
	if (call_run(call, &service, "POST", fields, basic ? 2 : 1, until,
		     st) == CODE_OK)
		(void)token_take(token, call, &service, st);
	buf_reset(&call->request);
	wipe(cred->authorization, sizeof(cred->authorization));
	return st->code;
}
