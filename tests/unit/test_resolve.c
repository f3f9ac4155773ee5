/*
 * The resolver against name servers that this program plays itself, with the
 * faults of real ones. Time is the test's own, too: it stands still while
 * anything happens, and jumps to the next deadline when nothing does.
 */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/dns.h"

#include "test.h"

#define HOST "www.example.com"
#define PORT 443

/* --- The clock, in the place of sys/clock.c ------------------------------ */

static int64_t now;

int64_t
clock_ms(void)
{
	return now;
}

struct deadline
deadline_in(int64_t ms)
{
	return (struct deadline){ now + ms };
}

int64_t
deadline_left(struct deadline deadline)
{
	return deadline.at_ms > now ? deadline.at_ms - now : 0;
}

struct deadline
deadline_first(struct deadline a, struct deadline b)
{
	return a.at_ms <= b.at_ms ? a : b;
}

/* --- send(2), which may take less than it is given ------------------------ */

static size_t send_piece = SIZE_MAX;

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	int type = 0;
	socklen_t size = sizeof(type);

	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (type == SOCK_STREAM && len > send_piece)
		len = send_piece;
	return sendto(fd, bytes, len, flags, NULL, 0);
}

/* --- Name servers -------------------------------------------------------- */

/*
 * What a server does with the first, second, ... query for A and for AAAA; the
 * last letter holds for all that follow. Where two messages are sent, the
 * second one is right.
 *
 *	a one address	  m twenty addresses	n no address
 *	c an alias chain  l aliases in a circle	x NXDOMAIN
 *	f SERVFAIL	  r REFUSED		q REFUSED, without question
 *	b a broken record p a pointer to itself y NOTIMP
 *	t truncated	  s silence		d disconnects (TCP)
 *	i another id, then right		I another id
 *	w another question, then right		g garbage, then right
 *	F a hundred times garbage, then right	z a length of 65535 (TCP)
 *	o only after the answer to the other type
 *	h only after the next query for this type
 *	H only after the one after that
 */
struct script {
	const char *udp[2]; /* NULL: the port is closed */
	const char *tcp[2]; /* NULL: the port is closed */
};

struct held {
	char letter; /* 0: nothing is held */
	unsigned queries;
	char memory[1024];
	struct buf message;
	struct sockaddr_in to;
};

struct server {
	const struct script *script;
	int udp, listener, conn; /* -1: none */
	size_t asked[2][2];      /* over UDP, TCP; A, AAAA */
	struct held held[2];
	struct buf in, out; /* of the TCP connection */
	char in_memory[1024], out_memory[4096];
	bool hang_up;
};

static struct server servers[NAME_SERVERS_MAX];
static struct resolver_config config;
static struct resolver resolver;
static struct status st;
/* Queries in their order: "14 26t" is A of server 1, AAAA of 2 over TCP. */
static char asked_memory[1024];
static struct buf asked;
/* Bytes that a server sends over TCP at once. */
static size_t tcp_piece;

static void
put16(struct buf *out, size_t value)
{
	buf_put_char(out, (char)(value >> 8 & 0xff));
	buf_put_char(out, (char)(value & 0xff));
}

/* The owner is the name of the question, or else `owner`. */
static void
put_record_head(struct buf *out, const char *owner, size_t type, size_t length)
{
	if (owner == NULL)
		buf_put(out, "\xc0\x0c", 2);
	else
		buf_put(out, owner, strlen(owner) + 1);
	put16(out, type);
	put16(out, 1);
	put16(out, 0);
	put16(out, 60);
	put16(out, length);
}

/* 192.0.2.LAST or 2001:db8::LAST */
static void
put_address(struct buf *out, const char *owner, size_t six, size_t last)
{
	static const char v6[15] = "\x20\x01\x0d\xb8";

	put_record_head(out, owner, six ? DNS_AAAA : DNS_A, six ? 16 : 4);
	if (six)
		buf_put(out, v6, 15);
	else
		buf_put(out, "\xc0\0\2", 3);
	buf_put_char(out, (char)last);
}

static void
put_alias(struct buf *out, const char *owner, const char *to)
{
	put_record_head(out, owner, 5, strlen(to) + 1);
	buf_put(out, to, strlen(to) + 1);
}

/* Returns how many records were put. */
static size_t
put_records(struct buf *out, char letter, size_t six, size_t number)
{
	switch (letter) {
	case 'm':
		for (size_t i = 1; i <= 20; i++)
			put_address(out, NULL, six, i);
		return 20;
	case 'c':
		put_alias(out, NULL, "\3one");
		put_address(out, "\3two", six, number);
		put_alias(out, "\3one", "\3two");
		return 3;
	case 'l':
		put_alias(out, NULL, "\3one");
		put_alias(out, "\3one", "\3two");
		put_alias(out, "\3two", "\3one");
		return 3;
	case 'b':
		put_record_head(out, NULL, six ? DNS_AAAA : DNS_A, 400);
		return 1;
	case 'p':
		put16(out, 0xc000 | out->len);
		put_address(out, "", six, number);
		return 1;
	case 'n':
	case 'x':
	case 'f':
	case 'r':
	case 'q':
	case 't':
	case 'y':
		return 0;
	default:
		put_address(out, NULL, six, number);
		return 1;
	}
}

static size_t
flags_of(char letter)
{
	static const struct {
		char letter;
		size_t flags;
	} flags[] = {
		{ 'x', 0x8183 }, { 'f', 0x8182 }, { 'r', 0x8185 },
		{ 'q', 0x8185 }, { 'y', 0x8184 }, { 't', 0x8380 },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].letter == letter)
			return flags[i].flags;
	return 0x8180;
}

/* The reply to `query` that a letter stands for. */
static void
put_reply(struct buf *out, char letter, struct str query, size_t six,
	  size_t number)
{
	char memory[1024];
	struct buf records;
	size_t count;

	buf_init(&records, memory, sizeof(memory));
	if (letter != 'q')
		buf_put_str(&records, str_skip(query, 12));
	if (letter == 'w')
		records.ptr[1] = 'v';
	count = records.len + 12; /* so that out->len is that of `out` */
	buf_put(out, query.ptr, 2);
	put16(out, flags_of(letter));
	put16(out, letter == 'q' ? 0 : 1);
	put16(out, 0);
	put16(out, 0);
	put16(out, 0);
	buf_put_str(out, buf_view(&records));
	assert_int_equal(out->len, count);
	count = put_records(out, letter, six, number);
	out->ptr[7] = (char)count;
	if (letter == 'i' || letter == 'I')
		out->ptr[0] = (char)(out->ptr[0] ^ 1);
	assert_false(out->overflow);
}

static size_t
number_of(const struct server *s)
{
	return (size_t)(s - servers) + 1;
}

/* Checks a query, notes it, and returns what to do with it. */
static char
take_query(struct server *s, struct str query, bool tcp, size_t *six)
{
	const char *script;
	char memory[DNS_QUERY_MAX];
	struct buf expected;
	uint16_t id;
	size_t n, last;

	assert_true(query.len > 12);
	id = (uint16_t)((unsigned char)query.ptr[0] << 8 |
			(unsigned char)query.ptr[1]);
	*six = query.ptr[query.len - 3] == DNS_AAAA;
	buf_init(&expected, memory, sizeof(memory));
	assert_true(
		dns_query(&expected, id, STR(HOST), *six ? DNS_AAAA : DNS_A));
	assert_true(str_eq(buf_view(&expected), query));
	if (asked.len > 0)
		buf_put_char(&asked, ' ');
	buf_put_uint(&asked, number_of(s));
	buf_put_cstr(&asked, *six ? "6" : "4");
	buf_put_cstr(&asked, tcp ? "t" : "");
	assert_false(asked.overflow);
	script = tcp ? s->script->tcp[*six] : s->script->udp[*six];
	last = strlen(script) - 1;
	n = s->asked[tcp][*six]++;
	return script[n < last ? n : last];
}

static void
send_reply(struct server *s, struct str reply, const struct sockaddr_in *to)
{
	assert_int_equal(sendto(s->udp, reply.ptr, reply.len, 0,
				(const struct sockaddr *)to, sizeof(*to)),
			 reply.len);
}

static void
release(struct server *s, size_t six)
{
	struct held *held = &s->held[six];

	held->letter = 0;
	send_reply(s, buf_view(&held->message), &held->to);
}

/* A query for a type has come, and its answer, if any, has gone. */
static void
release_due(struct server *s, size_t six, bool answered)
{
	struct held *own = &s->held[six], *other = &s->held[!six];

	if (answered && other->letter == 'o')
		release(s, !six);
	if (own->letter == 'h' || own->letter == 'H') {
		if (own->queries == (own->letter == 'H'))
			release(s, six);
		else
			own->queries++;
	}
}

static void
hold(struct server *s, char letter, struct str query, size_t six,
     const struct sockaddr_in *to)
{
	struct held *held = &s->held[six];

	held->letter = letter;
	held->queries = 0;
	held->to = *to;
	buf_init(&held->message, held->memory, sizeof(held->memory));
	put_reply(&held->message, letter, query, six, number_of(s));
}

static void
answer_udp(struct server *s, struct str query, const struct sockaddr_in *to)
{
	char memory[1024];
	struct buf reply;
	size_t six;
	char letter = take_query(s, query, false, &six);

	if (letter == 'o' || letter == 'h' || letter == 'H') {
		hold(s, letter, query, six, to);
		return;
	}
	buf_init(&reply, memory, sizeof(memory));
	if (letter == 'i' || letter == 'w')
		put_reply(&reply, letter, query, six, 99);
	if (reply.len > 0)
		send_reply(s, buf_view(&reply), to);
	for (int i = 0; i < (letter == 'F' ? 100 : letter == 'g'); i++)
		send_reply(s, STR("\xff garbage"), to);
	buf_reset(&reply);
	if (letter == 'i' || letter == 'w')
		letter = 'a';
	put_reply(&reply, letter, query, six, number_of(s));
	if (letter != 's')
		send_reply(s, buf_view(&reply), to);
	release_due(s, six, letter != 's');
}

static void
serve_udp(struct server *s)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char query[1024];
	ssize_t got;

	while (s->udp >= 0 &&
	       (got = recvfrom(s->udp, query, sizeof(query), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &size)) >= 0)
		answer_udp(s, (struct str){ query, (size_t)got }, &from);
}

static void
answer_tcp(struct server *s, struct str query)
{
	char memory[1024];
	struct buf reply;
	size_t six;
	char letter = take_query(s, query, true, &six);

	buf_init(&reply, memory, sizeof(memory));
	put_reply(&reply, letter, query, six, number_of(s));
	if (letter == 'd')
		s->hang_up = true;
	if (letter == 's' || letter == 'd')
		return;
	put16(&s->out, letter == 'z' ? 65535 : reply.len);
	buf_put_str(&s->out, buf_view(&reply));
	assert_false(s->out.overflow);
}

/* Answers the whole queries at the start of what came. */
static void
take_frames(struct server *s)
{
	struct str rest = buf_view(&s->in);

	while (rest.len >= 2) {
		size_t length = (size_t)(unsigned char)rest.ptr[0] << 8 |
				(unsigned char)rest.ptr[1];

		if (rest.len < 2 + length)
			break;
		answer_tcp(s, (struct str){ rest.ptr + 2, length });
		rest = str_skip(rest, 2 + length);
	}
	memmove(s->in.ptr, rest.ptr, rest.len);
	s->in.len = rest.len;
}

static void
hang_up(struct server *s)
{
	(void)close(s->conn);
	s->conn = -1;
	s->hang_up = false;
}

static void
serve_tcp(struct server *s)
{
	ssize_t moved;

	if (s->listener >= 0 && s->conn < 0) {
		s->conn = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
		buf_init(&s->in, s->in_memory, sizeof(s->in_memory));
		buf_init(&s->out, s->out_memory, sizeof(s->out_memory));
	}
	if (s->conn < 0)
		return;
	moved = recv(s->conn, s->in.ptr + s->in.len, buf_room(&s->in), 0);
	if (moved > 0) {
		s->in.len += (size_t)moved;
		take_frames(s);
	}
	if (s->out.len > 0) {
		size_t piece = tcp_piece < s->out.len ? tcp_piece : s->out.len;

		moved = sendto(s->conn, s->out.ptr, piece, MSG_NOSIGNAL, NULL,
			       0);
		assert_int_equal(moved, piece);
		s->out.len -= piece;
		memmove(s->out.ptr, s->out.ptr + piece, s->out.len);
	}
	if (moved == 0 || s->hang_up)
		hang_up(s);
}

static int
open_server_socket(int type, struct sockaddr_in *address)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(*address);

	assert_true(fd >= 0);
	if (bind(fd, (const struct sockaddr *)address, size) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 4) != 0)) {
		(void)close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

/* UDP and TCP on one port that was free; what is not wanted is closed. */
static void
start_server(struct server *s, const struct script *script)
{
	struct address *address = &config.server[config.server_count++];
	struct sockaddr_in *v4 = &address->sockaddr.v4;

	memset(s, 0, sizeof(*s));
	s->script = script;
	s->conn = -1;
	do {
		assert_true(address_parse(address, STR("127.0.0.1"), 0));
		s->udp = open_server_socket(SOCK_DGRAM, v4);
		assert_true(s->udp >= 0);
		s->listener = open_server_socket(SOCK_STREAM, v4);
		if (s->listener < 0)
			(void)close(s->udp);
	} while (s->listener < 0);
	if (script->udp[0] == NULL) {
		(void)close(s->udp);
		s->udp = -1;
	}
	if (script->tcp[0] == NULL) {
		(void)close(s->listener);
		s->listener = -1;
	}
}

static void
stop_server(struct server *s)
{
	if (s->udp >= 0)
		(void)close(s->udp);
	if (s->listener >= 0)
		(void)close(s->listener);
	if (s->conn >= 0)
		(void)close(s->conn);
	s->udp = -1;
	s->listener = -1;
	s->conn = -1;
}

/* --- A look-up ----------------------------------------------------------- */

/* Waits for any socket; false if nothing happens for a while. */
static bool
something_happens(struct wait_list *list, bool time_may_pass)
{
	for (size_t i = 0; i < config.server_count; i++) {
		wait_add(list, servers[i].udp, POLLIN);
		if (servers[i].conn < 0)
			wait_add(list, servers[i].listener, POLLIN);
		else
			wait_add(list, servers[i].conn,
				 servers[i].out.len > 0 ? POLLIN | POLLOUT
							: POLLIN);
	}
	return poll(list->fds, list->count, time_may_pass ? 20 : 10000) > 0;
}

/* Until it is done or fails. Time passes only where a case says so. */
static enum code
run_look_up(bool time_may_pass)
{
	enum code code;

	while ((code = resolve_step(&resolver, &st)) == CODE_OK &&
	       !resolve_done(&resolver)) {
		struct wait_list list = wait_list(DEADLINE_NEVER);

		resolve_wait(&resolver, &list);
		if (!something_happens(&list, time_may_pass)) {
			assert_true(time_may_pass);
			assert_true(list.until.at_ms > now);
			now = list.until.at_ms;
		}
		for (size_t i = 0; i < config.server_count; i++) {
			serve_udp(&servers[i]);
			serve_tcp(&servers[i]);
		}
	}
	return code;
}

static const char *
addresses_found(void)
{
	static char memory[ADDRESSES_MAX * ADDRESS_TEXT_SIZE];
	struct addresses addresses;
	char one[ADDRESS_TEXT_SIZE];
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	resolve_addresses(&resolver, &addresses);
	for (size_t i = 0; i < addresses.count; i++) {
		address_text(&addresses.address[i], one);
		buf_put_cstr(&out, i > 0 ? " " : "");
		buf_put_cstr(&out, one);
	}
	buf_put_char(&out, '\0');
	assert_false(out.overflow);
	return out.ptr;
}

/* The message with S1, S2, S3 in the place of the servers' addresses. */
static const char *
shown_message(void)
{
	static char memory[STATUS_MESSAGE_MAX];
	char one[ADDRESS_TEXT_SIZE];
	const char *at = st.message;
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	while (*at != '\0') {
		size_t i = 0;

		for (; i < config.server_count; i++) {
			address_text(&config.server[i], one);
			if (strncmp(at, one, strlen(one)) == 0)
				break;
		}
		if (i < config.server_count) {
			buf_put_char(&out, 'S');
			buf_put_uint(&out, i + 1);
			at += strlen(one);
		} else {
			buf_put_char(&out, *at++);
		}
	}
	buf_put_char(&out, '\0');
	assert_false(out.overflow);
	return out.ptr;
}

static void
start_case(void)
{
	resolver_config_parse(&config, STR(""), STR(""));
	config.server_count = 0;
	buf_init(&asked, asked_memory, sizeof(asked_memory));
	status_clear(&st);
	now = 1000000;
	tcp_piece = SIZE_MAX;
	send_piece = SIZE_MAX;
}

static bool
is_open(const struct resolver *r)
{
	for (size_t i = 0; i < NAME_SERVERS_MAX; i++)
		if (r->server[i].fd >= 0)
			return true;
	return r->tcp.fd >= 0;
}

/* The lowest free descriptor: another one later means that one is left open. */
static int
lowest_descriptor(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

struct look_up_case {
	const char *rule;
	struct script server[NAME_SERVERS_MAX];
	const char *asked;
	const char *found;   /* NULL: it fails */
	const char *message; /* after "cannot resolve HOST: " */
	int64_t takes;       /* milliseconds */
};

#define UDP(a, aaaa) \
	{ \
		.udp = { a, aaaa } \
	}
#define BOTH(a, aaaa, tcp_a, tcp_aaaa) \
	{ \
		.udp = { a, aaaa }, .tcp = { tcp_a, tcp_aaaa } \
	}
/* Over UDP, that is; a server without both is not there at all. */
#define CLOSED \
	{ \
		.tcp = { "s", "s" } \
	}
#define V4(n) "192.0.2." #n ":443"
#define V6(n) "[2001:db8::" #n "]:443"
#define ALL(n) V6(n) " " V4(n)

static const struct look_up_case ANSWERS[] = {
	{ "IPv6 comes first", { UDP("a", "a") }, "14 16", ALL(1), NULL, 0 },
	{ "answers come in any order",
	  { UDP("o", "a") },
	  "14 16",
	  ALL(1),
	  NULL,
	  0 },
	{ "a name may have IPv4 only",
	  { UDP("a", "n") },
	  "14 16",
	  V4(1),
	  NULL,
	  0 },
	{ "a name may have IPv6 only",
	  { UDP("n", "a") },
	  "14 16",
	  V6(1),
	  NULL,
	  0 },
	{ "NXDOMAIN for one type says nothing of the other",
	  { UDP("a", "x") },
	  "14 16",
	  V4(1),
	  NULL,
	  0 },
	{ "nor the other way round",
	  { UDP("x", "a") },
	  "14 16",
	  V6(1),
	  NULL,
	  0 },
	{ "a failure for one type leaves the other",
	  { UDP("a", "f") },
	  "14 16",
	  V4(1),
	  NULL,
	  0 },
	{ "also if the failure is there first",
	  { UDP("o", "f") },
	  "14 16",
	  V4(1),
	  NULL,
	  0 },
	{ "aliases are followed", { UDP("c", "c") }, "14 16", ALL(1), NULL, 0 },
	{ "a wrong id is no answer",
	  { UDP("i", "i") },
	  "14 16",
	  ALL(1),
	  NULL,
	  0 },
	{ "a wrong question is no answer",
	  { UDP("w", "w") },
	  "14 16",
	  ALL(1),
	  NULL,
	  0 },
	{ "garbage is no answer", { UDP("g", "g") }, "14 16", ALL(1), NULL, 0 },
	{ "much garbage neither", { UDP("F", "F") }, "14 16", ALL(1), NULL, 0 },
	{ "at most 16 addresses, both families in turn",
	  { UDP("m", "m") },
	  "14 16",
	  ALL(1) " " ALL(2) " " ALL(3) " " ALL(4) " " ALL(5) " " ALL(6) " " ALL(
		  7) " " ALL(8),
	  NULL,
	  0 },
	{ "a name that is not there",
	  { UDP("x", "x"), UDP("s", "s") },
	  "14 16 24 26",
	  NULL,
	  "no such host (NXDOMAIN), says name server S1",
	  0 },
	{ "a name without addresses",
	  { UDP("n", "n"), UDP("s", "s") },
	  "14 16 24 26",
	  NULL,
	  "it has no addresses (neither A nor AAAA), says name server S1",
	  0 },
	{ "one that is there for one type only, and empty",
	  { UDP("n", "x") },
	  "14 16",
	  NULL,
	  "it has no addresses (neither A nor AAAA), says name server S1",
	  0 },
	{ "aliases in a circle have no addresses",
	  { UDP("l", "l") },
	  "14 16",
	  NULL,
	  "it has no addresses (neither A nor AAAA), says name server S1",
	  0 },
};

static const struct look_up_case FAILOVERS[] = {
	{ "a silent server costs nothing",
	  { UDP("s", "s"), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "the first usable answer counts",
	  { UDP("o", "a"), UDP("a", "s") },
	  "14 16 24 26",
	  V6(1) " " V4(1),
	  NULL,
	  0 },
	{ "the next server after SERVFAIL",
	  { UDP("f", "f"), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "the next server after REFUSED",
	  { UDP("r", "q"), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "the next server after NOTIMP",
	  { UDP("y", "y"), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "the next server after a broken answer",
	  { UDP("b", "p"), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "the next server at once if nobody listens",
	  { CLOSED, UDP("f", "f"), UDP("a", "a") },
	  "24 26 34 36",
	  ALL(3),
	  NULL,
	  0 },
	{ "each question has the first usable answer",
	  { UDP("n", "f"), UDP("f", "a") },
	  "14 16 24 26",
	  V6(2),
	  NULL,
	  0 },
	{ "every server again in the second try",
	  { UDP("fa", "fa"), UDP("f", "f") },
	  "14 16 24 26 14 16 24 26",
	  ALL(1),
	  NULL,
	  0 },
	{ "a second answer to a failed question counts",
	  { UDP("f", "fa"), UDP("f", "f") },
	  "14 16 24 26 14 16 24 26",
	  V6(1),
	  NULL,
	  0 },
	{ "one server that fails",
	  { UDP("f", "f") },
	  "14 16 14 16",
	  NULL,
	  "name server S1: server failure (SERVFAIL)",
	  0 },
	{ "nobody listens",
	  { CLOSED },
	  "",
	  NULL,
	  "name server S1: Connection refused",
	  0 },
	{ "three servers that fail",
	  { UDP("r", "r"), UDP("b", "b"), CLOSED },
	  "14 16 24 26 14 16 24 26",
	  NULL,
	  "name server S1: query refused (REFUSED); "
	  "name server S2: a malformed answer; "
	  "name server S3: Connection refused",
	  0 },
};

static const struct look_up_case TIMES[] = {
	{ "a server that sends forged answers only is silent",
	  { UDP("I", "I") },
	  "14 16 14 16 14 16 14 16",
	  NULL,
	  "name server S1: no answer within 5 s",
	  10000 },
	{ "a lost datagram costs a quarter of a try",
	  { UDP("sa", "a") },
	  "14 16 14",
	  ALL(1),
	  NULL,
	  1250 },
	{ "a family that does not come costs half a try",
	  { UDP("a", "s") },
	  "14 16 16",
	  V4(1),
	  NULL,
	  2500 },
	{ "the other one, too",
	  { UDP("s", "a") },
	  "14 16 14",
	  V6(1),
	  NULL,
	  2500 },
	{ "no address of one family is no reason to hurry",
	  { UDP("Hs", "n") },
	  "14 16 14 14",
	  V4(1),
	  NULL,
	  5000 },
	{ "a late answer to the first datagram counts",
	  { UDP("hs", "a") },
	  "14 16 14",
	  ALL(1),
	  NULL,
	  1250 },
	{ "a late answer to the try before counts",
	  { UDP("Hs", "s") },
	  "14 16 14 16 14 16 16",
	  V4(1),
	  NULL,
	  7500 },
	{ "silence",
	  { UDP("s", "s") },
	  "14 16 14 16 14 16 14 16",
	  NULL,
	  "name server S1: no answer within 5 s",
	  10000 },
	{ "silence after a failure",
	  { UDP("f", "f"), UDP("s", "s") },
	  "14 16 24 26 24 26 14 16 24 26 24 26",
	  NULL,
	  "name server S1: server failure (SERVFAIL); "
	  "name server S2: no answer within 5 s",
	  10000 },
	{ "silence over TCP",
	  { BOTH("t", "t", "s", "s") },
	  "14 16 14t 16t 14 16 14t 16t",
	  NULL,
	  "name server S1: no answer within 5 s over TCP",
	  10000 },
	{ "the next server over TCP after a silent one",
	  { BOTH("t", "t", "s", "s"), BOTH("t", "t", "a", "a") },
	  "14 16 24 26 14t 16t 24t 26t",
	  ALL(2),
	  NULL,
	  5000 },
	{ "silence over TCP beside a failure over UDP",
	  { BOTH("t", "t", "s", "s"), UDP("f", "f") },
	  "14 16 24 26 14t 16t 14 16 24 26 14t 16t",
	  NULL,
	  "name server S1: no answer within 5 s over TCP; "
	  "name server S2: server failure (SERVFAIL)",
	  10000 },
	{ "a family that does not come over TCP costs half a try",
	  { BOTH("a", "t", "s", "s") },
	  "14 16 16t",
	  V4(1),
	  NULL,
	  2500 },
};

static const struct look_up_case TCPS[] = {
	{ "all over TCP if one is truncated and one lost",
	  { BOTH("t", "s", "a", "a") },
	  "14 16 14t 16t",
	  ALL(1),
	  NULL,
	  0 },
	{ "another server's answer makes TCP needless",
	  { BOTH("t", "t", "s", "s"), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "truncated answers are asked for over TCP",
	  { BOTH("t", "t", "a", "a") },
	  "14 16 14t 16t",
	  ALL(1),
	  NULL,
	  0 },
	{ "only the truncated one",
	  { BOTH("a", "t", "a", "m") },
	  "14 16 16t",
	  V6(1) " " V4(1) " " V6(2) " " V6(3) " " V6(4) " " V6(5) " " V6(6) " " V6(7) " " V6(
		  8) " " V6(9) " " V6(a) " " V6(b) " " V6(c) " " V6(d) " " V6(e) " " V6(f),
	  NULL,
	  0 },
	{ "what is known stays if TCP fails",
	  { BOTH("a", "t", NULL, NULL) },
	  "14 16",
	  V4(1),
	  NULL,
	  0 },
	{ "the next server if TCP is closed",
	  { BOTH("t", "t", NULL, NULL), UDP("a", "a") },
	  "14 16 24 26",
	  ALL(2),
	  NULL,
	  0 },
	{ "TCP is closed",
	  { BOTH("t", "t", NULL, NULL) },
	  "14 16 14 16",
	  NULL,
	  "name server S1: Connection refused over TCP",
	  0 },
	{ "the connection ends before an answer",
	  { BOTH("t", "t", "d", "d") },
	  "14 16 14t 16t 14 16 14t 16t",
	  NULL,
	  "name server S1: connection closed without an answer over TCP",
	  0 },
	{ "the connection ends after one answer",
	  { BOTH("t", "t", "a", "d") },
	  "14 16 14t 16t",
	  V4(1),
	  NULL,
	  0 },
	{ "an answer that is too long",
	  { BOTH("t", "t", "z", "z") },
	  "14 16 14t 16t 14 16 14t 16t",
	  NULL,
	  "name server S1: Message too long over TCP",
	  0 },
	{ "an answer that is truncated even so",
	  { BOTH("t", "t", "t", "t") },
	  "14 16 14t 16t 14 16 14t 16t",
	  NULL,
	  "name server S1: a malformed answer over TCP",
	  0 },
	{ "a failure over TCP",
	  { BOTH("t", "t", "f", "b"), BOTH("t", "t", "a", "a") },
	  "14 16 24 26 14t 16t 24t 26t",
	  ALL(2),
	  NULL,
	  0 },
	{ "garbage over TCP is passed over",
	  { BOTH("t", "t", "I", "a") },
	  NULL,
	  V6(1),
	  NULL,
	  2500 },
};

static void
check_found(const struct look_up_case *c)
{
	if (strcmp(addresses_found(), c->found) != 0)
		fail_msg("%s: found %s", c->rule, addresses_found());
}

static void
check_message(const struct look_up_case *c)
{
	static const char prefix[] = "cannot resolve " HOST ": ";

	assert_int_equal(st.code, CODE_UNAVAILABLE);
	assert_true(status_retryable(&st));
	assert_int_equal(strncmp(st.message, prefix, sizeof(prefix) - 1), 0);
	assert_true(strstr(st.hint, "/etc/resolv.conf") != NULL);
	if (strcmp(shown_message() + sizeof(prefix) - 1, c->message) != 0)
		fail_msg("%s: %s", c->rule, shown_message());
}

static void
check_case(const struct look_up_case *c)
{
	int lowest = lowest_descriptor();
	int64_t start = now;
	enum code code;

	for (size_t i = 0; i < NAME_SERVERS_MAX; i++)
		if (c->server[i].udp[0] != NULL || c->server[i].tcp[0] != NULL)
			start_server(&servers[i], &c->server[i]);
	resolve_start(&resolver, &config, HOST, PORT);
	code = run_look_up(c->takes > 0);
	buf_put_char(&asked, '\0');
	if ((code == CODE_OK) != (c->found != NULL))
		fail_msg("%s: code %d: %s", c->rule, (int)code, st.message);
	if (code == CODE_OK)
		check_found(c);
	else
		check_message(c);
	if (c->asked != NULL && strcmp(asked.ptr, c->asked) != 0)
		fail_msg("%s: asked %s", c->rule, asked.ptr);
	if (now - start != c->takes)
		fail_msg("%s: took %lld ms", c->rule, (long long)(now - start));
	assert_false(is_open(&resolver));
	for (size_t i = 0; i < config.server_count; i++)
		stop_server(&servers[i]);
	assert_int_equal(lowest_descriptor(), lowest);
}

static void
check_cases(const struct look_up_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		start_case();
		check_case(&cases[i]);
	}
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof(*(cases)))

TEST(test_answers)
{
	CHECK_CASES(ANSWERS);
}

TEST(test_failing_servers)
{
	CHECK_CASES(FAILOVERS);
}

TEST(test_silent_servers)
{
	CHECK_CASES(TIMES);
}

TEST(test_tcp)
{
	CHECK_CASES(TCPS);
}

TEST(test_tcp_byte_by_byte)
{
	static const struct look_up_case one = {
		"an answer that comes byte by byte",
		{ BOTH("t", "t", "c", "a") },
		"14 16 14t 16t",
		ALL(1),
		NULL,
		0
	};

	start_case();
	tcp_piece = 1;
	check_case(&one);
}

/* The connection takes a few bytes of the queries at a time. */
TEST(test_tcp_in_small_sends)
{
	static const struct look_up_case one = { "queries that leave in pieces",
						 { BOTH("t", "t", "a", "a") },
						 "14 16 14t 16t",
						 ALL(1),
						 NULL,
						 0 };

	start_case();
	send_piece = 3;
	check_case(&one);
}

TEST(test_use_vc_asks_over_tcp_only)
{
	static const struct look_up_case one = {
		"use-vc", { BOTH("a", "a", "a", "a") }, "14t 16t", ALL(1), NULL,
		0
	};

	start_case();
	config.use_tcp = true;
	check_case(&one);
}

/* What is found at once, with no server to ask; NULL: it is refused. */
static void
check_local(const char *host, const char *expected)
{
	enum code code;

	start_case();
	resolver_config_parse(&config, STR(""),
			      STR("192.0.2.7 db.example db\n"
				  "2001:db8::7 db.example\n"));
	config.server_count = 0;
	resolve_start(&resolver, &config, host, PORT);
	code = resolve_step(&resolver, &st);
	if (expected == NULL) {
		assert_int_equal(code, CODE_INVALID_ARGUMENT);
		assert_false(resolve_done(&resolver));
	} else {
		assert_int_equal(code, CODE_OK);
		assert_true(resolve_done(&resolver));
		assert_string_equal(addresses_found(), expected);
	}
	assert_false(is_open(&resolver));
	resolve_close(&resolver);
}

TEST(test_names_that_need_no_server)
{
	static const struct {
		const char *host, *found;
	} cases[] = {
		{ "192.0.2.9", "192.0.2.9:443" },
		{ "2001:db8::9", "[2001:db8::9]:443" },
		{ "localhost", "[::1]:443 127.0.0.1:443" },
		{ "LocalHost.", "[::1]:443 127.0.0.1:443" },
		{ "a.localhost", "[::1]:443 127.0.0.1:443" },
		{ "db.example", V6(7) " " V4(7) },
		{ "DB.example.", V6(7) " " V4(7) },
		{ "db", V4(7) },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_local(cases[i].host, cases[i].found);
}

TEST(test_no_host_names)
{
	static const char *const cases[] = { "",    ".",     "a..b", ".a",
					     "::g", "a b:c", "1:2" };
	char label[66], name[400];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_local(cases[i], NULL);
	memset(label, 'a', 64);
	label[64] = '\0';
	check_local(label, NULL);
	memset(name, 'a', sizeof(name) - 1);
	for (size_t i = 10; i < sizeof(name) - 1; i += 10)
		name[i] = '.';
	name[sizeof(name) - 1] = '\0';
	check_local(name, NULL);
}

TEST(test_closed_in_the_middle)
{
	static const struct script silent = UDP("s", "s");
	int lowest;

	start_case();
	lowest = lowest_descriptor();
	start_server(&servers[0], &silent);
	resolve_start(&resolver, &config, HOST, PORT);
	resolve_close(&resolver);
	resolve_start(&resolver, &config, HOST, PORT);
	assert_int_equal(resolve_step(&resolver, &st), CODE_OK);
	assert_true(is_open(&resolver));
	resolve_close(&resolver);
	resolve_close(&resolver);
	stop_server(&servers[0]);
	assert_int_equal(lowest_descriptor(), lowest);
}
