/* Where credentials are found, and what of each credential file is taken. */
#include "gcp/adc.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "gcp/cred.h"
#include "make_der.h"
#include "sys/wait.h"
#include "test.h"

static char folder[] = "/tmp/test_adc.XXXXXX";
static struct cred cred;
static struct call call;
static struct cred_settings settings;
static struct status st;

/* PEM of a key's DER, its lines ended as JSON writes it. */
static void
put_pem(struct buf *out, const char *label, struct str key)
{
	buf_put_cstr(out, "-----BEGIN ");
	buf_put_cstr(out, label);
	buf_put_cstr(out, "-----\\n");
	base64_encode(out, key.ptr, key.len);
	buf_put_cstr(out, "\\n-----END ");
	buf_put_cstr(out, label);
	buf_put_cstr(out, "-----\\n");
}

/* A key that has the form of one (RFC 8017 appendix A.1.2). */
static struct str
rsa_private_key(size_t bytes)
{
	struct str whole = bytes_of(bytes, 0x40, 1);
	struct str half = bytes_of(bytes / 2, 0x40, 1);

	whole = der(DER_INTEGER, STR("\0"), bytes_of(bytes, 0x80, 1), END);
	half = der(DER_INTEGER, half, END);
	return der(DER_SEQUENCE, der(DER_INTEGER, STR("\0"), END), whole,
		   der(DER_INTEGER, STR("\1\0\1"), END), whole, half, half,
		   half, half, half, END);
}

/* RFC 5915 section 3. */
static struct str
ec_private_key(struct str curve)
{
	return der(DER_SEQUENCE, der(DER_INTEGER, STR("\1"), END),
		   der(DER_OCTET_STRING, bytes_of(32, 1, 1), END),
		   der(0xa0, der(DER_OID, curve, END), END), END);
}

/* Appends `text`, in which @RSA, @WEAK, @EC and @P384 stand for keys. */
static void
put_text(struct buf *out, const char *text)
{
	made_reset();
	for (; *text != '\0'; text++) {
		if (*text != '@' || text[1] < 'A' || text[1] > 'Z') {
			buf_put_char(out, *text);
			continue;
		}
		if (text[1] == 'R')
			put_pem(out, "RSA PRIVATE KEY", rsa_private_key(256));
		else if (text[1] == 'W')
			put_pem(out, "RSA PRIVATE KEY", rsa_private_key(128));
		else
			put_pem(out, "EC PRIVATE KEY",
				ec_private_key(text[1] == 'E' ? OID_P256
							      : OID_P384));
		text += strcspn(text, "\\\"") - 1;
	}
	assert_false(out->overflow);
}

static enum code
read_text(const char *text)
{
	cred_wipe(&cred);
	memset(&cred, 0, sizeof(cred));
	call_init(&call);
	status_clear(&st);
	put_text(&call.body, text);
	return adc_read(&cred, &settings, &call, "/f.json", &st);
}

#define USER \
	"{\"type\":\"authorized_user\",\"client_id\":\"i\"," \
	"\"client_secret\":\"s\",\"refresh_token\":\"r\"}"
#define EXTERNAL(source, more) \
	"{\"type\":\"external_account\",\"audience\":\"a\"," \
	"\"subject_token_type\":\"t\",\"credential_source\":" source more "}"
#define ACCOUNT(key, more) \
	"{\"type\":\"service_account\",\"client_email\":\"e@p\"," \
	"\"private_key\":\"" key "\"" more "}"
#define GENERATE "/v1/projects/-/serviceAccounts/b@p:generateAccessToken"
#define IMPERSONATED(url, more) \
	"{\"type\":\"impersonated_service_account\"," \
	"\"service_account_impersonation_url\":\"" url \
	"\",\"source_credentials\":" USER more "}"

TEST(every_type_is_read)
{
	static const struct {
		const char *text;
		const char *type;
		const char *source;
		const char *host;
		const char *path;
	} rows[] = {
		{ USER, "authorized_user", "authorized_user, /f.json",
		  "oauth2.googleapis.com", "/token" },
		{ " \n" USER "\r\n\f ", "authorized_user",
		  "authorized_user, /f.json", "oauth2.googleapis.com",
		  "/token" },
		{ ACCOUNT("@RSA", ""), "service_account",
		  "service_account, /f.json", "oauth2.googleapis.com",
		  "/token" },
		{ ACCOUNT("@RSA", ",\"token_uri\":"
				  "\"https://x.googleapis.com/y\""),
		  "service_account", "service_account, /f.json",
		  "x.googleapis.com", "/y" },
		{ EXTERNAL("{\"file\":\"/t\"}", ""), "external_account",
		  "external_account, /f.json", "sts.googleapis.com",
		  "/v1/token" },
		{ EXTERNAL("{\"url\":\"http://127.0.0.1/\"}", ""),
		  "external_account", "external_account, /f.json",
		  "sts.googleapis.com", "/v1/token" },
		{ IMPERSONATED("https://iamcredentials.googleapis.com" GENERATE,
			       ""),
		  "authorized_user", "impersonated_service_account, /f.json",
		  "oauth2.googleapis.com", "/token" },
		{ "{\"type\":\"external_account_authorized_user\","
		  "\"client_id\":\"i\",\"client_secret\":\"s\","
		  "\"refresh_token\":\"r\"}",
		  "external_account_authorized_user",
		  "external_account_authorized_user, /f.json",
		  "sts.googleapis.com", "/v1/oauthtoken" },
		{ "{\"type\":\"gdch_service_account\",\"format_version\":\"1\","
		  "\"project\":\"p\",\"name\":\"n\",\"private_key_id\":\"k\","
		  "\"private_key\":\"@EC\","
		  "\"token_uri\":\"https://service.site.example/t\"}",
		  "gdch_service_account", "gdch_service_account, /f.json",
		  "service.site.example", "/t" },
	};

	settings = (struct cred_settings){ .endpoint = "https://sm.example" };
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_text(rows[i].text) != CODE_OK)
			fail_msg("row %zu: %s", i, st.message);
		assert_string_equal(cred.type->name, rows[i].type);
		assert_string_equal(cred.source, rows[i].source);
		assert_string_equal(cred.url.host, rows[i].host);
		assert_string_equal(cred.url.path, rows[i].path);
		assert_true(cred.url.tls);
		assert_string_equal(cred.universe, "googleapis.com");
	}
}

TEST(wrong_files_are_told_by_member_and_rule)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "", "/f.json is not JSON" },
		{ "@", "/f.json is not JSON" },
		{ "[]", "/f.json holds an array, not an object" },
		{ "null", "/f.json holds null, not an object" },
		{ "{}", "/f.json lacks type" },
		{ "{\"installed\":{\"client_id\":\"x\"}}", "lacks type" },
		{ "{\"type\":\"user\"}", "unknown type of credentials" },
		{ "{\"type\":\"\"}", "unknown type of credentials" },
		{ "{\"type\":7}", "unknown type of credentials" },
		{ "{\"type\":\"authorized_user\",\"client_secret\":\"s\","
		  "\"refresh_token\":\"r\"}",
		  "lacks client_id" },
		{ "{\"type\":\"authorized_user\",\"client_id\":\"i\","
		  "\"refresh_token\":\"r\"}",
		  "lacks client_secret" },
		{ "{\"type\":\"authorized_user\",\"client_id\":\"i\","
		  "\"client_secret\":\"s\"}",
		  "lacks refresh_token" },
		{ "{\"type\":\"authorized_user\",\"client_id\":\"\"}",
		  "client_id is not a usable string" },
		{ "{\"type\":\"authorized_user\",\"client_id\":null}",
		  "client_id is not a usable string" },
		{ "{\"type\":\"authorized_user\",\"client_id\":[]}",
		  "client_id is not a usable string" },
		{ "{\"type\":\"authorized_user\",\"client_id\":\"a\\u0000\"}",
		  "client_id is not a usable string" },
		{ "{\"type\":\"authorized_user\",\"client_id\":\"a\\n\"}",
		  "client_id holds a control character" },
		{ "{\"type\":\"service_account\",\"private_key\":\"@RSA\"}",
		  "lacks client_email" },
		{ "{\"type\":\"service_account\",\"client_email\":\"e\"}",
		  "lacks private_key" },
		{ ACCOUNT("", ""), "private_key holds no PEM block" },
		{ ACCOUNT("x", ""), "private_key holds no PEM block" },
		{ ACCOUNT("@WEAK", ""), "not of 2048 to 4096 bits" },
		{ ACCOUNT("@EC", ""), "private_key is no RSA key" },
		{ ACCOUNT("@P384", ""), "not on P-256" },
		{ ACCOUNT("@RSA", ",\"token_uri\":\"http://x\""),
		  "token_uri must be https" },
		{ ACCOUNT("@RSA", ",\"token_uri\":\"https://evil.example\""),
		  "token_uri leads to a host that is not Google's" },
		{ ACCOUNT("@RSA", ",\"token_uri\":"
				  "\"https://evilgoogleapis.com\""),
		  "token_uri leads to a host that is not Google's" },
		{ ACCOUNT("@RSA", ",\"token_uri\":\"https://googleapis.com\""),
		  "token_uri leads to a host that is not Google's" },
		{ ACCOUNT("@RSA", ",\"token_uri\":\"file:///etc\""),
		  "token_uri: the URL must start with" },
		{ "{\"type\":\"external_account\",\"audience\":\"a\","
		  "\"subject_token_type\":\"t\"}",
		  "credential_source is no object" },
		{ EXTERNAL("[]", ""), "credential_source is no object" },
		{ EXTERNAL("{}", ""), "has neither file nor url" },
		{ EXTERNAL("{\"file\":\"\"}", ""), "has neither file nor url" },
		{ EXTERNAL("{\"file\":\"/t\",\"environment_id\":\"aws1\"}", ""),
		  "environment_id is not supported" },
		{ EXTERNAL("{\"url\":\"http://127.0.0.1\",\"headers\":\"A\"}",
			   ""),
		  "headers is no object" },
		{ EXTERNAL("{\"file\":\"/t\",\"url\":\"http://127.0.0.1\"}",
			   ""),
		  "has both file and url" },
		{ EXTERNAL("{\"url\":\"http://example.com\"}", ""),
		  "credential_source.url must be https, or http to a" },
		{ EXTERNAL("{\"url\":\"http://169.254.1.1.example\"}", ""),
		  "credential_source.url must be https, or http to a" },
		{ EXTERNAL("{\"url\":\"http://127.0.0.1\",\"headers\":"
			   "{\"A\":7}}",
			   ""),
		  "headers are not all strings" },
		{ EXTERNAL("{\"file\":\"/t\",\"format\":{\"type\":\"xml\"}}",
			   ""),
		  "is neither text nor json" },
		{ EXTERNAL("{\"file\":\"/t\",\"format\":{\"type\":\"json\"}}",
			   ""),
		  "lacks subject_token_field_name" },
		{ EXTERNAL("{\"file\":\"/t\"}",
			   ",\"token_url\":\"https://x.example\""),
		  "token_url leads to a host that is not Google's" },
		{ EXTERNAL("{\"file\":\"/t\"}",
			   ",\"workforce_pool_user_project\":\"p\""),
		  "is for workforce pools only" },
		{ EXTERNAL("{\"file\":\"/t\"}",
			   ",\"service_account_impersonation_url\":\"https:"
			   "//iamcredentials.googleapis.com" GENERATE "\","
			   "\"service_account_impersonation\":"
			   "{\"token_lifetime_seconds\":599}"),
		  "is not between 600 and 43200" },
		{ EXTERNAL("{\"file\":\"/t\"}",
			   ",\"service_account_impersonation_url\":\"https:"
			   "//iamcredentials.googleapis.com" GENERATE "\","
			   "\"service_account_impersonation\":"
			   "{\"token_lifetime_seconds\":43201}"),
		  "is not between 600 and 43200" },
		{ "{\"type\":\"impersonated_service_account\"}",
		  "source_credentials is missing or no object" },
		{ "{\"type\":\"impersonated_service_account\","
		  "\"source_credentials\":" USER "}",
		  "service_account_impersonation_url is missing" },
		{ IMPERSONATED("https://evil.example" GENERATE, ""),
		  "leads to a host that is not Google's" },
		{ IMPERSONATED("https://iamcredentials.googleapis.com/x", ""),
		  "service_account_impersonation_url is not ..." },
		{ IMPERSONATED("https://iamcredentials.googleapis.com" GENERATE,
			       ",\"delegates\":[7]"),
		  "delegates are not all strings" },
		{ IMPERSONATED("https://iamcredentials.googleapis.com" GENERATE,
			       ",\"delegates\":\"x\""),
		  "delegates is no array" },
		{ "{\"type\":\"authorized_user\",\"universe_domain\":"
		  "\"evil.example\"}",
		  "is for the universe domain evil.example" },
		{ "{\"type\":\"gdch_service_account\",\"format_version\":"
		  "\"2\"}",
		  "format_version is not 1" },
	};

	settings = (struct cred_settings){ .endpoint = "https://sm.example" };
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_text(rows[i].text) != CODE_INVALID_ARGUMENT ||
		    strstr(st.message, rows[i].message) == NULL ||
		    strstr(st.message, "/f.json") == NULL)
			fail_msg("row %zu: %s", i, st.message);
	}
}

/* Endpoints move URLs of files, their paths stay. */
TEST(endpoints_stand_in_for_hosts)
{
	settings = (struct cred_settings){
		.oauth2_endpoint = "http://127.0.0.1:1/o",
		.sts_endpoint = "https://sts.internal",
		.iam_endpoint = "https://iam.internal:8443/p/",
	};
	assert_int_equal(read_text(USER), CODE_OK);
	assert_string_equal(cred.url.authority, "127.0.0.1:1");
	assert_string_equal(cred.url.path, "/o/token");
	assert_int_equal(read_text(EXTERNAL("{\"file\":\"/t\"}", "")), CODE_OK);
	assert_string_equal(cred.url.authority, "sts.internal");
	assert_int_equal(
		read_text(IMPERSONATED(
			"https://iamcredentials.googleapis.com" GENERATE,
			",\"delegates\":[\"x\",\"y\"]")),
		CODE_OK);
	assert_int_equal(cred.impersonation_count, 1);
	assert_string_equal(cred.impersonation[0].url.authority,
			    "iam.internal:8443");
	assert_string_equal(cred.impersonation[0].url.path, "/p" GENERATE);
	assert_string_equal(cred.impersonation[0].delegates, "x\ny\n");
	assert_int_equal(cred.impersonation[0].lifetime_s, 3600);
	settings.oauth2_endpoint = "http://oauth.internal";
	assert_int_equal(read_text(USER), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "OAUTH2_ENDPOINT must be https"));
}

/* Each delegate needs its line feed, the last one, too. */
TEST(delegates_fit_whole_or_not_at_all)
{
	const size_t most = sizeof(cred.impersonation[0].delegates) - 2;
	static char text[4096], name[1100];

	settings = (struct cred_settings){ .no_metadata = false };
	for (size_t len = most - 1; len <= most + 2; len++) {
		memset(name, 'd', len);
		name[len] = '\0';
		(void)snprintf(
			text, sizeof(text), "%s%s%s",
			"{\"type\":\"impersonated_service_account\","
			"\"service_account_impersonation_url\":"
			"\"https://iamcredentials.googleapis.com" GENERATE
			"\",\"source_credentials\":" USER ",\"delegates\":[\"",
			name, "\"]}");
		if ((read_text(text) == CODE_OK) != (len <= most))
			fail_msg("%zu bytes: %s", len, st.message);
		if (len <= most)
			assert_int_equal(
				strlen(cred.impersonation[0].delegates),
				len + 1);
	}
}

TEST(no_message_holds_a_secret)
{
	static const char *const rows[] = {
		"{\"type\":\"CANARY\"}",
		"\"CANARY\"",
		"{\"type\":\"authorized_user\",\"client_id\":\"i\","
		"\"client_secret\":\"CANARY\\n\"}",
		ACCOUNT("CANARY", ""),
		ACCOUNT("-----BEGIN PRIVATE KEY-----\\nCANARY\\n"
			"-----END PRIVATE KEY-----\\n",
			""),
		ACCOUNT("@RSA", ",\"token_uri\":\"https://u:CANARY@x\""),
		EXTERNAL("{\"url\":\"https://u:CANARY@x\"}", ""),
	};

	settings = (struct cred_settings){ .no_metadata = false };
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(read_text(rows[i]), CODE_INVALID_ARGUMENT);
		if (strstr(st.message, "CANARY") != NULL ||
		    strstr(st.hint, "CANARY") != NULL)
			fail_msg("row %zu: %s", i, st.message);
	}
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static enum code
find(void)
{
	cred_wipe(&cred);
	memset(&cred, 0, sizeof(cred));
	call_init(&call);
	status_clear(&st);
	settings.until = DEADLINE_NEVER;
	return adc_find(&cred, &settings, &call, &st);
}

/* AIP-4110: the named file, gcloud's, the metadata server. */
TEST(the_first_place_that_has_credentials_counts)
{
	char named[128], home[128];

	(void)snprintf(named, sizeof(named), "%s/named.json", folder);
	(void)snprintf(home, sizeof(home), "%s/none", folder);
	write_file("application_default_credentials.json", USER);
	write_file("named.json", EXTERNAL("{\"file\":\"/t\"}", ""));
	settings = (struct cred_settings){ .file = named,
					   .gcloud_folder = folder };
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.type->name, "external_account");
	settings.file = NULL;
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.type->name, "authorized_user");
	/* gcloud's own file may be missing, but not wrong */
	settings.gcloud_folder = NULL;
	settings.home = home;
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.type->name, "metadata server");
	assert_string_equal(cred.url.host, "169.254.169.254");
	assert_true(cred.has_url6);
	assert_string_equal(cred.url6.host, "fd20:ce::254");
	settings.gcloud_folder = folder;
	write_file("application_default_credentials.json", "{");
	assert_int_equal(find(), CODE_INVALID_ARGUMENT);
	/* the named one must be there */
	settings.file = home;
	assert_int_equal(find(), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "GOOGLE_APPLICATION_CREDENTIALS"));
	(void)snprintf(home, sizeof(home),
		       "%s/application_default_credentials.json", folder);
	(void)unlink(home);
	(void)unlink(named);
}

TEST(every_place_is_told_with_what_it_has)
{
	char file[128];

	(void)snprintf(file, sizeof(file),
		       "%s/application_default_credentials.json", folder);
	settings = (struct cred_settings){ .gcloud_folder = folder,
					   .metadata_host = "md:1" };
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.place[CRED_NAMED_FILE].what,
			    "GOOGLE_APPLICATION_CREDENTIALS");
	assert_string_equal(cred.place[CRED_NAMED_FILE].result, "is not set");
	assert_string_equal(cred.place[CRED_NAMED_FILE].where, "");
	assert_string_equal(cred.place[CRED_GCLOUD_FILE].where, file);
	assert_string_equal(cred.place[CRED_GCLOUD_FILE].result,
			    "is not there");
	assert_string_equal(cred.place[CRED_METADATA].where, "md:1");
	assert_string_equal(cred.place[CRED_METADATA].result, "is used");
	assert_false(cred.is_elsewhere);
	/* of the first places the reasons are known, of the last one nothing */
	write_file("application_default_credentials.json", USER);
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.place[CRED_GCLOUD_FILE].result, "is used");
	assert_null(cred.place[CRED_METADATA].result);
	assert_string_equal(cred.wanted, cred.source);
	assert_int_equal(cred.patience_ms, 0);
	settings.file = file;
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.place[CRED_NAMED_FILE].where, file);
	assert_null(cred.place[CRED_GCLOUD_FILE].result);
	(void)unlink(file);
	settings.file = settings.gcloud_folder = NULL;
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.wanted, "metadata server md:1; "
					 "GOOGLE_APPLICATION_CREDENTIALS is "
					 "not set, HOME gives no path");
}

TEST(the_metadata_server_can_be_named_or_ruled_out)
{
	settings = (struct cred_settings){ .metadata_host = "127.0.0.1:8080" };
	assert_int_equal(find(), CODE_OK);
	assert_string_equal(cred.url.authority, "127.0.0.1:8080");
	assert_string_equal(cred.source, "metadata server 127.0.0.1:8080");
	assert_false(cred.has_url6);
	settings.metadata_host = "http://x";
	assert_int_equal(find(), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "GCE_METADATA_HOST"));
	settings.no_metadata = true;
	assert_int_equal(find(), CODE_UNAUTHENTICATED);
	assert_non_null(strstr(st.message, "NO_GCE_CHECK"));
}

static int
make_folder(void **state)
{
	(void)state;
	wait_init();
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

AROUND_ALL(make_folder, remove_folder)
