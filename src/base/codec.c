#include "base/codec.h"

/* RFC 3720 section 12.1: 0x11edc6f41 with the bits of each byte reflected. */
#define CRC32C_POLYNOMIAL 0x82f63b78u

/* All ones if `first` <= `x` <= `last`, else 0. All are below 2^31. */
static uint32_t
range_mask(uint32_t x, uint32_t first, uint32_t last)
{
	return (((x - first) | (last - x)) >> 31) - 1;
}

/* The digit (RFC 4648 table 1) of a value from 0 to 63. */
static char
digit_of(uint32_t value)
{
	return (char)((range_mask(value, 0, 25) & (value + 'A')) |
		      (range_mask(value, 26, 51) & (value - 26 + 'a')) |
		      (range_mask(value, 52, 61) & (value - 52 + '0')) |
		      (range_mask(value, 62, 62) & '+') |
		      (range_mask(value, 63, 63) & '/'));
}

/*
 * The value of a base64 digit. All bits of `*bad` are set if it is not one, or
 * is one of RFC 4648 table 2 only while `url_safe` is 0.
 */
static uint32_t
value_of(char digit, uint32_t url_safe, uint32_t *bad)
{
	uint32_t c = (unsigned char)digit;
	uint32_t upper = range_mask(c, 'A', 'Z');
	uint32_t lower = range_mask(c, 'a', 'z');
	uint32_t number = range_mask(c, '0', '9');
	uint32_t plus =
		range_mask(c, '+', '+') | (range_mask(c, '-', '-') & url_safe);
	uint32_t slash =
		range_mask(c, '/', '/') | (range_mask(c, '_', '_') & url_safe);

	*bad |= ~(upper | lower | number | plus | slash);
	return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
	       (number & (c - '0' + 52)) | (plus & 62) | (slash & 63);
}

size_t
base64_length(size_t len)
{
	return len / 3 * 4 + (len % 3 > 0 ? 4 : 0);
}

/* Four digits for one to three bytes. */
static void
encode_group(const unsigned char *bytes, size_t len, char out[static 4])
{
	uint32_t bits = (uint32_t)bytes[0] << 16;

	if (len > 1)
		bits |= (uint32_t)bytes[1] << 8;
	if (len > 2)
		bits |= bytes[2];
	out[0] = digit_of(bits >> 18);
	out[1] = digit_of(bits >> 12 & 63);
	out[2] = len > 1 ? digit_of(bits >> 6 & 63) : '=';
	out[3] = len > 2 ? digit_of(bits & 63) : '=';
}

void
base64_encode(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;

	/* The first test keeps base64_length() from wrapping around. */
	if (out->overflow || len > buf_room(out) ||
	    base64_length(len) > buf_room(out)) {
		out->overflow = true;
		return;
	}
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;

		encode_group(from + i, left < 3 ? left : 3,
			     out->ptr + out->len);
		out->len += 4;
	}
}

/*
 * One to three bytes from two to four digits. Bits that no byte takes must be
 * zero (RFC 4648 section 3.5).
 */
static void
decode_group(const char *digits, size_t len, uint32_t url_safe, char *out,
	     uint32_t *bad)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		bits <<= 6;
		if (i < len)
			bits |= value_of(digits[i], url_safe, bad);
	}
	for (size_t i = 0; i + 1 < len; i++) {
		out[i] = (char)(bits >> 16 & 0xff);
		bits <<= 8;
	}
	*bad |= bits & 0xffffff;
}

/*
 * Digits without their padding. Validity is checked only at the end, so that
 * the time does not depend on where an invalid digit is.
 */
static bool
decode(struct buf *out, struct str digits, uint32_t url_safe)
{
	size_t size = digits.len / 4 * 3 + digits.len % 4 * 3 / 4;
	char *to = out->ptr + out->len;
	uint32_t bad = 0;

	if (digits.len % 4 == 1 || out->overflow || size > buf_room(out))
		return false;
	for (size_t i = 0; i < digits.len; i += 4) {
		size_t left = digits.len - i;

		decode_group(digits.ptr + i, left < 4 ? left : 4, url_safe,
			     to + i / 4 * 3, &bad);
	}
	if (bad != 0) {
		wipe(to, size);
		return false;
	}
	out->len += size;
	return true;
}

/* Only where it fills the last group of four; else it counts as a digit. */
static struct str
without_padding(struct str text)
{
	for (size_t i = 0; i < 2 && text.len > 0 && (text.len + i) % 4 == 0;
	     i++)
		if (text.ptr[text.len - 1] == '=')
			text.len--;
	return text;
}

bool
base64_decode(struct buf *out, struct str text)
{
	return text.len % 4 == 0 && decode(out, without_padding(text), 0);
}

bool
base64_decode_any(struct buf *out, struct str text)
{
	return decode(out, without_padding(text), UINT32_MAX);
}

/* RFC 3986 section 2.3. */
static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void
percent_encode(struct buf *out, struct str s)
{
	static const char HEX[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char byte = (unsigned char)s.ptr[i];
		char triplet[3] = { '%', HEX[byte >> 4], HEX[byte & 15] };

		if (is_unreserved(s.ptr[i]))
			buf_put_char(out, s.ptr[i]);
		else
			buf_put(out, triplet, sizeof(triplet));
	}
}

int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
percent_decode(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			int high = -1, low = -1;

			if (i + 2 < text.len) {
				high = hex_value(text.ptr[i + 1]);
				low = hex_value(text.ptr[i + 2]);
			}
			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		buf_put_char(out, c);
	}
	return !out->overflow;
}

/*
 * Bit by bit, because a table would be indexed by the bytes of a secret; half
 * a millisecond for 64 KiB.
 */
uint32_t
crc32c(const void *bytes, size_t len)
{
	const unsigned char *from = bytes;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= from[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (CRC32C_POLYNOMIAL & (0 - (crc & 1)));
	}
	return ~crc;
}

bool
parse_uint(struct str text, uint64_t *value)
{
	uint64_t sum = 0;

	if (text.len < 1 || text.len > 20)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';

		if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}
