#include "net/name.h"

#include "net/der.h"

#define OID_COMMON_NAME STR("\x55\x04\x03")
#define OID_ORGANIZATION STR("\x55\x04\x0a")
/* Attributes in sets in a sequence. */
#define NAME_DEPTH 3
#define CONSTRUCTED 0x20
#define SHOWN_MAX 80

static bool
is_text(const struct der *element)
{
	return element->tag == DER_UTF8_STRING ||
	       element->tag == DER_PRINTABLE_STRING ||
	       element->tag == DER_IA5_STRING;
}

static size_t
spaces(struct str text)
{
	return text.len - str_trim_start(text).len;
}

/* Both are trimmed; a run of white space stands for one space. */
static bool
text_equal(struct str a, struct str b)
{
	while (a.len > 0 && b.len > 0) {
		size_t in_a = spaces(a), in_b = spaces(b);

		if ((in_a > 0) != (in_b > 0))
			return false;
		if (in_a == 0) {
			if (!str_eq_nocase((struct str){ a.ptr, 1 },
					   (struct str){ b.ptr, 1 }))
				return false;
			in_a = in_b = 1;
		}
		a = str_skip(a, in_a);
		b = str_skip(b, in_b);
	}
	return a.len == b.len;
}

static bool
value_equal(const struct der *a, const struct der *b)
{
	if (is_text(a) && is_text(b))
		return text_equal(str_trim(a->content), str_trim(b->content));
	return str_eq(a->whole, b->whole);
}

bool
name_equal(struct str a, struct str b)
{
	struct str rest_a[NAME_DEPTH + 1] = { a },
				       rest_b[NAME_DEPTH + 1] = { b };
	size_t depth = 0;

	if (str_eq(a, b))
		return true;
	for (;;) {
		struct der one, other;

		if (rest_a[depth].len == 0 || rest_b[depth].len == 0) {
			if (rest_a[depth].len != rest_b[depth].len)
				return false;
			if (depth == 0)
				return true;
			depth--;
			continue;
		}
		if (!der_next(&rest_a[depth], &one) ||
		    !der_next(&rest_b[depth], &other))
			return false;
		if ((one.tag & CONSTRUCTED) != 0 && depth < NAME_DEPTH) {
			if (one.tag != other.tag)
				return false;
			depth++;
			rest_a[depth] = one.content;
			rest_b[depth] = other.content;
		} else if (!value_equal(&one, &other)) {
			return false;
		}
	}
}

void
name_put_printable(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		buf_put_char(out, c < ' ' || c > '~' || c == '"' ? '?' : c);
	}
}

void
name_put(struct str name, struct buf *out)
{
	struct str best = { NULL, 0 };
	struct der list, set, pair, oid, value;

	if (!der_expect(&name, DER_SEQUENCE, &list))
		list.content = STR("");
	while (der_expect(&list.content, DER_SET, &set)) {
		if (!der_expect(&set.content, DER_SEQUENCE, &pair) ||
		    !der_expect(&pair.content, DER_OID, &oid) ||
		    !der_next(&pair.content, &value))
			break;
		if (str_eq(oid.content, OID_COMMON_NAME) ||
		    (best.ptr == NULL && str_eq(oid.content, OID_ORGANIZATION)))
			best = value.content;
	}
	if (best.ptr == NULL)
		best = STR("unnamed");
	best.len = best.len > SHOWN_MAX ? SHOWN_MAX : best.len;
	name_put_printable(best, out);
}
