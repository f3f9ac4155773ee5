#include "net/sha256.h"

#include <bearssl.h>

void
sha256(struct str bytes, unsigned char out[static SHA256_SIZE])
{
	br_sha256_context context;

	br_sha256_init(&context);
	br_sha256_update(&context, bytes.ptr, bytes.len);
	br_sha256_out(&context, out);
	wipe(&context, sizeof(context));
}

uint64_t
sha256_start(const unsigned char digest[static SHA256_SIZE])
{
	uint64_t start = 0;

	for (size_t i = 0; i < sizeof(start); i++)
		start = start << 8 | digest[i];
	return start;
}
