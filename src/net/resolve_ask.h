/*
 * Floor 2, network. The resolver's exchange with the name servers; private to
 * resolve*.c.
 */
#ifndef NET_RESOLVE_ASK_H
#define NET_RESOLVE_ASK_H

#include "net/resolve.h"

/* Before the first try of a name; closes nothing. */
void resolve_ask_init(struct resolver *r);

/*
 * Begins a try: asks every server what is not answered yet. Ids and sockets
 * are random (RFC 5452) and stay for all tries, so that late answers count.
 */
void resolve_ask(struct resolver *r);

/* Reads answers, continues over TCP, and sends again when that is due. */
void resolve_exchange(struct resolver *r);

/* Whether this try may still give an answer. */
bool resolve_may_answer(const struct resolver *r);

#endif
