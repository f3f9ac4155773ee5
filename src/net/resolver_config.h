/*
 * Floor 2, network. The resolver's configuration: /etc/resolv.conf and
 * /etc/hosts.
 */
#ifndef NET_RESOLVER_CONFIG_H
#define NET_RESOLVER_CONFIG_H

#include "base/bounds.h"
#include "net/address.h"

/*
 * The system's configuration, read once, before the network is touched.
 * Caller-owned, private to resolver_config.c and resolve*.c. Files may be
 * missing: without name servers 127.0.0.1 is asked, as musl and glibc do.
 */
struct resolver_config {
	size_t server_count;
	struct address server[NAME_SERVERS_MAX];
	unsigned timeout_ms; /* per try; resolv.conf "timeout", 5 s */
	unsigned attempts;   /* tries; "attempts", 2 */
	bool use_tcp;        /* never UDP; "use-vc" */
	unsigned ndots;      /* with fewer dots a name is searched; 1 */
	/* "search" or "domain", separated by white space. */
	char search[SEARCH_LIST_SIZE];
	bool cut; /* not all of the files was read */
	size_t hosts_length;
	char hosts[65536]; /* /etc/hosts, cut after its last whole line */
};

/* Reads /etc/resolv.conf and /etc/hosts. */
void resolver_config_read(struct resolver_config *config);

/* The same from texts, for tests. Either may be empty. */
void resolver_config_parse(struct resolver_config *config,
			   struct str resolv_conf, struct str hosts);

/* How many search domains there are, and one of them, without a final dot. */
size_t resolver_config_domains(const struct resolver_config *config);
struct str resolver_config_domain(const struct resolver_config *config,
				  size_t i);

/* The addresses that /etc/hosts has for `host`; false if it has none. */
MUST_CHECK bool resolver_config_find(const struct resolver_config *config,
				     struct str host, uint16_t port,
				     struct addresses *v4,
				     struct addresses *v6);

#endif
