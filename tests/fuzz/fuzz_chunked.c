/*
 * Any body in the chunked coding (RFC 9112 section 7.1), read by the parser
 * byte by byte, all at once, and by a second reader that has it whole before
 * it. All three must take and refuse the same ones, and read the same bytes.
 */
#include "base/buf.h"
#include "net/http_response.h"

#include "fuzz.h"

#define BODY_MAX 4096 /* smaller than in life, so that it overflows */

static const char head[] = "HTTP/1.1 200 OK\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n";

struct reading {
	struct http_response response;
	struct buf head, body;
	struct status st;
	char head_memory[256];
	char body_memory[BODY_MAX];
};

static struct reading whole, drip;

static void
begin(struct reading *r)
{
	buf_init(&r->head, r->head_memory, sizeof(r->head_memory));
	buf_init(&r->body, r->body_memory, sizeof(r->body_memory));
	status_clear(&r->st);
	http_response_init(&r->response, "GET", &r->head, &r->body);
	must(http_feed(&r->response, head, sizeof(head) - 1, &r->st) ==
	     CODE_OK);
	must(r->response.state == HTTP_CHUNK_SIZE);
}

static bool
read_parser(struct reading *r, const uint8_t *data, size_t size, size_t step)
{
	size_t at, part;

	begin(r);
	for (at = 0; at < size && r->st.code == CODE_OK; at += part) {
		part = size - at < step ? size - at : step;
		(void)http_feed(&r->response, data + at, part, &r->st);
	}
	if (r->st.code == CODE_OK)
		(void)http_feed_end(&r->response, true, &r->st);
	must_tell(r->st.code, &r->st);
	must((r->st.code == CODE_OK) == (r->response.state == HTTP_COMPLETE));
	return r->st.code == CODE_OK;
}

/* Cuts a line off `text`; false if none ends there, or not in CRLF alone. */
static bool
next_line(struct str *text, struct str *line)
{
	size_t i;

	for (i = 0; i < text->len; i++)
		if (text->ptr[i] == '\r' || text->ptr[i] == '\n')
			break;
	if (text->len - i < 2 || text->ptr[i] != '\r' ||
	    text->ptr[i + 1] != '\n')
		return false;
	*line = (struct str){ text->ptr, i };
	*text = str_skip(*text, i + 2);
	return true;
}

/* 1 to 8 digits, then nothing, or white space and an extension. */
static bool
size_of_chunk(struct str line, size_t *size)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit;
	size_t i, count = 0;

	if (line.len > HTTP_CHUNK_LINE_MAX)
		return false;
	for (*size = 0; count < line.len; count++) {
		digit = memchr(digits, line.ptr[count], sizeof(digits) - 1);
		if (digit == NULL)
			break;
		*size = *size * 16 + (size_t)(digit - digits) % 16;
	}
	if (count == 0 || count > 8)
		return false;
	if (count == line.len)
		return true;
	for (i = count; i < line.len; i++)
		if (line.ptr[i] != ' ' && line.ptr[i] != '\t')
			break;
	if (i == line.len || line.ptr[i] != ';')
		return false;
	for (; i < line.len; i++)
		if ((unsigned char)line.ptr[i] < 0x20 && line.ptr[i] != '\t')
			return false;
	return true;
}

/* A name of token characters, a colon, and no control character after it. */
static bool
is_field(struct str line)
{
	static const char name[] = "!#$%&'*+-.^_`|~0123456789"
				   "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t i = 0;

	while (i < line.len &&
	       memchr(name, line.ptr[i], sizeof(name) - 1) != NULL)
		i++;
	if (i == 0 || i == line.len || line.ptr[i] != ':')
		return false;
	for (; i < line.len; i++)
		if (line.ptr[i] != '\t' &&
		    (line.ptr[i] == 0x7f || (unsigned char)line.ptr[i] < 0x20))
			return false;
	return true;
}

static bool
read_trailers(struct str text)
{
	struct str line;
	size_t total = text.len;

	while (next_line(&text, &line)) {
		if (line.len == 0)
			return text.len == 0 && total <= HTTP_TRAILERS_MAX;
		if (!is_field(line))
			return false;
	}
	return false;
}

/* The second reader: the body in `out`, BODY_MAX bytes; false if refused. */
static bool
read_again(struct str text, char *out, size_t *len)
{
	struct str line;
	size_t size;

	*len = 0;
	while (next_line(&text, &line)) {
		if (!size_of_chunk(line, &size) || size > BODY_MAX - *len)
			return false;
		if (size == 0)
			return read_trailers(text);
		if (text.len < size + 2)
			return false;
		memcpy(out + *len, text.ptr, size);
		*len += size;
		text = str_skip(text, size);
		if (!next_line(&text, &line) || line.len != 0)
			return false;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char body[BODY_MAX];
	size_t len;
	bool taken;

	taken = read_again((struct str){ (const char *)data, size }, body,
			   &len);
	must(read_parser(&whole, data, size, size) == taken);
	must(read_parser(&drip, data, size, 1) == taken);
	if (!taken)
		return 0;
	must(whole.body.len == len && memcmp(whole.body.ptr, body, len) == 0);
	must(drip.body.len == len && memcmp(drip.body.ptr, body, len) == 0);
	must(whole.response.keep_alive == drip.response.keep_alive);
	return 0;
}
