#include "gcp/cred_external.h"

#include <string.h>

#include "base/codec.h"
#include "base/format.h"
#include "base/json_walk.h"
#include "base/json_write.h"
#include "gcp/cred_impersonate.h"
#include "gcp/cred_types.h"
#include "gcp/cred_url.h"
#include "gcp/hint.h"
#include "sys/file.h"

/* Headers that the source's server asks for, in memory of their own. */
static enum code
read_headers(const struct cred_file *f, struct json_value headers,
	     struct status *st)
{
	struct cred_subject *subject = &f->cred->subject;
	struct json_iter iter = json_iter(headers);
	struct buf memory;

	if (!cred_file_is_zero(headers) && json_type(headers) != JSON_OBJECT)
		return cred_file_refuse(f, "credential_source.headers",
					"is no object", st);

	buf_init(&memory, subject->header_memory,
		 sizeof(subject->header_memory));
	while (json_next(&iter)) {
		struct http_field *field =
			&subject->header[subject->header_count];
		size_t name = memory.len, value;

		if (subject->header_count == SOURCE_FIELDS_MAX ||
		    !json_string(iter.key, &memory))
			return cred_file_refuse(f, "credential_source.headers",
						"are too many or too long", st);
		value = memory.len;
		if (!json_string(iter.value, &memory))
			return cred_file_refuse(f, "credential_source.headers",
						"are not all strings that fit",
						st);
		field->name = (struct str){ memory.ptr + name, value - name };
		field->value =
			(struct str){ memory.ptr + value, memory.len - value };
		subject->header_count++;
	}
	return CODE_OK;
}

static enum code
read_source_url(const struct cred_file *f, struct json_value source,
		struct status *st)
{
	struct cred_subject *subject = &f->cred->subject;
	char text[2 * URL_PATH_MAX];
	struct str base;
	size_t query;

	if (cred_file_string(f, source, "url", text, sizeof(text), st) !=
	    CODE_OK)
		return st->code;
	base = str_from(text);
	query = str_find(base, '?');
	if (!str_copy(str_skip(base, query), subject->query,
		      sizeof(subject->query)))
		(void)cred_file_refuse(f, "credential_source.url",
				       "is too long", st);
	base.len = query;
	if (st->code == CODE_OK &&
	    cred_url_read_source(&subject->url, base, "credential_source.url",
				 st) != CODE_OK)
		status_prefix(st, "credential file %s", f->path);
	wipe(text, sizeof(text));
	if (st->code != CODE_OK)
		return st->code;
	return read_headers(f, json_get(source, "headers"), st);
}

/* The format of what the source returns: text or JSON. */
static enum code
read_format(const struct cred_file *f, struct json_value format,
	    struct status *st)
{
	struct cred_subject *subject = &f->cred->subject;
	char type[16];

	if (cred_file_string(f, format, "type", type, sizeof(type), st) !=
	    CODE_OK)
		return st->code;
	if (type[0] == '\0' || strcmp(type, "text") == 0)
		return CODE_OK;
	if (strcmp(type, "json") != 0)
		return cred_file_refuse(f, "credential_source.format.type",
					"is neither text nor json", st);
	if (cred_file_string(f, format, "subject_token_field_name",
			     subject->member, sizeof(subject->member),
			     st) == CODE_OK &&
	    subject->member[0] == '\0')
		return cred_file_refuse(f, "credential_source.format",
					"lacks subject_token_field_name", st);
	return st->code;
}

/* Sources that need another program, or a client certificate. */
static enum code
refuse_source(const struct cred_file *f, struct json_value source,
	      struct status *st)
{
	static const struct {
		const char *member;
		const char *why;
	} others[] = {
		{ "environment_id", "is not supported: AWS sources" },
		{ "executable", "is not supported: executable sources" },
		{ "certificate", "is not supported: certificate sources" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!cred_file_is_zero(json_get(source, others[i].member))) {
			status_hint(st, "let something else write the token to "
					"a file, and use a file source; or use "
					"a url source");
			return cred_file_refuse(f, others[i].member,
						others[i].why, st);
		}
	return cred_file_refuse(f, "credential_source",
				"has neither file nor url", st);
}

static enum code
read_source(const struct cred_file *f, struct status *st)
{
	struct json_value source = json_get(f->root, "credential_source");
	struct cred_subject *subject = &f->cred->subject;
	bool file = !cred_file_is_zero(json_get(source, "file"));
	bool url = !cred_file_is_zero(json_get(source, "url"));

	if (json_type(source) != JSON_OBJECT)
		return cred_file_refuse(f, "credential_source", "is no object",
					st);
	if ((!file && !url) ||
	    !cred_file_is_zero(json_get(source, "environment_id")))
		return refuse_source(f, source, st);
	if (file && url)
		return cred_file_refuse(f, "credential_source",
					"has both file and url", st);
	if (read_format(f, json_get(source, "format"), st) != CODE_OK)
		return st->code;
	if (url)
		return read_source_url(f, source, st);
	return cred_file_string(f, source, "file", subject->path,
				sizeof(subject->path), st);
}

static enum code
read_external(const struct cred_file *f, struct status *st)
{
	static const struct cred_member members[] = {
		CRED_MEMBER("audience", struct cred, audience, true),
		CRED_MEMBER("subject_token_type", struct cred,
			    subject_token_type, true),
		CRED_MEMBER("client_id", struct cred, client_id, false),
		CRED_MEMBER("client_secret", struct cred, client_secret, false),
		CRED_MEMBER("workforce_pool_user_project", struct cred,
			    user_project, false),
	};
	struct cred *cred = f->cred;
	char text[512], fallback[256];

	(void)format_text(fallback, sizeof(fallback), "https://sts.%s/v1/token",
			  cred->universe);
	if (cred_file_members(f, members, sizeof(members) / sizeof(members[0]),
			      cred, st) != CODE_OK ||
	    read_source(f, st) != CODE_OK ||
	    cred_file_url(f, "token_url", fallback, f->settings->sts_endpoint,
			  "STS_ENDPOINT", &cred->url, text, sizeof(text),
			  st) != CODE_OK)
		return st->code;
	if (cred->user_project[0] != '\0' &&
	    !str_contains(str_from(cred->audience), STR("/workforcePools/")))
		return cred_file_refuse(f, "workforce_pool_user_project",
					"is for workforce pools only", st);
	return cred_impersonate_read(f, (struct json_value){ NULL, 0 }, st);
}

static const char EXTERNAL_HINTS[] =
	"invalid_target\0\0"
	"the pool or provider that the file's audience names was deleted, "
	"disabled or misspelt: gcloud iam workload-identity-pools providers "
	"describe\0"
	"invalid_request\0audience\0"
	"the file's audience must be "
	"//iam.googleapis.com/projects/NUMBER/locations/global/"
	"workloadIdentityPools/POOL/providers/PROVIDER\0"
	"invalid_grant\0audience in ID Token\0"
	"mount the token with the audience that the provider expects, or "
	"allow its own: gcloud iam workload-identity-pools providers "
	"update-oidc --allowed-audiences\0"
	"invalid_grant\0issuer in ID Token\0"
	"the provider is for another issuer than the token's, the cluster's "
	"--service-account-issuer: update-oidc --issuer-uri\0"
	"invalid_grant\0connecting to\0"
	"Google cannot read the keys of the token's issuer: publish its "
	"discovery document, or update-oidc --jwk-json-path\0"
	"invalid_grant\0stale|expired\0"
	"the token is too old: name a mounted one that is renewed "
	"(serviceAccountToken), no copy; check the clock\0"
	"invalid_grant\0\0"
	"the provider refuses the token: compare its issuer, audience, age "
	"and key with what it expects\0"
	"unauthorized_client\0\0"
	"the provider's attribute mapping or condition refuses the token: "
	"compare with its namespace and service account (sub)\0"
	"invalid_client\0\0"
	"client_id or client_secret of the credential file is wrong\0"
	"file\0\0"
	"mount the token where credential_source says, readable for this "
	"user, as scripts/kubernetes/job-outside-gke.yaml does\0"
	"token\0\0"
	"the pool or its provider may be disabled or deleted\0";

static void
hint_at_file(struct status *st)
{
	status_hint(st, "%s", hint_find(EXTERNAL_HINTS, HINT_TOKEN_FILE, ""));
}

/* Wipes `body`; the message names the source. */
static enum code
unusable(struct call *call, const struct cred_subject *subject, const char *why,
	 struct status *st)
{
	buf_wipe(&call->body);
	if (subject->path[0] != '\0')
		hint_at_file(st);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "the subject token of %s%s %s",
			  subject->path[0] != '\0' ? "file " : "",
			  subject->path[0] != '\0' ? subject->path
						   : subject->url.authority,
			  why);
}

/*
 * Its server saw the query and may quote it, with or without encoding; `plain`
 * is memory for that.
 */
static void
keep_secret(const struct cred_subject *subject, struct secrets *secrets,
	    struct buf *plain)
{
	for (size_t i = 0; i < subject->header_count; i++)
		secrets_add(secrets, subject->header[i].value);
	secrets_add(secrets, str_from(subject->query));
	if (percent_decode(plain, str_from(subject->query)))
		secrets_add(secrets, buf_view(plain));
}

static enum code
fetch_subject(struct cred *cred, struct call *call, struct deadline until,
	      struct status *st)
{
	const struct cred_subject *subject = &cred->subject;
	const struct call_service service = { &cred->conn,
					      "the source of the subject "
					      "token",
					      NULL, true };
	char memory[sizeof(subject->query)];
	struct buf plain;

	cred_set_target(cred, &subject->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	if (call->target.len == 0)
		buf_put_char(&call->target, '/');
	buf_put_cstr(&call->target, subject->query);
	call->any_content = true;
	buf_init(&plain, memory, sizeof(memory));
	keep_secret(subject, &call->secrets, &plain);
	(void)call_run(call, &service, "GET", subject->header,
		       subject->header_count, until, st);
	call->secrets.count = 0;
	buf_wipe(&plain);
	return st->code;
}

static enum code
read_file(const struct cred_subject *subject, struct deadline until,
	  struct buf *out, struct status *st)
{
	if (file_read(subject->path, "credential_source.file", until, out,
		      st) == CODE_OK ||
	    st->code == CODE_CANCELLED || st->code == CODE_DEADLINE_EXCEEDED)
		return st->code;
	hint_at_file(st);
	st->code = CODE_INVALID_ARGUMENT;
	return st->code;
}

enum code
cred_external_read_pipe(struct cred *cred, struct deadline until,
			struct status *st)
{
	struct cred_subject *subject = &cred->subject;

	if (!file_is_pipe(subject->path))
		return CODE_OK;
	buf_init(&subject->cached, subject->cached_memory,
		 sizeof(subject->cached_memory));
	return read_file(subject, until, &subject->cached, st);
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
	if (subject->cached.ptr != NULL) {
		buf_put_str(&call->body, buf_view(&subject->cached));
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
	struct json_writer json;
	struct buf text;

	if (cred->user_project[0] == '\0' || cred->client_id[0] != '\0')
		return;
	buf_init(&text, memory, sizeof(memory));
	json_writer_init(&json, &text);
	json_open_object(&json);
	json_member(&json, "userProject", str_from(cred->user_project));
	json_close(&json);
	if (!json_writer_done(&json))
		out->overflow = true;
	cred_put_form(out, "options", buf_view(&text));
}

/* The token exchange (RFC 8693 section 2.1). */
static enum code
fetch_external(struct cred *cred, struct call *call, struct deadline until,
	       struct token *token, struct status *st)
{
	struct buf *form = &call->request;
	struct str subject;

	if (read_subject(cred, call, until, st) != CODE_OK ||
	    take_subject(cred, call, &subject, st) != CODE_OK)
		return st->code;
	cred_set_target(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	cred_put_form(form, "audience", str_from(cred->audience));
	cred_put_form(form, "grant_type",
		      STR("urn:ietf:params:oauth:grant-type:token-exchange"));
	put_options(cred, form);
	cred_put_form(form, "requested_token_type",
		      STR("urn:ietf:params:oauth:token-type:access_token"));
	cred_put_form(form, "scope", STR(CLOUD_PLATFORM));
	cred_put_secret(call, "subject_token", subject);
	cred_put_form(form, "subject_token_type",
		      str_from(cred->subject_token_type));
	return cred_post_form(cred, call, "the Security Token Service",
			      cred->client_id[0] != '\0', until, token, st);
}

const struct cred_type CRED_external_account = {
	.name = "external_account",
	.read = read_external,
	.fetch = fetch_external,
	.hints = EXTERNAL_HINTS,
};
