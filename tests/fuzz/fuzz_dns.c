/* Any message as the answer to a question for an address. */
#include "net/dns.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer answer;
	struct str message = { (const char *)data, size };
	uint16_t id = size >= 2 ? (uint16_t)(data[0] << 8 | data[1]) : 0;

	for (int i = 0; i < 2; i++)
		if (dns_read(message, id, STR("secretmanager.googleapis.com"),
			     i == 0 ? DNS_A : DNS_AAAA,
			     &answer) == DNS_COMPLETE)
			must(dns_rcode_text(answer.rcode)[0] != '\0');
	return 0;
}
