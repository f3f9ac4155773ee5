/*
 * Any reply, read by the HTTP parser: in one piece, and in two that meet at a
 * place that the first byte tells. Both must end in the same way.
 */
#include "net/http_response.h"

#include "fuzz.h"

struct reading {
	struct http_response response;
	struct buf head, body;
	struct status st;
	char head_memory[HTTP_HEAD_MAX];
	char body_memory[4096]; /* smaller than in life, so that it overflows */
};

static struct reading whole, parts;

static void
read_reply(struct reading *r, const uint8_t *data, size_t size, size_t cut)
{
	buf_init(&r->head, r->head_memory, sizeof(r->head_memory));
	buf_init(&r->body, r->body_memory, sizeof(r->body_memory));
	status_clear(&r->st);
	http_response_init(&r->response, "GET", &r->head, &r->body);
	if (http_feed(&r->response, data, cut, &r->st) == CODE_OK)
		(void)http_feed(&r->response, data + cut, size - cut, &r->st);
	if (r->st.code == CODE_OK)
		(void)http_feed_end(&r->response, true, &r->st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t date = 0;
	size_t cut;

	if (size == 0)
		return 0;
	cut = (size_t)data[0] * (size - 1) / 255;
	read_reply(&whole, data + 1, size - 1, 0);
	read_reply(&parts, data + 1, size - 1, cut);
	must(whole.st.code == parts.st.code);
	must(whole.response.state == parts.response.state);
	must_tell(whole.st.code, &whole.st);
	if (whole.st.code != CODE_OK)
		return 0;
	must(whole.response.state == HTTP_COMPLETE);
	must(whole.response.status >= 200 && whole.response.status <= 599);
	must(whole.body.len == parts.body.len &&
	     memcmp(whole.body.ptr, parts.body.ptr, whole.body.len) == 0);
	must(whole.response.field_count <= HTTP_FIELDS_MAX);
	must(http_retry_after_ms(&whole.response, 0) <= 86400000);
	(void)http_is_json(&whole.response);
	(void)http_date(&whole.response, &date);
	return 0;
}
