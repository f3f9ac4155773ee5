/*
 * Floor 2, network. PEM (RFC 7468), by BearSSL's decoder, with any line ends.
 */
#ifndef NET_PEM_H
#define NET_PEM_H

#include <bearssl.h>

#include "base/buf.h"

/*
 * Gives the decoder the beginning of `bytes`, which are not empty, and returns
 * how many it took; see br_pem_decoder_event(). BearSSL 0.6 fails at the
 * CR of a CRLF, so CRs are dropped.
 */
size_t pem_push(br_pem_decoder_context *decoder, struct str bytes);

#endif
