/* Where Cloud Resource Manager is. */
#include "gcp/resourcemanager.h"

#include "test.h"

TEST(the_universe_of_the_credentials)
{
	struct status st = { .code = CODE_OK };
	struct url url;

	assert_int_equal(resourcemanager_url(&url, NULL, "googleapis.com", &st),
			 CODE_OK);
	assert_string_equal(url.host, "cloudresourcemanager.googleapis.com");
	assert_int_equal(resourcemanager_url(&url, NULL, "example.goog", &st),
			 CODE_OK);
	assert_string_equal(url.host, "cloudresourcemanager.example.goog");
	assert_true(url.tls);
}

TEST(an_endpoint_keeps_the_token_on_tls)
{
	struct status st = { .code = CODE_OK };
	struct url url;

	assert_int_equal(resourcemanager_url(&url, "http://localhost:1",
					     "example.goog", &st),
			 CODE_OK);
	assert_int_equal(url.port, 1);
	assert_int_equal(resourcemanager_url(&url, "http://example.com",
					     "example.goog", &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "RESOURCE_MANAGER_ENDPOINT"));
}
