#include "gcp/resourcemanager.h"

#include "gcp/hint.h"
#include "gcp/method.h"

const char RESOURCEMANAGER_HINTS[] =
	"SERVICE_DISABLED\0\0"
	"enable it in the project that the message names: gcloud services "
	"enable cloudresourcemanager.googleapis.com\0";

static const struct method TEST_PERMISSIONS = {
	.verb = "POST",
	.path = "/v3/projects/{project}:testIamPermissions",
	.idempotent = true,
	.body = method_put_permissions,
	.read = method_read_permissions,
};

enum code
resourcemanager_url(struct url *url, const char *endpoint, const char *universe,
		    struct status *st)
{
	return method_endpoint(url, endpoint, "cloudresourcemanager", universe,
			       "RESOURCE_MANAGER_ENDPOINT", st);
}

enum code
resourcemanager_test_permissions(struct secretmanager *sm,
				 const struct url *url,
				 const struct network *network,
				 const char *project,
				 const char *const *permission, size_t count,
				 bool *granted, struct retry *retry,
				 struct status *st)
{
	const struct args args = { .project = project,
				   .permission = permission,
				   .permission_count = count,
				   .granted = granted };

	conn_close(&sm->conn);
	conn_init(&sm->conn, url, network, sm->conn.limits);
	sm->name = "Cloud Resource Manager";
	sm->hints = RESOURCEMANAGER_HINTS;
	return method_call(sm, &TEST_PERMISSIONS, &args, retry, st);
}
