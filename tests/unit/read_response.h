/* Reads HTTP responses for a test, whole and in pieces. */
#ifndef UNIT_READ_RESPONSE_H
#define UNIT_READ_RESPONSE_H

#include <stdlib.h>
#include <string.h>

#include "net/http_response.h"

/* Small, so that a test can go over the limit. */
#define BODY_SIZE 48

static struct http_response response;
static struct status st;
static struct buf head, body;
static char head_memory[HTTP_HEAD_MAX], body_memory[BODY_SIZE];

static void
start_response(const char *method)
{
	buf_init(&head, head_memory, sizeof(head_memory));
	buf_init(&body, body_memory, sizeof(body_memory));
	http_response_init(&response, method, &head, &body);
	status_clear(&st);
}

/* Feeds a copy without a byte to spare, so that a stray read is seen. */
static enum code
feed_copy(const char *bytes, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum code code;

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	code = http_feed(&response, copy, len, &st);
	free(copy);
	return code;
}

/* Feeds `wire` in pieces of `step` bytes until it is refused. */
static enum code
feed_steps(struct str wire, size_t step)
{
	enum code code = CODE_OK;

	for (size_t at = 0; at < wire.len && code == CODE_OK; at += step) {
		size_t left = wire.len - at;

		code = feed_copy(wire.ptr + at, left < step ? left : step);
	}
	return code;
}

#endif
