#include "gcp/client.h"

#include "sys/opt.h"

static const char ENDPOINT[] = "SECRET_MANAGER_ENDPOINT";

void
client_init(struct client *client, const struct retry_listener *listener,
	    const struct call_observer *observer)
{
	call_init(&client->call);
	client->call.observer = observer;
	client->listener = listener;
}

/* With plain http the token may not be sent to another machine. */
static enum code
read_connect_to(struct client *client, const char *text, struct status *st)
{
	client->has_connect_to = text != NULL;
	if (text == NULL ||
	    url_from_host(&client->connect_to, str_from(text),
			  client->sm.url.port,
			  opt_given("SECRET_MANAGER_CONNECT_TO"),
			  st) != CODE_OK)
		return st->code;
	if (client->sm.url.tls || url_is_loopback(&client->connect_to))
		return CODE_OK;
	status_hint(st, "use https in %s", opt_origin(ENDPOINT));
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s must be an address of the loopback where %s is "
			  "http",
			  opt_given("SECRET_MANAGER_CONNECT_TO"),
			  opt_origin(ENDPOINT));
}

enum code
client_load(struct client *client, const struct client_settings *settings,
	    struct status *st)
{
	if (cred_load(&client->cred, &settings->cred, &client->call, st) !=
		    CODE_OK ||
	    secretmanager_init(&client->sm, settings->cred.endpoint,
			       settings->location, &client->cred, &client->call,
			       client->listener, st) != CODE_OK)
		return st->code;
	return read_connect_to(client, settings->connect_to, st);
}

void
client_use_network(struct client *client, const struct network *network)
{
	cred_connect(&client->cred, network);
	secretmanager_connect(&client->sm, network);
	if (client->has_connect_to)
		conn_connect_to(&client->sm.conn, &client->connect_to);
}

struct retry
client_retries(const struct client *client)
{
	return retry_calls(client->listener, client->until);
}

enum code
client_connect(struct client *client, struct status *st)
{
	struct retry retry = client_retries(client);
	struct conn *api = &client->sm.conn;

	conn_open_ahead(api, &client->cred.conn);
	if (cred_fetch(&client->cred, &client->call, client->listener,
		       client->until, st) != CODE_OK)
		return st->code;
	/* The token's source has done its part until the token expires. */
	client->cred.conn.opening_ahead = NULL;
	conn_close(&client->cred.conn);
	while (conn_open(api, client->until, st) != CODE_OK)
		if (!retry_again(&retry, st)) {
			if (!status_interrupted(st))
				status_prefix(st, "cannot reach Secret "
						  "Manager");
			return st->code;
		}
	return CODE_OK;
}

void
client_wipe(struct client *client)
{
	cred_wipe(&client->cred);
	conn_close(&client->sm.conn);
	wipe(client->sm.bearer, sizeof(client->sm.bearer));
	if (client->call.body.ptr != NULL)
		call_wipe(&client->call);
	client->sm.secret = STR("");
}
