#include "base/redact.h"

#include <string.h>

#include "base/codec.h"
#include "base/utf8.h"

static size_t
take_raw(struct str text, struct buf *out)
{
	if (text.len == 0)
		return 0;
	buf_put_char(out, text.ptr[0]);
	return 1;
}

static size_t
take_percent(struct str text, struct buf *out)
{
	if (text.len < 3 || text.ptr[0] != '%')
		return take_raw(text, out);
	text.len = 3;
	return percent_decode(out, text) ? text.len : 0;
}

static size_t
take_hex(struct str text, struct buf *out)
{
	int high, low;

	if (text.len < 2)
		return 0;
	high = hex_value(text.ptr[0]);
	low = hex_value(text.ptr[1]);
	if (high < 0 || low < 0)
		return 0;
	buf_put_char(out, (char)(high * 16 + low));
	return 2;
}

static size_t
take_base64(struct str text, struct buf *out)
{
	if (text.len < 4)
		return 0;
	text.len = 4;
	return base64_decode_any(out, text) ? text.len : 0;
}

/* The four digits after "\u". */
static size_t
take_unicode(struct str text, struct buf *out)
{
	char bytes[UTF8_MAX];
	uint32_t c = 0;

	if (text.len < 4)
		return 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = hex_value(text.ptr[i]);

		if (digit < 0)
			return 0;
		c = c * 16 + (uint32_t)digit;
	}
	if (c >= 0xd800 && c <= 0xdfff)
		return 0;
	buf_put(out, bytes, utf8_encode(c, bytes));
	return 4;
}

/* Escapes may have been escaped again: any number of backslashes is one. */
static size_t
take_json(struct str text, struct buf *out)
{
	size_t used = 0, digits;

	while (used < text.len && text.ptr[used] == '\\')
		used++;
	text = str_skip(text, used);
	if (used == 0 || !str_starts(text, STR("u"))) {
		buf_put_str(out, (struct str){ text.ptr, text.len > 0 });
		return text.len > 0 ? used + 1 : 0;
	}
	digits = take_unicode(str_skip(text, 1), out);
	return digits > 0 ? used + 1 + digits : 0;
}

/*
 * The encodings in which a server may quote: `take` decodes one unit at the
 * start of a text, appends it and returns its encoded length, or 0; `run`
 * decoded bytes in a row are a leak. In base64 two groups are, since any
 * REDACT_RUN bytes fill two, wherever they start.
 */
static const struct encoding {
	size_t (*take)(struct str text, struct buf *out);
	size_t run;
} ENCODINGS[] = {
	{ take_raw, REDACT_RUN },  { take_percent, REDACT_RUN },
	{ take_json, REDACT_RUN }, { take_hex, REDACT_RUN },
	{ take_base64, 6 },
};

#define ENCODING_COUNT (sizeof(ENCODINGS) / sizeof(ENCODINGS[0]))

/* Length of a run of a secret at the start of `text`, encoded; or 0. */
static size_t
match_run(const struct encoding *encoding, struct str text,
	  const struct secrets *secrets)
{
	char memory[REDACT_RUN + UTF8_MAX];
	struct buf run;
	size_t used = 0;

	buf_init(&run, memory, sizeof(memory));
	while (run.len < encoding->run) {
		size_t unit = encoding->take(str_skip(text, used), &run);

		if (unit == 0)
			return 0;
		used += unit;
	}
	/* Without a single escape it is the same as raw. */
	if (used == run.len && encoding->take != take_raw)
		return 0;
	for (size_t i = 0; i < secrets->count; i++)
		if (str_contains(secrets->value[i], buf_view(&run)))
			return used;
	return 0;
}

void
secrets_add(struct secrets *secrets, struct str value)
{
	if (value.len < REDACT_RUN)
		return;
	if (secrets->count < SECRETS_MAX)
		secrets->value[secrets->count] = value;
	secrets->count++;
}

void
redact(char *text, const struct secrets *secrets)
{
	size_t len = secrets->count <= SECRETS_MAX ? strlen(text) : 0;
	size_t hide = 0; /* end of the last match */

	if (len == 0)
		text[0] = '\0';
	for (size_t from = 0; from < len; from++) {
		/* Looks ahead of what is overwritten, never at it. */
		struct str rest = { text + from, len - from };

		for (size_t i = 0; i < ENCODING_COUNT; i++) {
			size_t used = match_run(&ENCODINGS[i], rest, secrets);

			if (used > 0 && from + used > hide)
				hide = from + used;
		}
		if (from < hide)
			text[from] = '*';
	}
}

bool
looks_secret(struct str text)
{
	static const char *const starts[] = { "{", "eyJ", "ewo", "eyA",
					      "ew0K" };

	text = str_trim(text);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(text, str_from(starts[i])))
			return true;
	return false;
}

const char *
redact_argument(const char *argument)
{
	return looks_secret(str_from(argument)) ? "(JSON, not shown)"
						: argument;
}
