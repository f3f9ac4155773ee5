/*
 * Floor 3, Google. All that it takes to talk to Google: credentials, a token,
 * a connection, and memory for one call at a time.
 *
 * One for each process that works; clients share nothing but the network's
 * configuration.
 */
#ifndef GCP_CLIENT_H
#define GCP_CLIENT_H

#include "gcp/secretmanager.h"

/* NULL where nothing was set. Texts must stay while client_load() runs. */
struct client_settings {
	struct cred_settings cred;
	const char *connect_to; /* SECRET_MANAGER_CONNECT_TO */
	const char *location;   /* of regional secrets */
};

/*
 * Caller-owned; holds secrets: end with client_wipe(). The members are for
 * callers of secretmanager.h.
 */
struct client {
	struct cred cred;
	struct secretmanager sm;
	struct call call;
	struct deadline until; /* of the current task */
	const struct retry_listener *listener;
	struct url connect_to; /* private */
	bool has_connect_to;
};

/* Gives an all-zero `client` its memory, and who hears what it does. */
void client_init(struct client *client, const struct retry_listener *listener,
		 const struct call_observer *observer);

/*
 * Reads credentials and endpoints; touches no network. Codes: those of
 * cred_load() and secretmanager_init(), INVALID_ARGUMENT for `connect_to`.
 */
MUST_CHECK enum code client_load(struct client *client,
				 const struct client_settings *settings,
				 struct status *st);

/* Prepares the connections; `network` must stay. */
void client_use_network(struct client *client, const struct network *network);

/*
 * Gets a token and opens the connection to Secret Manager, at the same time,
 * with retries. Codes: those of cred_fetch() and conn_open().
 */
MUST_CHECK enum code client_connect(struct client *client, struct status *st);

/* The usual retries of a call (retry.h), within the time that is left. */
struct retry client_retries(const struct client *client);

/* Closes and wipes; also a struct that is all zero. */
void client_wipe(struct client *client);

#endif
