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
