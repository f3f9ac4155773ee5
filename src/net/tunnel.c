#include "net/tunnel.h"

#include <string.h>

#include "base/version.h"

enum code
tunnel_start(struct tunnel *t, const struct proxy *proxy, const struct url *url,
	     struct status *st)
{
	char memory[HOST_NAME_MAX_SIZE + 16];
	struct buf target;

	t->proxy = proxy;
	t->sent = 0;
	buf_init(&t->head, t->head_memory, sizeof(t->head_memory));
	buf_init(&t->body, t->head_memory, 0);
	http_response_init(&t->response, "CONNECT", &t->head, &t->body);
	buf_init(&target, memory, sizeof(memory));
	buf_put_cstr(&target, url->authority);
	if (url->port == 443)
		buf_put_cstr(&target, ":443");
	buf_init(&t->request, t->request_memory, sizeof(t->request_memory));
	buf_put_cstr(&t->request, "CONNECT ");
	buf_put_str(&t->request, buf_view(&target));
	buf_put_cstr(&t->request, " HTTP/1.1\r\nHost: ");
	buf_put_str(&t->request, buf_view(&target));
	buf_put_cstr(&t->request, "\r\nUser-Agent: ");
	buf_put_cstr(&t->request, USER_AGENT);
	if (proxy->authorization[0] != '\0') {
		buf_put_cstr(&t->request, "\r\nProxy-Authorization: ");
		buf_put_cstr(&t->request, proxy->authorization);
	}
	buf_put_cstr(&t->request, "\r\n\r\n");
	if (t->request.overflow || target.overflow)
		return status_set(st, CODE_INTERNAL,
				  "the request to the proxy does not fit");
	return CODE_OK;
}

static enum code
send_some(struct tunnel *t, struct stream *stream, struct status *st)
{
	struct str rest;

	while ((rest = str_skip(buf_view(&t->request), t->sent)).len > 0) {
		ssize_t put = stream->send(stream, rest.ptr, rest.len, st);

		if (put <= 0)
			break;
		t->sent += (size_t)put;
	}
	return st->code;
}

/* Code and hint for the proxy's refusal. */
static enum code
classify_error(const struct tunnel *t, struct status *st)
{
	int status = t->response.status;
	enum code code = CODE_UNAVAILABLE;

	if (status >= 200 && status <= 299)
		return CODE_OK;
	st->http_status = status;
	st->permanent = status < 500 && status != 408 && status != 429;
	if (status == 407) {
		status_hint(st, "put the proxy's user and password into "
				"HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT; "
				"only Basic is supported");
		return status_set(st, CODE_UNAUTHENTICATED,
				  "the proxy asks for a user and a password "
				  "(HTTP 407), or refuses those it got");
	}
	if (status == 403)
		code = CODE_PERMISSION_DENIED;
	status_hint(st, "ask who runs the proxy to allow this host, or list "
			"it in NO_PROXY if it can be reached directly");
	return status_set(st, code, "the proxy refuses the tunnel (HTTP %d)",
			  status);
}

/* Byte by byte: what follows the reply belongs to TLS. */
static enum code
receive_some(struct tunnel *t, struct stream *stream, struct status *st)
{
	for (unsigned reads = 0; reads < HTTP_LINE_MAX; reads++) {
		char byte;
		ssize_t got = stream->recv(stream, &byte, 1, st);

		if (got == STREAM_WAIT || got == STREAM_FAILED)
			return st->code;
		if (got < 0)
			return http_feed_end(&t->response, true, st);
		if (http_feed(&t->response, &byte, 1, st) != CODE_OK)
			return st->code;
		if (t->response.state == HTTP_COMPLETE)
			return classify_error(t, st);
	}
	return CODE_OK;
}

enum code
tunnel_step(struct tunnel *t, struct stream *stream, struct status *st)
{
	if (send_some(t, stream, st) == CODE_OK)
		(void)receive_some(t, stream, st);
	if (st->code != CODE_OK)
		status_prefix(st, "proxy %s", t->proxy->url.authority);
	return st->code;
}

bool
tunnel_ready(const struct tunnel *t)
{
	return t->response.state == HTTP_COMPLETE;
}
