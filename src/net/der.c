#include "net/der.h"

#include "sys/clock.h"

static unsigned
byte_at(struct str s, size_t i)
{
	return (unsigned char)s.ptr[i];
}

bool
der_next(struct str *rest, struct der *element)
{
	struct str in = *rest;
	size_t header = 2, length, count;

	if (in.len < 2 || (byte_at(in, 0) & 0x1f) == 0x1f)
		return false;
	length = byte_at(in, 1);
	if (length >= 0x80) {
		count = length & 0x7f;
		if (count == 0 || count > 3 || in.len < 2 + count)
			return false;
		length = 0;
		for (size_t i = 0; i < count; i++)
			length = length << 8 | byte_at(in, 2 + i);
		/* The shortest form, X.690 section 10.1. */
		if (length < 0x80 || length >> (8 * (count - 1)) == 0)
			return false;
		header += count;
	}
	if (length > in.len - header)
		return false;
	element->tag = byte_at(in, 0);
	element->content = (struct str){ in.ptr + header, length };
	element->whole = (struct str){ in.ptr, header + length };
	*rest = (struct str){ in.ptr + header + length,
			      in.len - header - length };
	return true;
}

bool
der_expect(struct str *rest, unsigned tag, struct der *element)
{
	struct str in = *rest;

	if (!der_next(&in, element) || element->tag != tag)
		return false;
	*rest = in;
	return true;
}

bool
der_unsigned(struct str content, struct str *number)
{
	if (content.len == 0 || (byte_at(content, 0) & 0x80) != 0)
		return false;
	if (content.len > 1 && byte_at(content, 0) == 0) {
		if ((byte_at(content, 1) & 0x80) == 0)
			return false;
		content = str_skip(content, 1);
	}
	*number = content;
	return true;
}

bool
der_time(const struct der *element, int64_t *unix_seconds)
{
	const char *shape = element->tag == DER_UTC_TIME ? "yynnddhhmmssZ"
			    : element->tag == DER_GENERALIZED_TIME
				    ? "yyyynnddhhmmssZ"
				    : NULL;

	/* No leap seconds, as BearSSL has it. */
	return shape != NULL && !str_ends(element->content, STR("60Z")) &&
	       clock_scan(element->content, shape, unix_seconds);
}
