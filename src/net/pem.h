/*
 * Floor 2, network. PEM (RFC 7468), read in pieces of any size.
 *
 * Taken as is common: text before, between and after the blocks, a byte order
 * mark at a block's start, CRLF, blanks at line ends, lines of any length. A
 * block with anything else in it, such as the header fields of an encrypted key
 * (RFC 1421), is an error of that block alone. What the digits stand for shows
 * neither in branches nor in addresses.
 */
#ifndef NET_PEM_H
#define NET_PEM_H

#include "base/buf.h"

#define PEM_LINE_SIZE 128 /* a longer line is no boundary */
#define PEM_DIGITS 64     /* that are decoded at a time */

enum pem_event {
	PEM_MORE,  /* all of the text was read */
	PEM_BEGIN, /* of a block, whose name is in `label` */
	PEM_BYTES, /* `count` of the block's are in `bytes` */
	PEM_END,   /* of a block that is complete */
	PEM_ERROR  /* the block is malformed, or another begins inside */
};

/* Caller-owned; all zero before the first text. Private but for the events. */
struct pem_reader {
	char label[PEM_LINE_SIZE];
	unsigned char bytes[PEM_DIGITS / 4 * 3];
	size_t count;
	enum { PEM_OUTSIDE, PEM_INSIDE, PEM_BOUNDARY } place;
	char line[PEM_LINE_SIZE]; /* what may be a boundary */
	size_t length;            /* of that line, also if it is longer */
	char digits[PEM_DIGITS];
	size_t digit_count;
	bool in_line; /* inside a block: the line has begun */
	bool padded;  /* no digit may follow */
};

/*
 * Reads from the start of `*text` to the next event and removes what it read.
 * A boundary counts once its line has ended: a caller whose text may lack its
 * last line end adds one. A block may hold a secret: wipe the reader then.
 */
enum pem_event pem_next(struct pem_reader *reader, struct str *text);

#endif
