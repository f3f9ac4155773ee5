#include "base/buf.h"

#include <string.h>

/* The smallest there is. */
#define PAGE_SIZE 4096

struct str
str_from(const char *cstr)
{
	if (cstr == NULL)
		return (struct str){ "", 0 };
	return (struct str){ cstr, strlen(cstr) };
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_eq((struct str){ s.ptr, prefix.len }, prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       str_eq(str_skip(s, s.len - suffix.len), suffix);
}

bool
str_contains(struct str s, struct str part)
{
	/* memmem(3) would be 1.2 KiB of the program. */
	for (; s.len >= part.len; s = str_skip(s, 1)) {
		if (str_starts(s, part))
			return true;
		if (s.len == 0)
			break;
	}
	return false;
}

static bool
is_in_set(unsigned char c, const unsigned char *set)
{
	for (; *set != '\0'; set++) {
		if (set[1] == '-' && set[2] != '\0') {
			if (c >= set[0] && c <= set[2])
				return true;
			set += 2;
		} else if (c == *set) {
			return true;
		}
	}
	return false;
}

bool
str_only(struct str s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_in_set((unsigned char)s.ptr[i],
			       (const unsigned char *)set))
			return false;
	return s.len > 0;
}

bool
str_below(struct str host, struct str domain)
{
	size_t at;

	if (domain.len == 0 || host.len < domain.len + 2)
		return false;
	at = host.len - domain.len;
	return host.ptr[at - 1] == '.' &&
	       str_eq_nocase(str_skip(host, at), domain);
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim_start(struct str s)
{
	while (s.len > 0 && is_space(s.ptr[0]))
		s = str_skip(s, 1);
	return s;
}

struct str
str_trim(struct str s)
{
	s = str_trim_start(s);
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct str
str_skip(struct str s, size_t from)
{
	if (from >= s.len)
		return (struct str){ "", 0 };
	return (struct str){ s.ptr + from, s.len - from };
}

size_t
str_find(struct str s, char c)
{
	size_t i = 0;

	while (i < s.len && s.ptr[i] != c)
		i++;
	return i;
}

bool
str_split(struct str *rest, char sep, struct str *part)
{
	size_t at;

	if (rest->ptr == NULL)
		return false;
	at = str_find(*rest, sep);
	*part = (struct str){ rest->ptr, at };
	if (at == rest->len)
		*rest = (struct str){ NULL, 0 };
	else
		*rest = str_skip(*rest, at + 1);
	return true;
}

bool
str_copy(struct str s, char *out, size_t size)
{
	if (size == 0)
		return false;
	out[0] = '\0';
	if (s.len >= size || str_find(s, '\0') != s.len)
		return false;
	if (s.len > 0)
		memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
	return true;
}

void
buf_init(struct buf *b, void *memory, size_t size)
{
	*b = (struct buf){ .ptr = memory, .len = 0, .size = size };
}

void
buf_put(struct buf *b, const void *bytes, size_t len)
{
	if (b->overflow || len > b->size - b->len) {
		b->overflow = true;
		return;
	}
	if (len > 0)
		memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
}

void
buf_put_str(struct buf *b, struct str s)
{
	buf_put(b, s.ptr, s.len);
}

void
buf_put_cstr(struct buf *b, const char *cstr)
{
	buf_put_str(b, str_from(cstr));
}

void
buf_put_char(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_put_uint(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void
buf_put_padded(struct buf *b, const char *cstr, size_t width)
{
	size_t start = b->len;

	buf_put_cstr(b, cstr);
	while (!b->overflow && b->len - start < width)
		buf_put_char(b, ' ');
}

struct str
buf_view(const struct buf *b)
{
	return (struct str){ b->ptr, b->len };
}

size_t
buf_room(const struct buf *b)
{
	return b->size - b->len;
}

void
buf_reset(struct buf *b)
{
	wipe(b->ptr, b->len);
	b->len = 0;
	b->overflow = false;
}

void
buf_wipe(struct buf *b)
{
	wipe(b->ptr, b->size);
	b->len = 0;
	b->overflow = false;
}

static bool
is_zero(const unsigned char *page)
{
	uint64_t any = 0, word;

	for (size_t i = 0; i < PAGE_SIZE; i += sizeof(word)) {
		memcpy(&word, page + i, sizeof(word));
		any |= word;
	}
	return any == 0;
}

/*
 * Much of a large buffer was never used: a page that is only read takes no
 * memory, and less time.
 */
static void
wipe_large(unsigned char *at, size_t size)
{
	size_t part = (size_t) - (uintptr_t)at & (PAGE_SIZE - 1);

	explicit_bzero(at, part);
	for (at += part, size -= part; size >= PAGE_SIZE; size -= PAGE_SIZE) {
		if (!is_zero(at))
			explicit_bzero(at, PAGE_SIZE);
		at += PAGE_SIZE;
	}
	explicit_bzero(at, size);
}

void
wipe(void *memory, size_t size)
{
	if (size >= 2 * PAGE_SIZE)
		wipe_large(memory, size);
	else if (size > 0)
		explicit_bzero(memory, size);
}

/* One frame of its own: between several there would be gaps that stay. */
#ifndef __clang__ /* which has no such limit */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstack-usage="
#endif
__attribute__((noinline)) void
wipe_stack(void)
{
	char below[64 * 1024];

	explicit_bzero(below, sizeof(below));
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

bool
bytes_equal(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a;
	const unsigned char *y = b;
	unsigned char differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(x[i] ^ y[i]);
	return differ == 0;
}
