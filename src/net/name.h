/*
 * Floor 2, network. Distinguished names of certificates (RFC 5280 section
 * 4.1.2.4), as DER with its header.
 */
#ifndef NET_NAME_H
#define NET_NAME_H

#include "base/buf.h"

/*
 * Whether two names are the same (RFC 5280 section 7.1): texts are compared
 * without regard to their type (UTF8String, PrintableString, IA5String), to
 * ASCII case, and to how much white space stands around and between words;
 * all else byte by byte. The arguments need not be valid names.
 */
bool name_equal(struct str a, struct str b);

/*
 * Appends the common name, or else the organization, for people, unprintable
 * characters as '?'; "unnamed" if it has neither.
 */
void name_put(struct str name, struct buf *out);

/* Appends `text` with '?' for what is not printable ASCII, and for quotes. */
void name_put_printable(struct str text, struct buf *out);

#endif
