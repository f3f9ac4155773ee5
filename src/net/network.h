/*
 * Floor 2, network. What every connection of a process shares.
 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include "net/proxy.h"
#include "net/resolve.h"
#include "net/trust.h"

/* Read once, before the process confines itself. All zero: no proxy. */
struct network {
	struct trust trust;
	struct resolver_config resolver;
	struct proxy proxy; /* holds a password: end with proxy_wipe() */
};

#endif
