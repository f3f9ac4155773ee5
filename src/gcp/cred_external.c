#include "base/codec.h"
#include "base/json_walk.h"
#include "base/json_write.h"
#include "base/redact.h"
#include "gcp/cred_source.h"
#include "sys/file.h"

/* Wipes what stands in `body`, and says which source it came from. */
static enum code
unusable(struct call *call, const struct cred_subject *subject, const char *why,
	 struct status *st)
{
	buf_wipe(&call->body);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "the subject token of %s%s %s",
			  subject->path[0] != '\0' ? "file " : "",
			  subject->path[0] != '\0' ? subject->path
						   : subject->url.authority,
			  why);
}

/* The server saw the query, and may quote it, with or without encoding. */
static void
redact_query(struct buf *target, const char *query, struct status *st)
{
	struct buf plain;

	redact_status(st, str_from(query));
	buf_reset(target);
	buf_init(&plain, target->ptr, target->size);
	if (percent_decode(&plain, str_from(query)))
		redact_status(st, buf_view(&plain));
	buf_reset(&plain);
}

static enum code
fetch_subject(struct cred *cred, struct call *call, struct deadline until,
	      struct status *st)
{
	const struct cred_subject *subject = &cred->subject;
	const struct call_service service = { &cred->conn,
					      "the source of the subject "
					      "token" };

	cred_aim(cred, &subject->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	if (call->target.len == 0)
		buf_put_char(&call->target, '/');
	buf_put_cstr(&call->target, subject->query);
	call->any_content = true;
	(void)call_run(call, &service, "GET", subject->header,
		       subject->header_count, until, st);
	for (size_t i = 0; i < subject->header_count; i++)
		redact_status(st, subject->header[i].value);
	redact_query(&call->target, subject->query, st);
	return st->code;
}

static enum code
read_file(const struct cred_subject *subject, struct deadline until,
	  struct buf *out, struct status *st)
{
	if (file_read(subject->path, "credential_source.file", until, out,
		      st) != CODE_OK &&
	    st->code != CODE_CANCELLED && st->code != CODE_DEADLINE_EXCEEDED)
		st->code = CODE_INVALID_ARGUMENT;
	return st->code;
}

enum code
cred_read_pipe(struct cred *cred, struct deadline until, struct status *st)
{
	struct cred_subject *subject = &cred->subject;

	if (!file_is_pipe(subject->path))
		return CODE_OK;
	buf_init(&subject->kept, subject->kept_memory,
		 sizeof(subject->kept_memory));
	return read_file(subject, until, &subject->kept, st);
}

/* Into `call->body`. Kubernetes renews the file all the time. */
static enum code
read_subject(struct cred *cred, struct call *call, struct deadline until,
	     struct status *st)
{
	const struct cred_subject *subject = &cred->subject;

	if (subject->path[0] == '\0')
		return fetch_subject(cred, call, until, st);
	buf_reset(&call->body);
	if (subject->kept.ptr != NULL) {
		buf_put_str(&call->body, buf_view(&subject->kept));
		return CODE_OK;
	}
	return read_file(subject, until, &call->body, st);
}

/* An assertion is XML, or base64 of it: both may have lines. */
static bool
is_saml(const struct cred *cred)
{
	return str_ends(str_from(cred->subject_token_type), STR(":saml2"));
}

/* Whether there is no control character but, with `lines`, HT, LF and CR. */
static bool
is_text(struct str s, bool lines)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((unsigned char)c < ' ' &&
		    !(lines && (c == '\t' || c == '\n' || c == '\r')))
			return false;
	}
	return true;
}

/*
 * Leaves the token in `*token`, which lies in the memory of `body`, or if it
 * is a member of a JSON object with escapes, in that of `head`, free here.
 */
static enum code
take_subject(struct cred *cred, struct call *call, struct str *token,
	     struct status *st)
{
	const struct cred_subject *subject = &cred->subject;
	struct status why = { .code = CODE_OK };

	*token = str_trim(buf_view(&call->body));
	if (subject->member[0] != '\0') {
		struct json_value member;

		if (json_parse(&call->json, *token, &call->tokens, &why) !=
		    CODE_OK)
			return unusable(call, subject, "is not JSON", st);
		member = json_get(json_root(&call->json), subject->member);
		if (json_type(member) == JSON_ABSENT)
			return unusable(call, subject,
					"lacks what "
					"subject_token_field_name says",
					st);
		if (json_type(member) != JSON_STRING)
			return unusable(call, subject, "is no string", st);
		*token = json_raw(member);
		buf_reset(&call->head);
		if (!json_is_plain(member)) {
			if (!json_string(member, &call->head))
				return unusable(call, subject, "is too long",
						st);
			*token = buf_view(&call->head);
		}
	}
	if (token->len == 0)
		return unusable(call, subject, "is empty", st);
	if (!is_text(*token, is_saml(cred)))
		return unusable(call, subject, "holds a control character", st);
	return CODE_OK;
}

static void
put_options(const struct cred *cred, struct buf *out)
{
	char memory[256];
	struct json_builder json;
	struct buf text;

	if (cred->user_project[0] == '\0' || cred->client_id[0] != '\0')
		return;
	buf_init(&text, memory, sizeof(memory));
	json_build(&json, &text);
	json_open_object(&json);
	json_member(&json, "userProject", str_from(cred->user_project));
	json_close(&json);
	if (!json_built(&json))
		out->overflow = true;
	cred_put_form(out, "options", buf_view(&text));
}

/* The token exchange (RFC 8693 section 2.1). */
enum code
cred_from_external(struct cred *cred, struct call *call, struct deadline until,
		   struct status *st)
{
	struct buf *form = &call->request;
	struct str token;

	if (read_subject(cred, call, until, st) != CODE_OK ||
	    take_subject(cred, call, &token, st) != CODE_OK)
		return st->code;
	cred_aim(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	cred_put_form(form, "audience", str_from(cred->audience));
	cred_put_form(form, "grant_type",
		      STR("urn:ietf:params:oauth:grant-type:token-exchange"));
	put_options(cred, form);
	cred_put_form(form, "requested_token_type",
		      STR("urn:ietf:params:oauth:token-type:access_token"));
	cred_put_form(form, "scope", STR(CLOUD_PLATFORM));
	cred_put_form(form, "subject_token", token);
	cred_put_form(form, "subject_token_type",
		      str_from(cred->subject_token_type));
	return cred_post_form(cred, call, "the Security Token Service",
			      cred->client_id[0] != '\0', until, st);
}
