#include "base/utf8.h"

#include <string.h>

/* The rows of the ABNF in RFC 3629 section 4, without those of ASCII. */
static const struct {
	unsigned char first, last; /* range of the first byte */
	unsigned char low, high;   /* range of the second byte */
	size_t length;
} FORMS[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* The bits that mark the first byte, by length. */
static const unsigned char MARKS[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

static bool
in_range(char byte, unsigned char low, unsigned char high)
{
	return (unsigned char)byte >= low && (unsigned char)byte <= high;
}

static bool
has_form(struct str s, size_t form)
{
	if (!in_range(s.ptr[0], FORMS[form].first, FORMS[form].last) ||
	    s.len < FORMS[form].length ||
	    !in_range(s.ptr[1], FORMS[form].low, FORMS[form].high))
		return false;
	for (size_t i = 2; i < FORMS[form].length; i++)
		if (!in_range(s.ptr[i], 0x80, 0xbf))
			return false;
	return true;
}

size_t
utf8_length(struct str s)
{
	if (s.len == 0)
		return 0;
	if (in_range(s.ptr[0], 0x00, 0x7f))
		return 1;
	for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++)
		if (has_form(s, i))
			return FORMS[i].length;
	return 0;
}

uint32_t
utf8_decode(struct str s)
{
	size_t length = utf8_length(s);
	uint32_t c =
		(unsigned char)s.ptr[0] & 0x7fu >> (length > 1 ? length : 0);

	for (size_t i = 1; i < length; i++)
		c = c << 6 | ((unsigned char)s.ptr[i] & 0x3f);
	return c;
}

bool
utf8_is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },     /* C0 */
		{ 0x7f, 0x9f },     /* DEL, C1 */
		{ 0x061c, 0x061c }, /* Arabic letter mark */
		{ 0x200e, 0x200f }, /* left-to-right, right-to-left mark */
		{ 0x2028, 0x202e }, /* separators; embeddings, overrides */
		{ 0x2066, 0x2069 }, /* isolates */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

void
utf8_make_printable(char *text)
{
	struct str rest = str_from(text);
	char *to = text;

	while (rest.len > 0) {
		size_t length = utf8_length(rest);

		if (length > 0 && !utf8_is_control(utf8_decode(rest))) {
			memmove(to, rest.ptr, length);
			to += length;
		} else {
			*to++ = '?';
		}
		rest = str_skip(rest, length > 0 ? length : 1);
	}
	*to = '\0';
}

struct str
utf8_cut(struct str s, size_t max)
{
	if (s.len <= max)
		return s;
	s.len = max;
	while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
		s.len--;
	return s;
}

size_t
utf8_encode(uint32_t c, char out[static UTF8_MAX])
{
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = length - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(MARKS[length] | c);
	return length;
}
