#include "job/pullsecret_shape.h"

#include "base/codec.h"

/* As HINT(what it is, the command that mends it). */
#define HINT(what, command) what ": " command
#define SECRET "a whole Kubernetes Secret, not its .dockerconfigjson"

/* Decodes `text` over itself, if it is base64; without line breaks. */
static bool
decode_over(struct buf *text)
{
	struct str digits;
	size_t len = 0;

	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->ptr[i] > ' ')
			text->ptr[len++] = text->ptr[i];
	digits = (struct str){ text->ptr, len };
	text->len = 0;
	return base64_decode_any(text, digits);
}

static bool
is_object(const struct buf *text)
{
	return str_starts(str_trim_start(buf_view(text)), STR("{"));
}

void
shape_hint_text(struct str text, struct buf *scratch, struct status *st)
{
	buf_reset(scratch);
	buf_put_str(scratch, text);
	if (decode_over(scratch)) {
		if (is_object(scratch))
			status_hint(st, HINT("this is base64", "base64 -d "
							       "FILE"));
		else if (decode_over(scratch) && is_object(scratch))
			status_hint(st, HINT("this is base64 of base64",
					     "base64 -d FILE | base64 -d"));
	} else if (str_contains(text, STR("\n  .dockerconfigjson: "))) {
		status_hint(st, HINT(SECRET, "sed -n 's/^  .dockerconfigjson: "
					     "//p' FILE | base64 -d"));
	} else if (str_contains(text, STR("pullSecret: '"))) {
		status_hint(st, HINT("install-config.yaml",
				     "sed -n \"s/^pullSecret: '\\(.*\\)'/"
				     "\\1/p\" FILE"));
	} else if (str_contains(text, STR("\xe2\x80\x9c")) ||
		   str_contains(text, STR("\xe2\x80\x9d"))) {
		status_hint(st, HINT("typographic quotes",
				     "sed 's/\xe2\x80\x9c\\|\xe2\x80\x9d/\"/g' "
				     "FILE"));
	}
	buf_wipe(scratch);
}

void
shape_hint_root(struct json_value root, struct status *st)
{
	struct json_iter member = json_iter(root);

	if (json_type(root) == JSON_ARRAY)
		return;
	if (str_starts(json_raw(root), STR("{\\\"")))
		status_hint(st, HINT("a JSON string", "jq -r . FILE"));
	if (json_equals(json_get(root, "kind"), STR("Secret")) ||
	    json_type(json_get(root, ".dockerconfigjson")) == JSON_STRING) {
		status_hint(
			st,
			HINT(SECRET,
			     "jq -r '.stringData[\".dockerconfigjson\"]//"
			     "((.data//.)[\".dockerconfigjson\"]|@base64d)' "
			     "FILE"));
		return;
	}
	while (json_next(&member))
		if (json_type(json_get(member.value, "auth")) != JSON_ABSENT) {
			status_hint(st,
				    HINT("an old .dockercfg, or the inside of "
					 "auths",
					 "jq '{auths:.}' FILE"));
			return;
		}
}

void
shape_hint_entry(struct json_value root, struct json_value entry,
		 struct status *st)
{
	if (st->code == CODE_OK)
		return;
	if (json_type(json_get(entry, "username")) == JSON_STRING)
		status_hint(st, HINT("auth is base64 of them",
				     "jq '(.auths[]|select(.username))|=("
				     ".auth=(\"\\(.username):\\(.password)\""
				     "|@base64))' FILE"));
	else if (json_size(entry) == 0 ||
		 json_type(json_get(root, "credsStore")) != JSON_ABSENT)
		status_hint(st, HINT("a stub, as Docker Desktop writes where a "
				     "helper keeps the login",
				     "podman login --authfile FILE REGISTRY"));
}

void
shape_hint_recode(struct status *st)
{
	if (st->code == CODE_OK)
		return;
	status_hint(st, HINT("in the standard alphabet, with padding",
			     "jq '(.auths[].auth|strings)|=(gsub(\"-\";\"+\")|"
			     "gsub(\"_\";\"/\")|.+\"====\"[(length-1)%%4+1:])' "
			     "FILE"));
}

void
shape_hint_decoded(struct buf *decoded, struct status *st)
{
	if (decode_over(decoded) &&
	    str_find(buf_view(decoded), ':') < decoded->len)
		status_hint(st,
			    HINT("auth is encoded twice",
				 "jq '(.auths[].auth|select(@base64d|contains("
				 "\":\")|not))|=@base64d' FILE"));
}

void
shape_hint_echo(struct status *st)
{
	if (st->code == CODE_OK)
		return;
	status_hint(st, HINT("echo ends the line, printf does not",
			     "printf %%s USER:PASSWORD | base64 -w0"));
}
