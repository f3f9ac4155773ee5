/* What the launcher of a fleet takes of a worker, which may say anything. */
#include "job/message.h"

#include <unistd.h>

#include "sys/channel.h"

#include "test.h"

static struct message said;
static struct status st;
static struct task task, copy;
static struct task_message given;

static const struct conn_usage USAGE = { 1, 2, 3, 4, 5, 6, 7 };
static const struct status WHY = { .code = CODE_NOT_FOUND,
				   .http_status = 404,
				   .message = "not there",
				   .hint = "look" };

static void
say_line(void)
{
	const struct log_line line = {
		.level = LOG_WARNING,
		.operation = "verify-secret",
		.message = "not there",
		.version = "projects/1/secrets/s/versions/1",
		.timed = true,
		.duration_ms = 12,
		.status = &WHY,
		.attempt = 2,
		.retry_in_ms = 1000,
		.usage = &USAGE
	};

	message_put_line(&said, &line);
}

TEST(a_line_comes_as_it_was)
{
	struct log_line line;

	say_line();
	assert_true(message_check(&said, sizeof(said)));
	line = message_line(&said, &st);
	assert_int_equal(line.level, LOG_WARNING);
	assert_string_equal(line.operation, "verify-secret");
	assert_string_equal(line.message, "not there");
	assert_string_equal(line.version, "projects/1/secrets/s/versions/1");
	assert_true(line.timed && line.duration_ms == 12);
	assert_int_equal(line.attempt, 2);
	assert_int_equal(line.retry_in_ms, 1000);
	assert_memory_equal(line.usage, &USAGE, sizeof(USAGE));
	assert_ptr_equal(line.status, &st);
	assert_int_equal(st.code, CODE_NOT_FOUND);
	assert_int_equal(st.http_status, 404);
	assert_string_equal(st.hint, "look");
}

TEST(an_outcome_comes_as_it_was)
{
	static struct outcome outcome, got;

	outcome = (struct outcome){ .status = WHY,
				    .exit = EXIT_RETRY,
				    .effect = EFFECT_UNKNOWN,
				    .resource = "r" };
	message_put_outcome(&said, &outcome, "add-secret-version");
	assert_true(message_check(&said, sizeof(said)));
	message_outcome(&said, &got);
	assert_string_equal(said.operation, "add-secret-version");
	assert_int_equal(got.status.code, CODE_NOT_FOUND);
	assert_string_equal(got.status.message, "not there");
	assert_int_equal(got.exit, EXIT_RETRY);
	assert_int_equal(got.effect, EFFECT_UNKNOWN);
	assert_string_equal(got.resource, "r");
	assert_string_equal(got.message, "");

	outcome =
		(struct outcome){ .effect = EFFECT_DONE, .message = "stored" };
	message_put_outcome(&said, &outcome, "completed");
	assert_true(message_check(&said, sizeof(said)));
	message_outcome(&said, &got);
	assert_int_equal(got.exit, EXIT_DONE);
	assert_string_equal(got.message, "stored");
}

/* A failure never counts as a success because it lacks an exit status. */
TEST(a_failure_has_an_exit_status)
{
	static struct outcome outcome, got;

	outcome.status = WHY;
	message_put_outcome(&said, &outcome, "x");
	assert_true(message_check(&said, sizeof(said)));
	message_outcome(&said, &got);
	assert_int_equal(got.exit, EXIT_CONFIG);
}

#define BREAK(name, expression) \
	static void break_##name(void) \
	{ \
		expression; \
	}
BREAK(no_type, said.type = 0)
BREAK(task, said.type = MESSAGE_TASK)
BREAK(order, said.type = ORDER_ENDED)
BREAK(level, said.level = LOG_ERROR + 1)
BREAK(low_level, said.level = LOG_DEBUG - 1)
BREAK(quota, said.quota = QUOTA_WRITE + 1)
BREAK(code, said.code = CODE_UNAUTHENTICATED + 1)
BREAK(exit, said.exit = EXIT_UNREPORTED)
BREAK(signal, said.exit = 137)
BREAK(effect, said.effect = EFFECT_DONE + 1)
BREAK(success, said.code = CODE_OK; said.exit = EXIT_RETRY)
BREAK(project, memset(said.project, 'x', sizeof(said.project)))
BREAK(operation, memset(said.operation, 'x', sizeof(said.operation)))
BREAK(text, memset(said.text, 'x', sizeof(said.text)))
BREAK(hint, memset(said.hint, 'x', sizeof(said.hint)))
BREAK(resource, memset(said.resource, 'x', sizeof(said.resource)))
BREAK(quote, memcpy(said.resource, "a\"", 3)) /* of a line of the journal */

TEST(what_is_no_message_is_refused)
{
	static void (*const BREAKS[])(void) = {
		break_no_type,   break_task,   break_order,   break_level,
		break_low_level, break_quota,  break_code,    break_exit,
		break_signal,    break_effect, break_success, break_project,
		break_operation, break_text,   break_hint,    break_resource,
		break_quote,
	};

	for (size_t i = 0; i < COUNT(BREAKS); i++) {
		say_line();
		BREAKS[i]();
		assert_false(message_check(&said, sizeof(said)));
	}
	say_line();
	assert_false(message_check(&said, sizeof(said) - 1));
	assert_false(message_check(&said, sizeof(said) + 1));
	assert_false(message_check(&said, CHANNEL_CLOSED));
	assert_false(message_check(&said, 0));
}

/* Neither a second line of the log, nor what a terminal obeys. */
TEST(texts_become_printable)
{
	say_line();
	(void)memcpy(said.text, "a\nb\x1b[2J\xff", sizeof("a\nb\x1b[2J\xff"));
	(void)memcpy(said.operation, "x\ry", sizeof("x\ry"));
	assert_true(message_check(&said, sizeof(said)));
	assert_string_equal(said.text, "a?b?[2J?");
	assert_string_equal(said.operation, "x?y");
}

TEST(a_task_comes_as_it_was)
{
	task_init(&task);
	task.project = "p";
	task.cluster_id = "c";
	(void)memcpy(task.secret, "s", 2);
	(void)memcpy(task.labels, "k=v", 4);
	(void)memcpy(task.version, "3", 2);
	task.line = 7;
	task.hash = UINT64_MAX;
	message_put_task(&given, &task, 280000);
	task_init(&copy);
	message_task(&given, &copy);
	assert_string_equal(copy.project, "p");
	assert_string_equal(copy.cluster_id, "c");
	assert_string_equal(copy.secret, "s");
	assert_string_equal(copy.labels, "k=v");
	assert_string_equal(copy.version, "3");
	assert_int_equal(copy.line, 7);
	assert_true(copy.hash == UINT64_MAX);
	assert_int_equal(given.time_ms, 280000);
}

/* --- channels --- */

static char memory[PULL_SECRET_MAX + PULL_SECRET_SLACK];
static struct buf tail;

TEST(messages_keep_their_bounds)
{
	static char payload[sizeof(memory)];
	struct order order = { ORDER_START, 1, 2 }, got;
	int end[2];

	buf_init(&tail, memory, sizeof(memory));
	assert_int_equal(channel_pair(end, MESSAGE_MAX, &st), CODE_OK);
	assert_int_equal(channel_receive(end[1], &got, sizeof(got), NULL),
			 CHANNEL_EMPTY);
	(void)memset(payload, 'x', sizeof(payload));
	/* The longest one, and another behind it. */
	assert_true(channel_send(end[0], &given, sizeof(given),
				 (struct str){ payload, sizeof(payload) }));
	assert_true(channel_send(end[0], &order, sizeof(order), STR("")));
	assert_int_equal(channel_receive(end[1], &given, sizeof(given), &tail),
			 sizeof(given) + sizeof(payload));
	assert_int_equal(tail.len, sizeof(payload));
	assert_memory_equal(tail.ptr, payload, sizeof(payload));
	assert_int_equal(channel_receive(end[1], &got, sizeof(got), &tail),
			 sizeof(order));
	assert_int_equal(got.how, 2);
	assert_int_equal(tail.len, 0);
	/* One that is longer than what is expected, and an empty one. */
	assert_true(channel_send(end[0], &given, sizeof(given), STR("")));
	assert_int_equal(channel_receive(end[1], &got, sizeof(got), NULL),
			 CHANNEL_CLOSED);
	assert_true(channel_send(end[0], &order, 0, STR("")));
	assert_int_equal(channel_receive(end[1], &got, sizeof(got), NULL),
			 CHANNEL_CLOSED);
	(void)close(end[0]);
	assert_int_equal(channel_receive(end[1], &got, sizeof(got), NULL),
			 CHANNEL_CLOSED);
	assert_false(channel_send(end[1], &order, sizeof(order), STR("")));
	(void)close(end[1]);
}

/* The sender does not wait for room. */
TEST(a_full_channel_takes_no_more)
{
	unsigned count = 0;
	int end[2];

	assert_int_equal(channel_pair(end, MESSAGE_MAX, &st), CODE_OK);
	while (channel_send(end[0], &said, sizeof(said), STR("")))
		assert_true(count++ < 10000);
	assert_true(count > 10);
	assert_int_equal(channel_receive(end[1], &said, sizeof(said), NULL),
			 sizeof(said));
	assert_true(channel_send(end[0], &said, sizeof(said), STR("")));
	(void)close(end[0]);
	(void)close(end[1]);
}
