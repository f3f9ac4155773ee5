#include "net/resolver_config.h"

#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "sys/file.h"

#define DNS_PORT 53
/* More than any resolver reads of it: servers, options, a search list. */
#define RESOLV_CONF_MAX 8192

/* The next word of `*rest`; false at its end. */
static bool
next_word(struct str *rest, struct str *word)
{
	size_t end = 0;

	*rest = str_trim(*rest);
	while (end < rest->len && rest->ptr[end] != ' ' &&
	       rest->ptr[end] != '\t')
		end++;
	*word = (struct str){ rest->ptr, end };
	*rest = str_skip(*rest, end);
	return word->len > 0;
}

static void
read_option(struct resolver_config *config, struct str word)
{
	uint64_t value;

	if (str_starts(word, STR("timeout:")) &&
	    parse_uint(str_skip(word, 8), &value) && value > 0)
		config->timeout_ms = (unsigned)(value > 30 ? 30 : value) * 1000;
	if (str_starts(word, STR("attempts:")) &&
	    parse_uint(str_skip(word, 9), &value) && value > 0)
		config->attempts = (unsigned)(value > 5 ? 5 : value);
	if (str_starts(word, STR("ndots:")) &&
	    parse_uint(str_skip(word, 6), &value))
		config->ndots = (unsigned)(value > 15 ? 15 : value);
	if (str_eq(word, STR("use-vc")))
		config->use_tcp = true;
}

/* The last list holds. */
static void
read_search(struct resolver_config *config, struct str list)
{
	struct buf out;
	struct str word;

	buf_init(&out, config->search, sizeof(config->search) - 1);
	while (next_word(&list, &word)) {
		size_t len = out.len;

		if (str_ends(word, STR(".")))
			word.len--;
		if (word.len == 0)
			continue;
		buf_put_char(&out, ' ');
		buf_put_str(&out, word);
		if (out.overflow) {
			config->cut = true;
			out.len = len;
			break;
		}
	}
	config->search[out.len] = '\0';
}

/* resolv.conf(5) */
static void
read_line(struct resolver_config *config, struct str line)
{
	struct str word;

	if (!next_word(&line, &word))
		return;
	if (str_eq(word, STR("nameserver"))) {
		if (config->server_count < NAME_SERVERS_MAX &&
		    next_word(&line, &word) &&
		    address_parse(&config->server[config->server_count], word,
				  DNS_PORT))
			config->server_count++;
	} else if (str_eq(word, STR("search")) || str_eq(word, STR("domain"))) {
		read_search(config, line);
	} else if (str_eq(word, STR("options"))) {
		while (next_word(&line, &word))
			read_option(config, word);
	}
}

/* What fills `size` bytes may be cut: then its last whole line is the end. */
static struct str
whole_lines(struct resolver_config *config, struct str text, size_t size)
{
	if (text.len < size)
		return text;
	config->cut = true;
	text.len = size;
	while (text.len > 0 && text.ptr[text.len - 1] != '\n')
		text.len--;
	return text;
}

void
resolver_config_parse(struct resolver_config *config, struct str resolv_conf,
		      struct str hosts)
{
	struct str line;

	config->server_count = 0;
	config->timeout_ms = 5000;
	config->attempts = 2;
	config->use_tcp = false;
	config->ndots = 1;
	config->search[0] = '\0';
	config->cut = false;
	resolv_conf = whole_lines(config, resolv_conf, RESOLV_CONF_MAX);
	while (str_split(&resolv_conf, '\n', &line))
		read_line(config, line);
	if (config->server_count == 0 &&
	    address_parse(&config->server[0], STR("127.0.0.1"), DNS_PORT))
		config->server_count = 1;
	hosts = whole_lines(config, hosts, sizeof(config->hosts));
	if (hosts.len > 0)
		memmove(config->hosts, hosts.ptr, hosts.len);
	config->hosts_length = hosts.len;
}

/* Reads as much of a file as fits; 0 bytes if it cannot be read. */
static size_t
read_start(const char *path, char *out, size_t size)
{
	int fd = file_open(path);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (len < size && (got = read(fd, out + len, size - len)) > 0)
		len += (size_t)got;
	(void)close(fd);
	return len;
}

void
resolver_config_read(struct resolver_config *config)
{
	char resolv_conf[RESOLV_CONF_MAX];
	size_t resolv_len, hosts_len;

	resolv_len = read_start("/etc/resolv.conf", resolv_conf,
				sizeof(resolv_conf));
	hosts_len =
		read_start("/etc/hosts", config->hosts, sizeof(config->hosts));
	resolver_config_parse(config, (struct str){ resolv_conf, resolv_len },
			      (struct str){ config->hosts, hosts_len });
}

size_t
resolver_config_domains(const struct resolver_config *config)
{
	struct str rest = str_from(config->search), word;
	size_t count = 0;

	while (next_word(&rest, &word))
		count++;
	return count;
}

struct str
resolver_config_domain(const struct resolver_config *config, size_t i)
{
	struct str rest = str_from(config->search), word = STR("");

	do
		(void)next_word(&rest, &word);
	while (i-- > 0);
	return word;
}

/* Whether `host` is one of the names after the address in a line. */
static bool
names_host(struct str line, struct str host)
{
	struct str word;

	while (next_word(&line, &word))
		if (str_eq_nocase(word, host))
			return true;
	return false;
}

bool
resolver_config_find(const struct resolver_config *config, struct str host,
		     uint16_t port, struct addresses *v4, struct addresses *v6)
{
	struct str rest = { config->hosts, config->hosts_length }, line, word;
	struct address address;

	while (str_split(&rest, '\n', &line)) {
		line.len = str_find(line, '#');
		if (!next_word(&line, &word) || !names_host(line, host) ||
		    !address_parse(&address, word, port))
			continue;
		if (address.sockaddr.any.sa_family == AF_INET &&
		    v4->count < ADDRESSES_MAX)
			v4->address[v4->count++] = address;
		if (address.sockaddr.any.sa_family == AF_INET6 &&
		    v6->count < ADDRESSES_MAX)
			v6->address[v6->count++] = address;
	}
	return v4->count + v6->count > 0;
}
