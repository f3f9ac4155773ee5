/*
 * Floor 2, network. The resolver's exchange with one name server; private to
 * resolve*.c.
 *
 * Every function works on the server of the present try, and on the questions
 * that are open. Those that return false have noted what broke.
 */
#ifndef NET_RESOLVE_ASK_H
#define NET_RESOLVE_ASK_H

#include "net/resolve.h"

/* The index of the server of the present try. */
size_t resolve_server(const struct resolver *r);

/* Notes what that server did. */
void resolve_note(struct resolver *r, enum resolver_outcome outcome,
		  int detail);

/* Asks from a new socket, with new ids: a random port and id each (RFC 5452). */
MUST_CHECK bool resolve_ask_udp(struct resolver *r);
MUST_CHECK bool resolve_ask_tcp(struct resolver *r);

/* Asks once more from the UDP socket that is open, so that both answers count. */
MUST_CHECK bool resolve_ask_again(struct resolver *r);

/* Sends what is left to send and takes what has come. */
MUST_CHECK bool resolve_exchange(struct resolver *r);

#endif
