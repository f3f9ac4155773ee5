/*
 * A TCP relay that is far away: whatever comes goes on half a round trip later.
 * A client's connect(2) is answered at once, so its first bytes wait one round
 * trip more. Nothing is throttled or lost.
 *
 * usage: relay PORT ROUND_TRIP_US COUNTERS
 * It relays to 127.0.0.1:PORT, prints its own port, and ends with its input.
 * COUNTERS is a file of four numbers of 64 bits: connections, bytes sent to the
 * server, bytes received from it, and round trips: one for each connection, and
 * one whenever the server answers a client that is still there.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 1024
#define CHUNK 65536
#define SECOND 1000000000LL

/* Bytes on their way; size 0 is the end of the stream. */
struct chunk {
	struct chunk *next;
	int64_t due;
	size_t size, sent;
	uint8_t data[];
};

/* One direction of a connection. */
struct way {
	int from, to;
	struct chunk *head, **tail;
	int64_t *count;
	int64_t not_before;
	int read_ended, ended;
};

static struct pair {
	struct way way[2];
	int asks; /* the client spoke last */
} pairs[PAIRS];
static size_t pair_count;
static int64_t half_trip;
static struct {
	int64_t connections, sent, received, trips;
} * counters;

static int64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static void
no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
way_init(struct way *way, int from, int to, int64_t *count, int64_t not_before)
{
	*way = (struct way){ .from = from,
			     .to = to,
			     .tail = &way->head,
			     .count = count,
			     .not_before = not_before };
}

static void
pair_open(int listener, const struct sockaddr_in *server)
{
	int there = socket(AF_INET, SOCK_STREAM, 0);
	int here = accept(listener, NULL, NULL);
	struct pair *pair = &pairs[pair_count];

	if (here < 0 || there < 0 || pair_count == PAIRS ||
	    connect(there, (const void *)server, sizeof(*server)) < 0) {
		perror("relay");
		exit(1);
	}
	no_delay(here);
	no_delay(there);
	way_init(&pair->way[0], here, there, &counters->sent,
		 now_ns() + 2 * half_trip);
	way_init(&pair->way[1], there, here, &counters->received, 0);
	pair_count++;
	pair->asks = 0;
	counters->connections++;
	counters->trips++;
}

static void
pair_close(struct pair *pair)
{
	const struct pair *last = &pairs[--pair_count];

	(void)close(pair->way[0].from);
	(void)close(pair->way[0].to);
	for (int i = 0; i < 2; i++) {
		struct chunk *chunk;

		while ((chunk = pair->way[i].head)) {
			pair->way[i].head = chunk->next;
			free(chunk);
		}
	}
	if (pair == last)
		return;
	*pair = *last;
	for (int i = 0; i < 2; i++)
		if (!pair->way[i].head)
			pair->way[i].tail = &pair->way[i].head;
}

/* Takes what is there; returns how much. */
static size_t
way_read(struct way *way)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + CHUNK);
	int64_t now = now_ns();
	ssize_t got;

	if (!chunk)
		exit(1);
	got = read(way->from, chunk->data, CHUNK);
	if (got <= 0)
		way->read_ended = 1;
	*chunk = (struct chunk){ .size = got > 0 ? (size_t)got : 0 };
	*way->count += (int64_t)chunk->size;
	chunk->due =
		(now > way->not_before ? now : way->not_before) + half_trip;
	*way->tail = chunk;
	way->tail = &chunk->next;
	return chunk->size;
}

static void
pair_read(struct pair *pair, size_t direction)
{
	if (way_read(&pair->way[direction]) == 0)
		return;
	if (direction == 1 && pair->asks && !pair->way[0].read_ended)
		counters->trips++;
	pair->asks = direction == 0;
}

/* Passes on what is due; returns when more will be. A pair that broke ends. */
static int64_t
way_write(struct way *way)
{
	struct chunk *chunk;

	while ((chunk = way->head)) {
		ssize_t put = 0;

		if (chunk->due > now_ns())
			return chunk->due;
		if (chunk->size == 0) {
			(void)shutdown(way->to, SHUT_WR);
			way->ended = 1;
		} else {
			put = send(way->to, chunk->data + chunk->sent,
				   chunk->size - chunk->sent,
				   MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		if (put < 0 && errno == EAGAIN)
			return now_ns() + SECOND / 1000;
		chunk->sent += put > 0 ? (size_t)put : chunk->size;
		if (chunk->sent < chunk->size)
			continue;
		way->head = chunk->next;
		if (!way->head)
			way->tail = &way->head;
		free(chunk);
	}
	return INT64_MAX;
}

static int
listen_here(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&here, size) < 0 ||
	    listen(fd, 128) < 0 || getsockname(fd, (void *)&here, &size) < 0) {
		perror("relay");
		exit(1);
	}
	printf("%d\n", ntohs(here.sin_port));
	(void)fflush(stdout);
	return fd;
}

/* One turn of the loop; returns 0 once the input has ended. */
static int
turn(int listener, const struct sockaddr_in *server, int64_t next)
{
	static struct pollfd polled[2 * PAIRS + 2];
	int64_t left = next - now_ns();
	struct timespec pause = { left / SECOND, left % SECOND };
	size_t count = pair_count;

	if (left < 0)
		pause = (struct timespec){ 0 };
	polled[0] = (struct pollfd){ .fd = 0, .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (size_t i = 0; i < 2 * count; i++) {
		const struct way *way = &pairs[i / 2].way[i % 2];

		polled[i + 2].fd = way->read_ended ? -1 : way->from;
		polled[i + 2].events = POLLIN;
	}
	if (ppoll(polled, 2 * count + 2, next == INT64_MAX ? NULL : &pause,
		  NULL) < 0)
		return 0;
	for (size_t i = 0; i < 2 * count; i++)
		if (polled[i + 2].revents)
			pair_read(&pairs[i / 2], i % 2);
	if (polled[1].revents)
		pair_open(listener, server);
	return !polled[0].revents;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET,
				      .sin_addr.s_addr =
					      htonl(INADDR_LOOPBACK) };
	int64_t next = INT64_MAX;
	int file, listener;

	if (argc != 4)
		return 2;
	server.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
	half_trip = strtoll(argv[2], NULL, 10) * 500;
	file = open(argv[3], O_RDWR | O_CREAT, 0600);
	if (file < 0 || ftruncate(file, sizeof(*counters)) < 0)
		return 1;
	counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE,
			MAP_SHARED, file, 0);
	if (counters == MAP_FAILED)
		return 1;
	listener = listen_here();
	while (turn(listener, &server, next)) {
		next = INT64_MAX;
		for (size_t i = pair_count; i-- > 0;) {
			int64_t up = way_write(&pairs[i].way[0]);
			int64_t down = way_write(&pairs[i].way[1]);

			next = up < next ? up : next;
			next = down < next ? down : next;
			if (pairs[i].way[0].ended && pairs[i].way[1].ended)
				pair_close(&pairs[i]);
		}
	}
	return 0;
}
