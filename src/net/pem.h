/*
 * Floor 2, network. PEM as users have it (RFC 7468): BearSSL's decoder, fed in
 * a way that it bears.
 */
#ifndef NET_PEM_H
#define NET_PEM_H

#include <bearssl.h>

#include "base/buf.h"

/*
 * Gives the decoder the beginning of `bytes`, which are not empty, and returns
 * how many it took; br_pem_decoder_event() tells what it met. BearSSL 0.6
 * stumbles over the CR of a CRLF, so it gets none.
 */
size_t pem_push(br_pem_decoder_context *decoder, struct str bytes);

#endif
