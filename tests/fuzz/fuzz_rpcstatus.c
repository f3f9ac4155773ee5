/* Any JSON as the body of an error, for any HTTP status (the first byte). */
#include "gcp/rpcstatus.h"

#include "base/json_walk.h"
#include "fuzz.h"

static struct json_tokens tokens;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status st = { .code = CODE_OK }, why = st;
	struct json_value root = { NULL, 0 };
	struct secrets secrets = { .count = 0 };
	struct json json;
	int http_status;

	if (size == 0)
		return 0;
	http_status = 300 + data[0];
	if (json_parse(&json, (struct str){ (const char *)data + 1, size - 1 },
		       &tokens, &why) == CODE_OK)
		root = json_root(&json);
	secrets_add(&secrets, STR("supersecret"));
	must_tell(rpcstatus_read(
			  &(struct error_reply){
				  .http_status = http_status,
				  .json = root,
				  .text = { (const char *)data, size },
				  .secrets = &secrets },
			  &st),
		  &st);
	must(strstr(st.message, "supersec") == NULL &&
	     strstr(st.hint, "supersec") == NULL &&
	     strstr(st.reason, "supersec") == NULL);
	must(st.code != CODE_OK && st.http_status == http_status);
	must(memchr(st.reason, '\0', sizeof(st.reason)) != NULL);
	for (const char *c = st.message; *c != '\0'; c++)
		must((unsigned char)*c >= ' ');
	return 0;
}
