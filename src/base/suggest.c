#include "base/suggest.h"

/* No flag, applet or job is longer. */
#define WORD_MAX 48
#define PART_MIN 3
/* Letters in a row that differ: one wrong, two swapped. */
#define ERRORS_MAX 2

/* Lower case, with '-' for '_', without dashes in front. */
static struct str
fold(struct str text, char out[static WORD_MAX])
{
	size_t len = 0;

	while (text.len > 0 && text.ptr[0] == '-')
		text = str_skip(text, 1);
	for (; len < text.len && len < WORD_MAX; len++) {
		char c = text.ptr[len];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		out[len] = c == '_' ? '-' : c;
	}
	return (struct str){ out, len };
}

/* How much of the longer one is left without what both start and end with. */
static size_t
difference(struct str a, struct str b)
{
	while (a.len > 0 && b.len > 0 && a.ptr[0] == b.ptr[0]) {
		a = str_skip(a, 1);
		b = str_skip(b, 1);
	}
	while (a.len > 0 && b.len > 0 && a.ptr[a.len - 1] == b.ptr[b.len - 1]) {
		a.len--;
		b.len--;
	}
	return a.len > b.len ? a.len : b.len;
}

void
suggest_try(struct suggestion *suggestion, const char *known, const char *shown)
{
	char memory[2][WORD_MAX];
	struct str word = fold(suggestion->word, memory[0]);
	struct str other = fold(str_from(known), memory[1]);
	size_t errors = difference(word, other);

	if (errors > ERRORS_MAX || 2 * errors > word.len) {
		if (word.len < PART_MIN || !str_contains(other, word))
			return;
		errors = ERRORS_MAX + 1;
	}
	if (suggestion->best != NULL && errors >= suggestion->errors)
		return;
	suggestion->best = shown;
	suggestion->errors = errors;
}

void
suggest_hint(const struct suggestion *suggestion, struct status *st)
{
	if (suggestion->best != NULL)
		status_hint(st, "did you mean %s?", suggestion->best);
}
