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

/* Month, day, hour, minute and second, in that order, and their ranges. */
static const int64_t FIRST[5] = { 1, 1, 0, 0, 0 };
static const int64_t LAST[5] = { 12, 31, 23, 59, 59 };

static bool
two_digits(struct str text, size_t at, int64_t *value)
{
	unsigned tens = byte_at(text, at) - '0';
	unsigned ones = byte_at(text, at + 1) - '0';

	*value = (int64_t)tens * 10 + (int64_t)ones;
	return tens <= 9 && ones <= 9;
}

/* "YYMMDDhhmmss", with the century that the two digits of the year lack. */
static bool
read_time(struct str text, int64_t century, int64_t *unix_seconds)
{
	int64_t year, part[5];

	if (!two_digits(text, 0, &year))
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!two_digits(text, 2 + 2 * i, &part[i]) ||
		    part[i] < FIRST[i] || part[i] > LAST[i])
			return false;
	/* Without a century, two digits stand for 1950 to 2049. */
	if (century < 0)
		century = year >= 50 ? 19 : 20;
	*unix_seconds =
		clock_days(century * 100 + year, part[0], part[1]) * 86400 +
		part[2] * 3600 + part[3] * 60 + part[4];
	return true;
}

bool
der_time(const struct der *element, int64_t *unix_seconds)
{
	struct str text = element->content;
	bool utc = element->tag == DER_UTC_TIME;
	int64_t century = -1;

	if ((!utc && element->tag != DER_GENERALIZED_TIME) ||
	    text.len != (utc ? 13U : 15U) || text.ptr[text.len - 1] != 'Z')
		return false;
	if (!utc) {
		if (!two_digits(text, 0, &century))
			return false;
		text = str_skip(text, 2);
	}
	return read_time(text, century, unix_seconds);
}
