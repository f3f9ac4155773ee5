/* What to do about errors: every row of every table, as users see it. */
#include "gcp/hint.h"

#include "base/codec.h"
#include "base/json_walk.h"
#include "gcp/cred_impersonate.h"
#include "gcp/cred_metadata.h"
#include "gcp/cred_types.h"
#include "gcp/resourcemanager.h"
#include "gcp/rpcstatus.h"
#include "gcp/secretmanager.h"
#include "test.h"

static const char LOGIN[] = "application-default login";

/* Who answers with errors, and with which table: the types and three APIs. */
static struct service {
	const char *name;
	const char *hints;
} services[16];
static size_t service_count;

static void
add(const char *name, const char *hints)
{
	services[service_count++] = (struct service){ name, hints };
}

static int
list_services(void **state)
{
	static const struct cred_settings settings = { .metadata_host = "m" };
	static struct cred metadata = {
		.place[CRED_METADATA].what = "metadata server",
	};
	struct status st = { .code = CODE_OK };

	(void)state;
#define ADD(type) add(CRED_##type.name, CRED_##type.hints);
	CRED_TYPES(ADD)
#undef ADD
	assert_int_equal(cred_metadata_use(&metadata, &settings, &st), CODE_OK);
	add("metadata server", metadata.type->hints);
	add("impersonation", CRED_IMPERSONATE_HINTS);
	add("Secret Manager", SECRETMANAGER_HINTS);
	add("Cloud Resource Manager", RESOURCEMANAGER_HINTS);
	return 0;
}

AROUND_ALL(list_services, NULL)

/* The first of a list with '|' between. */
static const char *
first_of(const char *list)
{
	static char copy[128];

	(void)snprintf(copy, sizeof(copy), "%s", list);
	copy[strcspn(copy, "|")] = '\0';
	return copy;
}

/* An error with this key, as its server would send it: OAuth's, or the API's. */
static void
read_error(const struct service *from, const char *key, const char *says,
	   const struct secrets *secrets, struct status *st)
{
	static struct json_tokens tokens;
	struct error_reply reply = { .http_status = 418,
				     .hints = from->hints,
				     .secrets = secrets };
	uint64_t http_status;
	char body[512];
	struct json json;

	status_clear(st);
	if (parse_uint(str_from(key), &http_status)) {
		reply.http_status = (int)http_status;
		reply.text = str_from(says);
		(void)rpcstatus_read(&reply, st);
		return;
	}
	if (key[0] >= 'a')
		(void)snprintf(
			body, sizeof(body),
			"{\"error\":\"%s\",\"error_description\":\"%s\"}", key,
			says);
	else if (code_from_name(str_from(key)) != CODE_UNKNOWN)
		(void)snprintf(body, sizeof(body),
			       "{\"error\":{\"status\":\"%s\","
			       "\"message\":\"%s\"}}",
			       key, says);
	else
		(void)snprintf(
			body, sizeof(body),
			"{\"error\":{\"status\":\"PERMISSION_DENIED\","
			"\"message\":\"%s\",\"details\":[{\"@type\":"
			"\"x/google.rpc.ErrorInfo\",\"reason\":\"%s\"}]}}",
			says, key);
	assert_int_equal(json_parse(&json, str_from(body), &tokens, st),
			 CODE_OK);
	reply.json = json_root(&json);
	(void)rpcstatus_read(&reply, st);
}

/* With secrets that are our own words: only what a server wrote has stars. */
static void
check_row(const struct service *from, const struct hint *row)
{
	static const char secret[] = "secret-of-the-server";
	char says[256], word[128], probe[128];
	struct secrets secrets = { .count = 0 };
	struct status st;

	(void)snprintf(word, sizeof(word), "%s", first_of(row->words));
	(void)snprintf(probe, sizeof(probe), "%s", word);
	(void)snprintf(says, sizeof(says), "%s %s", word, secret);
	secrets_add(&secrets, str_from(row->text));
	secrets_add(&secrets, str_from(row->keys));
	redact(probe, &secrets);
	if (strcmp(probe, word) != 0) /* it would be hidden, too */
		secrets.count = 0;
	secrets_add(&secrets, str_from(secret));
	read_error(from, first_of(row->keys), says, &secrets, &st);
	if (strcmp(st.hint, row->text) != 0 || strchr(st.hint, '*') != NULL)
		fail_msg("%s, %s: %s", from->name, row->keys, st.hint);
	if (strstr(st.message, "********************") == NULL ||
	    strstr(st.message, first_of(row->keys)) == NULL)
		fail_msg("%s, %s: %s", from->name, row->keys, st.message);
}

static bool
is_reply(const struct hint *row)
{
	return strcmp(row->keys, HINT_TOKEN_FILE) != 0 &&
	       strcmp(row->keys, HINT_TOKEN_REFUSED) != 0;
}

/* A row of the service is asked before one that all have in common. */
static bool
is_hidden(const struct service *from, const struct hint *row)
{
	char key[64];

	(void)snprintf(key, sizeof(key), "%s", first_of(row->keys));
	return hint_find(from->hints, key, NULL) != NULL;
}

TEST(every_hint_under_every_type_of_credentials)
{
	size_t seen = 0;

	for (size_t i = 0; i < service_count; i++) {
		const char *own = services[i].hints, *all = HINTS;
		struct hint row;

		for (; hint_next(&own, &row); seen++)
			if (is_reply(&row))
				check_row(&services[i], &row);
		for (; hint_next(&all, &row); seen++)
			if (!is_hidden(&services[i], &row))
				check_row(&services[i], &row);
	}
	assert_true(seen > 100);
}

/* Each has three texts that can be read, and that fit with a link behind. */
TEST(tables_are_well_formed)
{
	add("all", HINTS);
	for (size_t i = 0; i < service_count; i++) {
		const char *table = services[i].hints;
		struct hint row;

		assert_non_null(table);
		while (hint_next(&table, &row)) {
			if (strpbrk(row.keys, " :") != NULL ||
			    strchr(row.text, ' ') == NULL)
				fail_msg("%s: %s, %s, %s", services[i].name,
					 row.keys, row.words, row.text);
			assert_in_range(strlen(row.keys), 1, 64);
			assert_in_range(strlen(row.text), 12, 250);
		}
	}
	service_count--;
}

/* gcloud's login makes user credentials, which are no remedy for others. */
TEST(only_users_are_told_to_log_in)
{
	for (size_t i = 0; i < service_count; i++) {
		const char *table = services[i].hints;
		struct hint row;
		bool user = strstr(services[i].name, "authorized_user") != NULL;
		bool told = false;

		while (hint_next(&table, &row))
			told = told || strstr(row.text, LOGIN) != NULL;
		if (told != user)
			fail_msg("%s", services[i].name);
	}
}

/* Every type says what to do if the API refuses its token. */
/* Those that give tokens: not the two APIs at the end. */
TEST(a_refused_token_has_a_remedy)
{
	for (size_t i = 0; i + 2 < service_count; i++)
		if (hint_find(services[i].hints, HINT_TOKEN_REFUSED, "") ==
		    NULL)
			fail_msg("%s", services[i].name);
}

/* What Google's services really say (type, error, description: the remedy). */
TEST(what_services_say_has_its_own_remedy)
{
	static const struct {
		const char *service;
		const char *key;
		const char *says;
		const char *hint;
	} rows[] = {
		{ "external_account", "invalid_grant",
		  "The audience in ID Token [x] does not match the expected "
		  "audience y.",
		  "--allowed-audiences" },
		{ "external_account", "invalid_grant",
		  "The issuer in ID Token x does not match the expected "
		  "ones: y",
		  "--issuer-uri" },
		{ "external_account", "invalid_grant",
		  "Error connecting to the given credential's issuer.",
		  "--jwk-json-path" },
		{ "external_account", "invalid_grant",
		  "ID Token issued at 1713260741 is stale to sign-in.",
		  "serviceAccountToken" },
		{ "external_account", "invalid_grant", "The token is expired.",
		  "serviceAccountToken" },
		{ "external_account", "invalid_grant", "Something else.",
		  "the provider refuses the token" },
		{ "external_account", "invalid_target",
		  "The target service indicated by the 'audience' parameters "
		  "is invalid.",
		  "deleted, disabled or misspelt" },
		{ "external_account", "invalid_request",
		  "Invalid value for 'audience'.", "PROVIDER" },
		{ "external_account", "unauthorized_client",
		  "The given credential is rejected by the attribute "
		  "condition.",
		  "condition refuses the token" },
		{ "service_account", "invalid_grant", "Invalid JWT Signature.",
		  "keys list" },
		{ "service_account", "invalid_grant",
		  "Invalid JWT: Token must be a short-lived token (60 minutes) "
		  "and in a reasonable timeframe.",
		  "set the clock" },
		{ "service_account", "invalid_grant",
		  "Invalid grant: account not found", "was deleted" },
		{ "service_account", "invalid_grant", "Robot is disabled.",
		  "service-accounts enable" },
		{ "gdch_service_account", "invalid_grant", "",
		  "private_key_id" },
		{ "external_account_authorized_user", "invalid_grant", "",
		  "--login-config" },
		{ "external_account_authorized_user", "invalid_target", "",
		  "workforce pool" },
		{ "authorized_user", "invalid_client", "", "client_secret" },
		{ "impersonation", "PERMISSION_DENIED",
		  "The caller does not have permission",
		  "roles/iam.serviceAccountTokenCreator" },
		{ "impersonation", "IAM_PERMISSION_DENIED", "",
		  "roles/iam.serviceAccountTokenCreator" },
		{ "impersonation", "NOT_FOUND", "Gaia id not found",
		  "no such service account" },
		{ "metadata server", "403",
		  "IAM returned 403 Forbidden: Permission "
		  "'iam.serviceAccounts.getAccessToken' denied",
		  "roles/iam.workloadIdentityUser" },
		{ "metadata server", "404", "Not Found",
		  "no service account is attached" },
		{ "metadata server", "500", "Internal Server Error",
		  "gke-metadata-server" },
		{ "Secret Manager", "FAILED_PRECONDITION",
		  "Constraint constraints/gcp.resourceLocations violated",
		  "--location A,B" },
		{ "Secret Manager", "CONSUMER_INVALID", "", "no such project" },
		{ "Secret Manager", "ACCESS_TOKEN_EXPIRED", "", "clock" },
	};
	const struct secrets none = { .count = 0 };
	struct status st;

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t s = 0; s < service_count; s++) {
			if (strcmp(services[s].name, rows[i].service) != 0)
				continue;
			read_error(&services[s], rows[i].key, rows[i].says,
				   &none, &st);
			if (strstr(st.hint, rows[i].hint) == NULL)
				fail_msg("row %zu: %s (%s)", i, st.message,
					 st.hint);
		}
}
