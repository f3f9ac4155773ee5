/* Makes DER (X.690) for a test, right and wrong. */
#ifndef UNIT_MAKE_DER_H
#define UNIT_MAKE_DER_H

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/der.h"

#define END ((struct str){ NULL, 0 })

#define OID_RSA STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_SHA256_RSA STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_EC STR("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_P256 STR("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_P384 STR("\x2b\x81\x04\x00\x22")
#define OID_P521 STR("\x2b\x81\x04\x00\x23")

/* What is made lies here, until made_reset(). */
static char made_memory[1 << 22];
static size_t made_used;

static void
made_reset(void)
{
	made_used = 0;
}

static char *
made_room(size_t len)
{
	char *at = made_memory + made_used;

	if (len > sizeof(made_memory) - made_used)
		abort();
	made_used += len;
	return at;
}

/* An element of the parts that follow, the last of them END. */
static struct str
der(unsigned tag, ...)
{
	char *content = made_room(0), header[4], *whole;
	size_t len = 0, size = 2;
	struct str part;
	va_list parts;

	va_start(parts, tag);
	while ((part = va_arg(parts, struct str)).ptr != NULL) {
		memmove(made_room(part.len), part.ptr, part.len);
		len += part.len;
	}
	va_end(parts);
	header[0] = (char)tag;
	header[1] = (char)len;
	if (len >= 0x80) {
		size = len < 0x100 ? 3 : 4;
		header[1] = (char)(0x80 | (size - 2));
		header[2] = (char)(size == 3 ? len : len >> 8);
		header[3] = (char)len;
	}
	whole = made_room(size);
	memmove(whole - len + size, content, len);
	memcpy(content, header, size);
	return (struct str){ content, size + len };
}

/* `len` bytes: `first`, and then `others`. */
static struct str
bytes_of(size_t len, int first, int others)
{
	char *at = made_room(len);

	memset(at, others, len);
	at[0] = (char)first;
	return (struct str){ at, len };
}

#endif
