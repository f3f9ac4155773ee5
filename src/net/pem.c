#include "net/pem.h"

size_t
pem_push(br_pem_decoder_context *decoder, struct str bytes)
{
	size_t run = str_find(bytes, '\r');

	return run == 0 ? 1 : br_pem_decoder_push(decoder, bytes.ptr, run);
}
