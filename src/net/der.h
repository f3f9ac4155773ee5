/*
 * Floor 2, network. A strict reader of DER (ITU-T X.690), for certificates.
 *
 * Works on views; copies and keeps nothing. Lengths must be definite and
 * minimal; tags above 30 are refused, certificates have none.
 */
#ifndef NET_DER_H
#define NET_DER_H

#include "base/buf.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31
};

/* One element: its tag byte, its content, and all of its bytes. */
struct der {
	unsigned tag;
	struct str content;
	struct str whole;
};

/*
 * Takes the next element off `*rest`. False at its end and for invalid
 * DER; `rest->len` tells which.
 */
MUST_CHECK bool der_next(struct str *rest, struct der *element);

/* The same, which must have `tag`. */
MUST_CHECK bool der_expect(struct str *rest, unsigned tag, struct der *element);

/*
 * A positive INTEGER as big-endian bytes without leading zeros (but one byte
 * for 0). False if it is negative, empty or not minimal.
 */
MUST_CHECK bool der_unsigned(struct str content, struct str *number);

/*
 * UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 allows them (seconds
 * and Z, no fraction), in Unix seconds.
 */
MUST_CHECK bool der_time(const struct der *element, int64_t *unix_seconds);

#endif
