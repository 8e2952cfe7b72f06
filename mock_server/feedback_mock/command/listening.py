"""The address that the command listens on, who can reach it, and which token they need. Serves nothing."""

import errno
import secrets
import socket
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from feedback_spec.files import read

from feedback_mock.command.options import CannotStart, Options
from feedback_mock.server import address_of, bind, is_loopback

LARGEST = 1_048_576  # bytes of a certificate or key
_DOCUMENTATION = {
    socket.AF_INET: "192.0.2.1",
    socket.AF_INET6: "2001:db8::1",
}  # RFC 5737, RFC 3849: reserved


@dataclass(frozen=True, slots=True)
class Listening:
    """A listening socket with its addresses, and what clients need to know.

    `elsewhere` is the address for other machines, None if they cannot reach us. `token` gives access to the control
    protocol, and `secret` is part of all credentials.
    """

    socket: socket.socket
    url: str
    elsewhere: str | None
    token: str | None
    secret: str


def listen(options: Options) -> Listening:
    """Listens as the command line says. Raises CannotStart."""
    _check_certificate(options.certificate, options.key)
    try:
        listener = bind(options.host, options.port)
    except OSError as error:
        remedy = "; use --port 0 for a free port" if error.errno == errno.EADDRINUSE else ""
        raise CannotStart(f"cannot listen on {options.host}:{options.port}: {error.strerror}{remedy}.") from None
    url = f"{options.scheme}://{address_of(listener, options.host)}"
    if is_loopback(listener.getsockname()[0]):
        return Listening(listener, url, None, options.control_token, "")
    if options.store is not None and options.control_token is None:
        listener.close()
        raise CannotStart("--store redis://… needs --control-token where others reach it: all its mocks take the same.")
    elsewhere = f"{options.scheme}://{address_of(listener, _name_for_others(listener))}"
    token = options.control_token or (secrets.token_urlsafe(24) if options.control else None)
    return Listening(listener, url, elsewhere, token, options.control_token or secrets.token_hex())


def _name_for_others(listener: socket.socket) -> str:
    """The address at which other machines reach a socket that may listen on all addresses."""
    name: str = listener.getsockname()[0]
    if name not in ("0.0.0.0", "::"):
        return name
    with socket.socket(listener.family, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: it only asks which of this machine's addresses would be used.
            probe.connect((_DOCUMENTATION[listener.family], 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Checks that the server will be able to load the certificate. Raises CannotStart."""
    if certificate is None:
        return
    for path in filter(None, (certificate, key)):
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise CannotStart(f"{path}: is not a regular file.")
            read(path, LARGEST)
        except OSError as error:
            raise CannotStart(f"{path}: cannot be read: {error.strerror}.") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(certificate)
    except ssl.SSLError:
        raise CannotStart(f"{certificate}: is not a certificate in PEM format.") from None
    try:
        context.load_cert_chain(certificate, key, _no_password)
    except ssl.SSLError as error:
        raise CannotStart(f"{key or certificate}: {_wrong(error, key)}.") from None


def _no_password() -> str:
    raise CannotStart("the private key is encrypted; use one that is not, because nobody is asked for a password.")


def _wrong(error: ssl.SSLError, key: Path | None) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "is not the private key of the certificate"
    return (
        "is not a private key in PEM format"
        if key
        else "has no private key of the certificate in PEM format; pass the key with --key"
    )
