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

static bool
two_digits(struct str text, size_t at, int64_t *value)
{
	unsigned tens = byte_at(text, at) - '0';
	unsigned ones = byte_at(text, at + 1) - '0';

	*value = (int64_t)tens * 10 + (int64_t)ones;
	return tens <= 9 && ones <= 9;
}

bool
der_time(const struct der *element, int64_t *unix_seconds)
{
	struct str text = element->content;
	int64_t century = 0, year, month, day, hour, minute, second;
	bool utc = element->tag == DER_UTC_TIME;

	if ((!utc && element->tag != DER_GENERALIZED_TIME) ||
	    text.len != (utc ? 13U : 15U) || text.ptr[text.len - 1] != 'Z')
		return false;
	if (!utc) {
		if (!two_digits(text, 0, &century))
			return false;
		text = str_skip(text, 2);
	}
	if (!two_digits(text, 0, &year) || !two_digits(text, 2, &month) ||
	    !two_digits(text, 4, &day) || !two_digits(text, 6, &hour) ||
	    !two_digits(text, 8, &minute) || !two_digits(text, 10, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    minute > 59 || second > 59)
		return false;
	/* Two digits stand for 1950 to 2049. */
	year += utc ? (year >= 50 ? 1900 : 2000) : century * 100;
	*unix_seconds = clock_days(year, month, day) * 86400 + hour * 3600 +
			minute * 60 + second;
	return true;
}
