"""Commands that see this Google and no other: their environment, and their run."""

import os
import re
import shlex
import signal
import sys

# Variables that lead to credentials, services, proxies or certificates. The shell
# gets the same expression, so it holds nothing that sed -E does not know.
REAL = ("((CLOUDSDK|GOOGLE|google|GCE|GCLOUD|SSL_CERT|METADATA_SERVER|DETECT_GCP)_"
        "[A-Za-z0-9_]+|[A-Za-z0-9_]+_(ENDPOINT|PROXY|proxy|CONNECT_TO)|SYSTEM_ROOTS|"
        "NO_GCE_CHECK|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS)")
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT,
             signal.SIGUSR1, signal.SIGUSR2)
NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as shells say it


def variables(emulator, empty, credentials=None):
    """What leads to the emulator, ours and other clients alike.

    empty is a folder without anything: gcloud's own credentials are looked for there.
    """
    values = {
        **emulator.environment(), "GCP_PROJECT_ID": emulator.project,
        "CLOUDSDK_CONFIG": empty, "GCE_METADATA_IP": emulator.metadata_host,
        "GCE_METADATA_ROOT": emulator.metadata_host,
        "REQUESTS_CA_BUNDLE": emulator.ca_file, "NODE_EXTRA_CA_CERTS": emulator.ca_file}
    if credentials:
        values["GOOGLE_APPLICATION_CREDENTIALS"] = credentials
    return values


def environment(inherited, values, home):
    """The environment of a command: what is inherited, less all that is real."""
    kept = {name: value for name, value in inherited.items()
            if not re.fullmatch(REAL, name)}
    # Go's client looks for gcloud's credentials at home, whatever CLOUDSDK_CONFIG says.
    return {**kept, "HOME": home, **values}


def script(values):
    """The same for a shell that sources it, which keeps its home."""
    drop = ("for variable in $(env | sed -n -E 's/^" + REAL + "=.*/\\1/p'); do "
            'unset "$variable"; done; unset variable\n')
    return drop + "".join(f"export {name}={shlex.quote(value)}\n"
                          for name, value in values.items())


def run(command, env, mask):
    """Run it to its end, hand signals on, and return its exit status.

    mask is the set of signals that it starts with blocked; FORWARDED and SIGCHLD must
    be blocked here.
    """
    try:
        child = os.posix_spawnp(command[0], command, env, setsigmask=mask,
                                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
    except FileNotFoundError:
        print(f"emulator: {command[0]}: not found", file=sys.stderr)
        return NOT_FOUND
    except OSError as error:
        print(f"emulator: {command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_EXECUTABLE
    while True:
        caught = signal.sigwaitinfo({*FORWARDED, signal.SIGCHLD})
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        # What the terminal sends (a positive code) has reached the command, too.
        if caught.si_signo != signal.SIGCHLD and caught.si_code <= 0:
            os.kill(child, caught.si_signo)
