"""Throw-away certificates made with the openssl command, kept between runs."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .locations import REGIONAL_HOSTS

HOSTS = ("localhost", "secretmanager.googleapis.com", "oauth2.googleapis.com",
         "sts.googleapis.com", "sts.mtls.googleapis.com", "iamcredentials.googleapis.com",
         "cloudresourcemanager.googleapis.com")
CHAINS = {
    # name: (root key, intermediate key, leaf key)
    "ec": ("P-256", "P-256", "P-256"),
    "google": ("rsa:4096", "rsa:2048", "P-256"),
    "rsa": ("rsa:2048", "rsa:2048", "rsa:2048"),
    "p384": ("P-384", "P-256", "P-256"),
}
# What can be wrong with the certificate that the server shows.
FAULTS = ("expired", "future", "wrong-name", "no-san", "self-signed", "untrusted",
          "client-only", "no-purpose", "weak-key", "sha1", "not-a-ca",
          "no-intermediate")
ROOT_NAME = "/O=Emulator/CN=Emulator Root"
ROOT_DAYS = 3650
LEAF_DAYS = 84
KEPT_SECONDS = 20 * 24 * 3600


@dataclass(frozen=True)
class Certificates:
    """Files: the root to trust, the server's chain and key, the no-SNI pair, and
    those of the regional hosts, which no wildcard of Google's covers."""

    ca_file: str
    chain_file: str
    key_file: str
    no_sni_chain_file: str
    no_sni_key_file: str
    regional_chain_file: str = None
    regional_key_file: str = None
    workload_file: str = None  # of a client that shows it
    workload_key_file: str = None


def certificates(directory, chain="ec", fault=None):
    """Return certificates from directory, making them first where needed."""
    if chain not in CHAINS:
        raise ValueError(f"chain={chain!r}: must be one of {sorted(CHAINS)}")
    if fault is not None and fault not in FAULTS:
        raise ValueError(f"certificate={fault!r}: must be one of {FAULTS}")
    folder = Path(directory) / f"certificates-{chain}-{fault or 'good'}"
    if not _fresh(folder):
        _make(folder, chain, fault)
    return Certificates(*(str(folder / name) for name in (
        "root.pem", "chain.pem", "leaf.key", "no-sni.pem", "no-sni.key",
        "regional-chain.pem", "regional.key", "workload.pem", "workload.key")))


def _fresh(folder):
    try:
        return time.time() - (folder / "done").stat().st_mtime < KEPT_SECONDS
    except FileNotFoundError:
        return False


def _make(folder, chain, fault):
    """Build in another folder and rename, as others may do the same right now."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        _build(work, chain, fault)
        (work / "done").touch()
        if folder.exists() and not _fresh(folder):
            shutil.rmtree(folder, ignore_errors=True)
        try:
            os.rename(work, folder)
        except OSError:
            if not _fresh(folder):
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _build(work, chain, fault):
    root_key, middle_key, leaf_key = CHAINS[chain]
    root = sign(work, "root", root_key, ROOT_NAME, extensions=authority())
    middle = sign(work, "middle", middle_key, "/O=Emulator/CN=Emulator CA", root,
                   authority(0) if fault != "not-a-ca" else _server(()))
    leaf = _leaf(work, leaf_key, fault, middle)
    sent = [leaf] if fault in ("no-intermediate", "self-signed") else [leaf, middle]
    if chain == "google":
        sent.append(_cross_signed(work))
    (work / "chain.pem").write_text("".join(path.read_text() for path in sent))
    regional = sign(work, "regional", leaf_key, "/CN=" + REGIONAL_HOSTS[0], middle,
                     _server(REGIONAL_HOSTS))
    (work / "regional-chain.pem").write_text(regional.read_text() + middle.read_text())
    sign(work, "workload", "P-256", "/CN=workload", root, _server((), "clientAuth"))
    if fault == "untrusted":
        sign(work, "root", root_key, "/O=Emulator/CN=Other Root",
              extensions=authority())
    sign(work, "no-sni", "P-256", extensions=_server(()),
          subject="/OU=No SNI provided; please fix your client./CN=invalid2.invalid")


def _leaf(work, key, fault, issuer):
    """The server's own certificate, good or with one fault."""
    hosts, purpose, dates, digest = HOSTS, "serverAuth", None, "sha256"
    if fault == "wrong-name":
        hosts = ("other.example", "localhost.example", "*.localhost")
    elif fault == "no-san":
        hosts = ()
    elif fault == "client-only":
        purpose = "clientAuth"
    elif fault == "no-purpose":
        purpose = None
    elif fault == "expired":
        dates = (-10, -1)
    elif fault == "future":
        dates = (1, 10)
    elif fault == "weak-key":
        key = "rsa:1024"
    elif fault == "sha1":
        digest = "sha1"
    return sign(work, "leaf", key, "/CN=localhost",
                 None if fault == "self-signed" else issuer,
                 _server(hosts, purpose), digest, dates)


def _cross_signed(work):
    """The root signed by an older one: Google sends it, a client need not look."""
    old = sign(work, "old-root", "rsa:2048", "/O=Emulator/CN=Old Root",
                extensions=authority())
    path = work / "cross.pem"
    _openssl(work, "req", "-x509", "-sha256", "-days", str(LEAF_DAYS), "-key",
             work / "root.key", "-subj", ROOT_NAME, "-CA", old, "-CAkey",
             old.with_suffix(".key"), "-out", path, *_added(authority()))
    return path


def authority(depth=None):
    limit = "" if depth is None else f",pathlen:{depth}"
    return [f"basicConstraints=critical,CA:TRUE{limit}",
            "keyUsage=critical,keyCertSign,cRLSign"]


def _server(hosts, purpose="serverAuth"):
    extensions = ["basicConstraints=critical,CA:FALSE",
                  "keyUsage=critical,digitalSignature"]
    if purpose:
        extensions.append(f"extendedKeyUsage={purpose}")
    if hosts:
        names = ",".join(f"DNS:{host}" for host in hosts)
        extensions.append(f"subjectAltName={names}")
    return extensions


def sign(work, name, key, subject, issuer=None, extensions=(), digest="sha256",
          dates=None):
    """Make a key and its certificate: self-signed, or signed by issuer."""
    path = work / f"{name}.pem"
    if key.startswith("rsa:"):
        new_key = ["-newkey", key]
    else:
        new_key = ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}"]
    common = ["req", f"-{digest}", "-nodes", *new_key, "-subj", subject, "-keyout",
              path.with_suffix(".key"), *_added(extensions)]
    if dates:
        request = work / f"{name}.csr"
        _openssl(work, *common, "-new", "-out", request)
        _sign_dated(work, request, path, issuer, digest, dates)
        return path
    signer = ["-CA", issuer, "-CAkey", issuer.with_suffix(".key")] if issuer else []
    days = LEAF_DAYS if issuer else ROOT_DAYS
    _openssl(work, *common, "-x509", "-days", str(days), *signer, "-out", path)
    return path


def _sign_dated(work, request, path, issuer, digest, dates):
    """Sign with a validity in days from now; only "openssl ca" can do that."""
    (work / "index.txt").touch()
    moments = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * days))
               for days in dates]
    _openssl(work, "ca", "-batch", "-notext", "-md", digest, "-in", request, "-out",
             path, "-cert", issuer, "-keyfile", issuer.with_suffix(".key"),
             "-startdate", moments[0], "-enddate", moments[1], "-create_serial",
             "-outdir", work)


def _added(extensions):
    return [word for extension in extensions for word in ("-addext", extension)]


def _openssl(work, command, *arguments):
    """Run openssl with a configuration of ours: the machine's adds extensions."""
    config = work / "openssl.cnf"
    config.write_text(
        "[req]\ndistinguished_name=dn\n[dn]\n[ca]\ndefault_ca=ours\n[ours]\n"
        f"database={work}/index.txt\nserial={work}/serial\n"
        "policy=any\ncopy_extensions=copyall\n"
        "[any]\ncommonName=supplied\n")
    words = ["openssl", command, "-config", config, *arguments]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {command} failed: {done.stderr}")
