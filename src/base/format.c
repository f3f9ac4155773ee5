#include "base/format.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* A conversion: %, the flag 0 and a width, a precision of *, length, letter. */
struct conversion {
	size_t width;
	bool precision;
	unsigned longs; /* of "l" before the letter; long has 64 bits, too */
	bool size;      /* "z" does */
	char letter;
};

/* Reads the conversion after its "%"; returns what follows it. */
static const char *
read_conversion(const char *at, struct conversion *to)
{
	*to = (struct conversion){ .width = 0 };
	if (*at == '0' && at[1] >= '1' && at[1] <= '9') {
		to->width = (size_t)(at[1] - '0');
		at += 2;
	}
	if (at[0] == '.' && at[1] == '*') {
		to->precision = true;
		at += 2;
	}
	for (; *at == 'l'; at++)
		to->longs++;
	if (*at == 'z') {
		to->size = true;
		at++;
	}
	to->letter = *at;
	return *at != '\0' ? at + 1 : at;
}

/* Appends what fits, as messages are cut rather than lost. */
static void
put(struct buf *out, struct str text)
{
	size_t room = buf_room(out);

	if (!out->overflow)
		buf_put(out, text.ptr, text.len < room ? text.len : room);
	out->overflow = out->overflow || text.len > room;
}

static void
put_uint(struct buf *out, uint64_t value, size_t width)
{
	char digits[20];
	struct buf number;

	buf_init(&number, digits, sizeof(digits));
	buf_put_uint(&number, value);
	for (size_t i = number.len; i < width; i++)
		put(out, STR("0"));
	put(out, buf_view(&number));
}

static void
put_int(struct buf *out, int64_t value)
{
	if (value < 0)
		put(out, STR("-"));
	put_uint(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0);
}

/* At most `limit` bytes of a string that may lack its NUL after them. */
static void
put_string(struct buf *out, const char *text, int limit)
{
	size_t len = limit < 0 ? strlen(text) : strnlen(text, (size_t)limit);

	put(out, (struct str){ text, len });
}

/* Takes the next argument, of the type that the conversion says. */
static uint64_t
take_uint(const struct conversion *to, va_list *args)
{
	if (to->size)
		return va_arg(*args, size_t);
	return to->longs > 0 ? va_arg(*args, unsigned long long)
			     : va_arg(*args, unsigned);
}

static int64_t
take_int(const struct conversion *to, va_list *args)
{
	return to->longs > 0 || to->size ? va_arg(*args, long long)
					 : va_arg(*args, int);
}

/* Appends what a conversion makes of its arguments; false if it is unknown. */
static bool
convert(struct buf *out, const struct conversion *to, va_list *args)
{
	int limit = -1;

	switch (to->letter) {
	case 's':
		if (to->precision)
			limit = va_arg(*args, int);
		put_string(out, va_arg(*args, const char *), limit);
		return true;
	case 'u':
		put_uint(out, take_uint(to, args), to->width);
		return true;
	case 'd':
		put_int(out, take_int(to, args));
		return true;
	case '%':
		put(out, STR("%"));
		return true;
	default:
		return false;
	}
}

bool
format_args(char *out, size_t size, const char *format, va_list args)
{
	struct conversion to = { .width = 0 };
	struct buf text;
	bool known = true;
	va_list rest;

	va_copy(rest, args);
	buf_init(&text, out, size - 1);
	while (known && *format != '\0') {
		size_t len = strcspn(format, "%");

		put(&text, (struct str){ format, len });
		format += len;
		if (*format == '\0')
			break;
		format = read_conversion(format + 1, &to);
		known = convert(&text, &to, &rest);
	}
	va_end(rest);
	out[text.len] = '\0';
	return !text.overflow;
}

bool
format_text(char *out, size_t size, const char *format, ...)
{
	va_list args;
	bool fits;

	va_start(args, format);
	fits = format_args(out, size, format, args);
	va_end(args);
	return fits;
}
