#include "base/redact.h"

#include <string.h>

void
redact(char *text, struct str secret)
{
	size_t len = strlen(text);
	size_t from = 0; /* start of the characters not decided on yet */
	size_t hide = 0; /* end of what is known to be part of the secret */

	if (secret.len < REDACT_RUN)
		return;
	for (; from < len; from++) {
		/* Looks ahead of what is overwritten, never at it. */
		if (from + REDACT_RUN <= len &&
		    memmem(secret.ptr, secret.len, text + from, REDACT_RUN) !=
			    NULL)
			hide = from + REDACT_RUN;
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
shown(const char *argument)
{
	return looks_secret(str_from(argument)) ? "(JSON, not shown)"
						: argument;
}
