#include "gcp/hint.h"

#include <string.h>

#include "base/format.h"

const char HINTS[] =
	"SERVICE_DISABLED\0\0"
	"enable the API that the message names, in the project that it "
	"names\0"
	"BILLING_DISABLED\0\0"
	"enable billing for the project\0"
	"USER_PROJECT_DENIED\0\0"
	"grant roles/serviceusage.serviceUsageConsumer on the quota project, "
	"or set another GOOGLE_CLOUD_QUOTA_PROJECT\0"
	"CONSUMER_INVALID|RESOURCE_PROJECT_INVALID\0\0"
	"there is no such project: check the ID in GCP_PROJECT_ID and in "
	"GOOGLE_CLOUD_QUOTA_PROJECT\0"
	"CONSUMER_SUSPENDED\0\0"
	"the project is suspended: ask its owner\0"
	"SECURITY_POLICY_VIOLATED\0\0"
	"VPC Service Controls refused it: give the unique identifier in the "
	"message to the organization's administrator\0"
	"TLS_ORG_POLICY_VIOLATED\0\0"
	"the organization denies TLS 1.2, and this program speaks TLS 1.2 "
	"only\0"
	"TLS_CIPHER_RESTRICTION_VIOLATED\0\0"
	"the organization's policy allows none of the cipher suites that "
	"this program offers\0"
	"RESOURCE_EXHAUSTED\0\0"
	"a quota is used up: retry later or raise it\0"
	"UNAVAILABLE|INTERNAL|DEADLINE_EXCEEDED\0\0"
	"the server's own trouble: run again later; "
	"https://status.cloud.google.com shows Google's outages\0";

bool
hint_next(const char **table, struct hint *row)
{
	const char **text[] = { &row->keys, &row->words, &row->text };

	if (*table == NULL || **table == '\0')
		return false;
	for (size_t i = 0; i < 3; i++) {
		*text[i] = *table;
		*table += strlen(*table) + 1;
	}
	return true;
}

static bool
has_key(const char *keys, const char *key)
{
	struct str rest = str_from(keys), one;

	while (str_split(&rest, '|', &one))
		if (str_eq(one, str_from(key)))
			return true;
	return false;
}

/* Whether the message holds one of the words, if any are asked for. */
static bool
has_word(const char *words, const char *message)
{
	struct str rest = str_from(words), one;

	if (words[0] == '\0' || message == NULL)
		return true;
	while (str_split(&rest, '|', &one))
		if (str_contains(str_from(message), one))
			return true;
	return false;
}

const char *
hint_find(const char *table, const char *key, const char *message)
{
	struct hint row;

	while (hint_next(&table, &row))
		if (has_key(row.keys, key) && has_word(row.words, message))
			return row.text;
	return NULL;
}

void
hint_add(struct status *st, const char *table)
{
	char http_status[8];
	const char *const keys[] = { st->reason, http_status,
				     code_name(st->code) };
	const char *const tables[] = { table, HINTS };
	/* One that is not in a table is not about roles, as others of 403. */
	size_t count = st->code == CODE_PERMISSION_DENIED && st->reason[0] != 0
			       ? 2
			       : 6;

	(void)format_text(http_status, sizeof(http_status), "%d",
			  st->http_status);
	for (size_t i = 0; i < count && st->hint[0] == '\0'; i++) {
		const char *hint =
			hint_find(tables[i % 2], keys[i / 2], st->message);

		if (hint != NULL)
			status_hint(st, "%s", hint);
	}
}
