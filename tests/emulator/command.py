"""The command line: run the emulator by hand or from a shell script."""

import argparse
import json
import os
import signal
import sys
import tempfile

from . import errors, tryout
from .certificates import CHAINS, FAULTS
from .emulator import SERVICES, Emulator
from .faults import TAMPERINGS
from .locations import LOCATIONS

EPILOG = f"""\
With a COMMAND, that is run once the emulator serves, without the credentials, the
services and the home of this shell; its exit status is ours.

A fault is a JSON object: service, match (operation), nth, times (null: for ever) and
the fields of faults.Fault, for example
  --fault '{{"service": "secretmanager", "match": "addVersion", "drop": "committed"}}'
  --fault '{{"service": "metadata", "times": 2, "reply": "metadata_unavailable"}}'
Replies by name: {", ".join(errors.names())}.
Tamperings: {", ".join(TAMPERINGS)}.
"""


def main(arguments=None):
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, command = parser.parse_args(arguments[:end]), arguments[end + 1:]
    if end < len(arguments) and not command:
        parser.error("no COMMAND after --")
    # Blocked before any thread exists, so that only sigwait() gets them.
    caught = tryout.FORWARDED if command else (signal.SIGINT, signal.SIGTERM)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*caught, signal.SIGCHLD})
    with tempfile.TemporaryDirectory(prefix="emulator.") as scratch:
        options.quiet = options.quiet or bool(command)
        emulator = _emulator(options, options.directory or scratch)
        try:
            for fault in options.fault:
                emulator.order_json(fault)
        except (TypeError, ValueError) as error:
            parser.error(f"--fault: {error}")
        with emulator:
            variables = _variables(emulator, options, scratch)
            _announce(variables, options)
            if command:
                env = tryout.environment(os.environ, variables, _folder(scratch, "home"))
                status = tryout.run(command, env, mask)
            else:
                signal.sigwait(set(caught))
                status = 0
        return 1 if status == 0 and emulator.crashes else status


def _parser():
    parser = argparse.ArgumentParser(
        prog="emulator", epilog=EPILOG, usage="%(prog)s [OPTION...] [-- COMMAND...]",
        description="A strict stand-in for Secret Manager, Google's OAuth endpoint "
                    "and the metadata server, on loopback.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--directory", metavar="DIR",
        help="keep certificates here (default: a temporary folder)")
    add("--ports", type=_ports, default={}, metavar="API,OAUTH,METADATA",
        help="fixed ports, 0 for any (default: any)")
    add("--project", action="append", metavar="ID",
        help="a project that exists; may be repeated (default: test-project)")
    add("--location", choices=LOCATIONS, metavar="LOCATION",
        help="be the regional host of a location, not the global one")
    add("--allow-location", action="append", metavar="LOCATION",
        help="what the organization allows (global: automatic replication); repeated")
    add("--kms-key", action="append", default=[], metavar="NAME",
        help="a key that exists; may be repeated")
    add("--topic", action="append", default=[], metavar="NAME",
        help="a topic that exists; may be repeated")
    add("--chain", choices=sorted(CHAINS), default="ec", help="keys of the chain")
    add("--certificate", choices=sorted(FAULTS), help="serve a bad certificate")
    add("--tls", choices=("1.2", "1.3"), help="only this TLS version")
    add("--framing", choices=("length", "chunked", "close"), default="length",
        help="framing of replies")
    add("--plain", action="store_true", help="serve Secret Manager without TLS")
    add("--ipv6", action="store_true", help="listen on ::1 too")
    add("--fast", action="store_true", help="Secret Manager in one thread that records no "
        "requests, and knows fewer faults: for thousands of secrets")
    add("--quota", type=int, metavar="N", help="reads and writes a minute, of each so many "
        "(default: no limit; Google has 600)")
    add("--journal", metavar="FILE", help="write one JSON line per request")
    add("--state", metavar="FILE", help="write what is stored, after every change")
    add("--env-file", metavar="FILE", help="write the exports, to be sourced")
    add("--adc", metavar="FILE", help="write credentials of type authorized_user")
    add("--fault", action="append", default=[], type=_json, metavar="JSON",
        help="order a fault; may be repeated")
    add("--quiet", action="store_true", help="print nothing")
    return parser


def _emulator(options, directory):
    emulator = Emulator(
        directory, projects=tuple(options.project or ["test-project"]),
        chain=options.chain, certificate=options.certificate, tls=options.tls,
        plain=options.plain, ipv6=options.ipv6, framing=options.framing,
        journal_file=options.journal, state_file=options.state, ports=options.ports,
        fast=options.fast, on_request=None if options.quiet else _print_request)
    emulator.secretmanager.location = options.location
    if options.quota is not None:
        emulator.secretmanager.quota = {"read": options.quota, "write": options.quota}
    emulator.secretmanager.place.allowed_locations = options.allow_location
    emulator.secretmanager.place.kms_keys.update(options.kms_key)
    emulator.secretmanager.place.topics.update(options.topic)
    return emulator


def _variables(emulator, options, scratch):
    if options.adc:
        emulator.make_authorized_user(options.adc)
    return tryout.variables(emulator, _folder(scratch, "gcloud"),
                            options.adc and os.path.abspath(options.adc))


def _folder(parent, name):
    path = os.path.join(parent, name)
    os.mkdir(path)
    return path


def _announce(variables, options):
    exports = tryout.script(variables)
    if not options.quiet:
        _print(exports, end="")
    if options.env_file:
        # Renamed into place: a script may wait for the file and source it at once.
        unfinished = options.env_file + ".tmp"
        with open(unfinished, "w", encoding="utf-8") as out:
            out.write(exports)
        os.replace(unfinished, options.env_file)


def _print_request(entry):
    shown = entry.public()
    path = shown["target"].partition("?")[0]
    _print(f"{entry.service} {shown['method']} {path} {entry.status or '-'}")


def _print(text, end="\n"):
    try:
        print(text, end=end, flush=True)
    except OSError:
        pass  # nobody reads any more; the service goes on


def _ports(text):
    numbers = text.split(",")
    if len(numbers) != len(SERVICES) or not all(part.isdigit() for part in numbers):
        raise argparse.ArgumentTypeError(f"must be {len(SERVICES)} numbers")
    return dict(zip(SERVICES, map(int, numbers)))


def _json(text):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("must be an object")
    return value
