/* The process that holds a pod's namespaces: does nothing until it is asked to end. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void
end(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

int
main(void)
{
	signal(SIGTERM, end);
	signal(SIGINT, end);
	signal(SIGCHLD, SIG_IGN); /* orphans need nobody who waits for them */
	for (;;)
		pause();
}
