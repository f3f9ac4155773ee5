#include "net/pem.h"

#include "base/codec.h"

#define BEGIN STR("-----BEGIN ")
#define END STR("-----END ")
#define DASHES STR("-----")
#define BOM STR("\xef\xbb\xbf")

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Sets `*label` to that of the line, if it is such a boundary. */
static bool
is_boundary(const struct pem_reader *r, struct str start, struct str *label)
{
	struct str line = { r->line, r->length };

	if (r->length >= sizeof(r->line))
		return false;
	/* At the start of a file, of which several may have been joined. */
	if (str_starts(line, BOM))
		line = str_skip(line, BOM.len);
	while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
		line.len--;
	if (line.len < start.len + DASHES.len || !str_starts(line, start) ||
	    !str_ends(line, DASHES))
		return false;
	*label = (struct str){ line.ptr + start.len,
			       line.len - start.len - DASHES.len };
	return true;
}

static void
add_to_line(struct pem_reader *r, char c)
{
	if (r->length < sizeof(r->line))
		r->line[r->length++] = c;
}

/* The rest of the line is text. */
static enum pem_event
refuse(struct pem_reader *r)
{
	r->place = PEM_OUTSIDE;
	r->length = sizeof(r->line);
	return PEM_ERROR;
}

static enum pem_event
decode(struct pem_reader *r)
{
	struct str digits = { r->digits, r->digit_count };
	struct buf bytes;

	buf_init(&bytes, r->bytes, sizeof(r->bytes));
	if (r->padded || !base64_decode(&bytes, digits))
		return refuse(r);
	r->padded = str_ends(digits, STR("="));
	r->count = bytes.len;
	r->digit_count = 0;
	return PEM_BYTES;
}

static enum pem_event
read_outside(struct pem_reader *r, char c)
{
	struct str label;
	bool begins;

	if (c != '\n') {
		add_to_line(r, c);
		return PEM_MORE;
	}
	begins = is_boundary(r, BEGIN, &label);
	r->length = 0;
	if (!begins || !str_copy(label, r->label, sizeof(r->label)))
		return PEM_MORE;
	r->place = PEM_INSIDE;
	r->digit_count = 0;
	r->in_line = false;
	r->padded = false;
	return PEM_BEGIN;
}

static enum pem_event
read_inside(struct pem_reader *r, char c)
{
	if (c == '\n') {
		r->in_line = false;
		return PEM_MORE;
	}
	if (is_blank(c))
		return PEM_MORE;
	if (c == '-' && !r->in_line) {
		r->place = PEM_BOUNDARY;
		r->length = 0;
		add_to_line(r, c);
		return PEM_MORE;
	}
	r->in_line = true;
	r->digits[r->digit_count++] = c;
	return r->digit_count == PEM_DIGITS ? decode(r) : PEM_MORE;
}

/* `*taken`: whether `c` was; an event may come before it. */
static enum pem_event
read_boundary(struct pem_reader *r, char c, bool *taken)
{
	struct str label;

	if (c != '\n') {
		add_to_line(r, c);
		return PEM_MORE;
	}
	*taken = false;
	if (is_boundary(r, BEGIN, &label)) {
		r->place = PEM_OUTSIDE; /* which reads this line again */
		return PEM_ERROR;
	}
	if (!is_boundary(r, END, &label) || !str_eq(label, str_from(r->label)))
		return refuse(r);
	if (r->digit_count > 0)
		return decode(r);
	r->place = PEM_OUTSIDE;
	r->length = 0;
	return PEM_END;
}

enum pem_event
pem_next(struct pem_reader *r, struct str *text)
{
	enum pem_event event = PEM_MORE;

	while (event == PEM_MORE && text->len > 0) {
		char c = text->ptr[0];
		bool taken = true;

		switch (r->place) {
		case PEM_OUTSIDE:
			event = read_outside(r, c);
			break;
		case PEM_INSIDE:
			event = read_inside(r, c);
			break;
		case PEM_BOUNDARY:
			event = read_boundary(r, c, &taken);
			break;
		}
		if (taken)
			*text = str_skip(*text, 1);
	}
	return event;
}
