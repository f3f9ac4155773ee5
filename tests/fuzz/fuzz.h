/* What the fuzz targets share. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Violations end the process, as libFuzzer wants it. */
static inline void
must(bool holds)
{
	if (!holds)
		abort();
}

/* A failure has a message of one line, a success has none. */
static inline void
must_tell(enum code code, const struct status *st)
{
	must(code == st->code);
	if (code == CODE_OK)
		return;
	must(st->message[0] != '\0');
	must(memchr(st->message, '\0', sizeof(st->message)) != NULL);
	must(memchr(st->hint, '\0', sizeof(st->hint)) != NULL);
	must(strchr(st->message, '\n') == NULL);
}

/* The input as a NUL-terminated text in memory of its exact size. */
static inline char *
text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
