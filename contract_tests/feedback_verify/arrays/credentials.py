"""Who may not submit, by each part of an Authorization header (scheme, token, key, number), and who still may.

The document says that only a DSN's public key and project number count, so nothing else in it makes a difference. What
the document leaves open (leading zeros of a number, a key in the other case) is a remark.
"""

from collections.abc import Iterator

from feedback_verify.arrays.refusals import Attempt, Kind, Setting
from feedback_verify.exchange import Altered, Credential, Part

UNKNOWN_TOKEN = "Bearer " + "0" * 64
UNKNOWN_DSN = "DSN https://00000000000000000000000000000000@sentry.example/1"
FOREIGN = (400, 401, 403)
NAMES = {"write": "token", "dsn": "DSN"}


class Dsn:
    """The positions of a DSN's parts."""

    def __init__(self, credential: Credential) -> None:
        self.whole, secret = credential, credential.secret
        self.at_key = secret.index("://") + 3
        self.at_host = secret.index("@") + 1
        self.at_key_end = min(each for each in (secret.find(":", self.at_key), self.at_host - 1) if each > 0)
        self.at_number = secret.rindex("/") + 1
        self.at_path = secret.find("/", self.at_host)

    @property
    def key(self) -> Part:
        """The public key."""
        return self.part(self.at_key, self.at_key_end)

    @property
    def number(self) -> str:
        """The project's number, which is not secret."""
        return self.whole.secret[self.at_number :]

    def part(self, start: int = 0, stop: int | None = None) -> Part:
        """Some of its characters."""
        return Part(self.whole, start, stop)

    def with_key(self, *parts: str | Part) -> Altered:
        """The DSN with another key."""
        return Altered(("DSN ", self.part(0, self.at_key), *parts, self.part(self.at_key_end)))

    def with_number(self, number: str) -> Altered:
        """The DSN with another project number."""
        return Altered(("DSN ", self.part(0, self.at_number), number))


def _own_dsn(s: Setting) -> Dsn | None:
    return Dsn(s.where.credentials["dsn"]) if "dsn" in s.where.credentials else None


def _other_digit(digit: str) -> str:
    return "1" if digit == "0" else "0"


# --- refused


def _without(_: Setting) -> Iterator[Attempt]:
    yield Attempt("without credentials", anonymous=True)


def _elsewhere(s: Setting) -> Iterator[Attempt]:
    """In headers, and in parameters of the URL, in which other APIs accept credentials."""
    token, dsn = s.where.credentials.get("write"), _own_dsn(s)
    if token is not None:
        for name in ("X-Auth-Token", "X-Api-Key", "Proxy-Authorization"):
            value = token if name.endswith("Authorization") else Altered((Part(token),))
            yield Attempt(f"with the token in {name}", anonymous=True, headers={name: value})
        cookie = Altered(("token=", Part(token)))
        yield Attempt("with the token in a cookie", anonymous=True, headers={"Cookie": cookie})
        names = ("token", "access_token", "auth_token", "api_key")
        given = Altered(tuple(part for name in names for part in (f"&{name}=", Part(token))))
        yield Attempt("with the token in the URL", anonymous=True, in_query=given)
    if dsn is not None:
        envelope = Altered(("Sentry sentry_version=7, sentry_client=test/1.0, sentry_key=", dsn.key))
        yield Attempt("with the DSN's key in X-Sentry-Auth", anonymous=True, headers={"X-Sentry-Auth": envelope})
        given = Altered(("sentry_version=7&sentry_key=", dsn.key))
        yield Attempt("with the DSN's key in the URL", anonymous=True, in_query=given)


def _unknown_scheme(s: Setting) -> Iterator[Attempt]:
    for kind, name in NAMES.items():
        if kind not in s.where.credentials:
            continue
        own = s.where.credentials[kind]
        scheme = own.prefix.strip()
        # An unknown scheme gives no access, whatever follows it.
        for other in ("Basic", "Token", "Cookie", f"X{scheme}", f"{scheme}X"):
            yield Attempt(f"with the scheme {other} before a valid {name}", authorization=own.spelled(other))
        yield Attempt(f"with a valid {name} and no scheme", authorization=Altered((Part(own),)))
        for between, words in (("", "no space"), (":", "a colon")):
            joined = Altered((f"{scheme}{between}", Part(own)))
            yield Attempt(f"with {words} between the scheme and a valid {name}", authorization=joined)
        basic = Altered(("Basic ", Part(own, basic=True)))
        yield Attempt(f"with a valid {name} as the user of Basic", authorization=basic)


def _nonsense(_: Setting) -> Iterator[Attempt]:
    for value in ("Nonsense abc", "bearer-token", "Basic eDp5", "null"):
        yield Attempt(f"with Authorization: {value}", authorization=value)


def _empty(_: Setting) -> Iterator[Attempt]:
    for scheme in ("DSN", "dsn", "Bearer", "bearer"):
        yield Attempt(f"with the scheme {scheme} alone", authorization=scheme)


def _spaces(s: Setting) -> Iterator[Attempt]:
    for each in ("DSN one two", "Bearer one two"):
        yield Attempt(f"with {each.partition(' ')[0]} and two words", authorization=each)
    for kind in ("write", "dsn"):
        if kind in s.where.credentials:
            own = s.where.credentials[kind]
            yield Attempt(f"with a word after the {NAMES[kind]}", authorization=Altered((*own.parts, " x")))
            before = Altered((own.prefix, "x ", Part(own)))
            yield Attempt(f"with a word before the {NAMES[kind]}", authorization=before)


def _unknown_token(s: Setting) -> Iterator[Attempt]:
    yield Attempt("with a token that was never issued", authorization=UNKNOWN_TOKEN)
    dsn, token = _own_dsn(s), s.where.credentials.get("write")
    if token is not None:
        end = len(token.secret) - 1
        other = "x" if token.secret[-1] != "x" else "y"
        yield Attempt("with the token truncated in the middle", authorization=_token(Part(token, 0, end // 2)))
        # A server that numbers its tokens knows the shorter one as another project's.
        shorter = _token(Part(token, 0, end))
        yield Attempt("with the token without its end", authorization=shorter, statuses=(401, 403))
        yield Attempt("with the token without its beginning", authorization=_token(Part(token, 1)))
        yield Attempt("with the token in quotes", authorization=_token('"', Part(token), '"'))
        yield Attempt("with the token and an additional character", authorization=_token(Part(token), "x"))
        yield Attempt("with one character before the token", authorization=_token("x", Part(token)))
        yield Attempt("with a different last character of the token", authorization=_token(Part(token, 0, end), other))
        if token.secret.swapcase() != token.secret:
            turned = _token(Part(token, turned=True))
            yield Attempt("with the token in the other case", authorization=turned)
    if dsn is not None:
        yield Attempt("with the DSN as a token", authorization=dsn.whole.spelled("Bearer"))
        yield Attempt("with the DSN's key as a token", authorization=_token(dsn.key))
    for word in ("null", "undefined"):
        yield Attempt(f"with the token {word}", authorization=f"Bearer {word}")


def _token(*parts: str | Part) -> Altered:
    return Altered(("Bearer ", *parts))


def _unknown_dsn(s: Setting) -> Iterator[Attempt]:
    yield Attempt("with a DSN that was never issued", authorization=UNKNOWN_DSN)
    yield Attempt("with DSN nonsense", authorization="DSN nonsense")
    if (dsn := _own_dsn(s)) is None:
        return
    yield Attempt("with the DSN's key alone", authorization=Altered(("DSN ", dsn.key)))
    yield Attempt("with the DSN's key and @ alone", authorization=Altered(("DSN ", dsn.key, "@")))
    token = s.where.credentials.get("write")
    if token is not None:
        yield Attempt("with the token as a DSN", authorization=token.spelled("DSN"))


def _wrong_key(s: Setting) -> Iterator[Attempt]:
    dsn = Dsn(s.where.credentials["dsn"])
    start, end, secret = dsn.at_key, dsn.at_key_end, dsn.whole.secret
    first, last = _other_digit(secret[start]), _other_digit(secret[end - 1])
    wrong: dict[str, tuple[str | Part, ...]] = {
        "a different first digit": (first, dsn.part(start + 1, end)),
        "a different last digit": (dsn.part(start, end - 1), last),
        "an additional digit": (dsn.key, "0"),
        "an additional digit in front": ("0", dsn.key),
        "a digit missing": (dsn.part(start, end - 1),),
        "dashes": (dsn.part(start, start + 8), "-", dsn.part(start + 8, end)),
        "no digits": (),
    }
    for words, parts in wrong.items():
        yield Attempt(f"with a DSN whose key has {words}", authorization=dsn.with_key(*parts))
    if secret[start:end].swapcase() != secret[start:end]:
        turned = dsn.with_key(Part(dsn.whole, start, end, turned=True))
        yield Attempt("with a DSN whose key is in the other case", authorization=turned, maybe=True, by="dsn")


def _wrong_number(s: Setting) -> Iterator[Attempt]:
    dsn = Dsn(s.where.credentials["dsn"])
    number = dsn.number
    wrong = {"no project number": "", "the slug as its number": s.where.slug, "a digit after its number": f"{number}0"}
    if number.isdecimal():
        wrong |= {"the number above its own": str(int(number) + 1), "the number 0": "0"}
        wrong |= {"the number below its own": str(int(number) - 1)} if int(number) > 1 else {}
        wrong |= {"its number below zero": f"-{number}"}
    for words, each in wrong.items():
        yield Attempt(f"with a DSN with {words}", authorization=dsn.with_number(each))
    if number.isdecimal():
        zeros = dsn.with_number(f"00{number}")
        yield Attempt("with a DSN with zeros before its number", authorization=zeros, maybe=True, by="dsn")


def _mixed(s: Setting) -> Iterator[Attempt]:
    """The parts of two DSNs, which do not belong together."""
    dsn = Dsn(s.where.credentials["dsn"])
    for same, where in ((True, "of the organization"), (False, "of another organization")):
        other = Dsn(s.beside(same).credentials["dsn"])
        of_key, of_number = dsn.with_key(other.key), dsn.with_number(other.number)
        if other.whole.secret[other.at_key : other.at_key_end] != dsn.whole.secret[dsn.at_key : dsn.at_key_end]:
            yield Attempt(f"with the key of a project {where} and its own number", authorization=of_key)
        yield Attempt(f"with its own key and the number of a project {where}", authorization=of_number)


def _reader(s: Setting) -> Iterator[Attempt]:
    yield Attempt("with a token that may only read", authorization=s.where.credentials["read"])


def _foreign_token(s: Setting) -> Iterator[Attempt]:
    for same, where in ((True, "the organization"), (False, "another organization, of the same name")):
        foreign = s.beside(same).credentials
        for kind, whose in (("write", "the token"), ("admin", "an administrator's token")):
            if kind in foreign:
                yield Attempt(f"with {whose} of another project of {where}", authorization=foreign[kind])


def _foreign_dsn(s: Setting) -> Iterator[Attempt]:
    foreign = s.where.credentials.get("other-dsn") or s.beside(True).credentials["dsn"]
    yield Attempt("with the DSN of another project", authorization=foreign, statuses=FOREIGN)


def _dsn_of_another_organization(s: Setting) -> Iterator[Attempt]:
    foreign = s.beside(False).credentials["dsn"]
    words = "with the DSN of a project of the same name in another organization"
    yield Attempt(words, authorization=foreign, statuses=FOREIGN)


# --- accepted all the same


def _spelled_scheme(s: Setting) -> Iterator[Attempt]:
    own = s.where.credentials["write"]
    for scheme in ("bearer", "BEARER", "bEARER"):
        yield Attempt(f"with the scheme {scheme}", authorization=own.spelled(scheme), taken=True, by="write")


def _other_spelling(s: Setting) -> Iterator[Attempt]:
    dsn = Dsn(s.where.credentials["dsn"])
    scheme = "http" if dsn.whole.secret.startswith("https") else "https"
    behind = dsn.part(dsn.at_host - 1)
    number = dsn.part(dsn.at_path)
    before_host = dsn.part(0, dsn.at_host)
    same: dict[str, tuple[str | Part, ...]] = {
        "another scheme": (scheme, dsn.part(dsn.at_key - 3)),
        "a secret key": (dsn.part(0, dsn.at_key_end), ":0123456789abcdef0123456789abcdef", behind),
        "another host": (before_host, "o1.ingest.sentry.example", number),
        "another port": (before_host, "sentry.example:9000", number),
        "a path before its number": (before_host, "sentry.example/prefix", dsn.part(dsn.at_number - 1)),
    }
    for words, parts in same.items():
        yield Attempt(f"with a DSN with {words}", authorization=Altered(("DSN ", *parts)), taken=True, by="dsn")
    for spelt in ("dsn", "Dsn"):
        yield Attempt(f"with the scheme {spelt}", authorization=dsn.whole.spelled(spelt), taken=True, by="dsn")


KINDS: tuple[Kind, ...] = (
    Kind("no credentials", "credentials-required", _without),
    Kind("credentials elsewhere", "credentials-required", _elsewhere),
    Kind("an unknown scheme", "credentials-required", _unknown_scheme),
    Kind("nonsense for credentials", "credentials-required", _nonsense),
    Kind("a scheme without a value", "credentials-empty", _empty),
    Kind("credentials with spaces", "credentials-spaces", _spaces),
    Kind("an unknown token", "credentials-known", _unknown_token),
    Kind("an unknown DSN", "dsn-known", _unknown_dsn),
    Kind("a DSN with a wrong key", "dsn-known", _wrong_key, ("dsn",)),
    Kind("a DSN with a wrong number", "dsn-known", _wrong_number, ("dsn",)),
    Kind("parts of two DSNs", "dsn-known", _mixed, ("dsn", "second-project")),
    Kind("a reading token", "scope", _reader),
    Kind("another project's token", "project-token", _foreign_token, ("token",)),
    Kind("another project's DSN", "dsn-other-project", _foreign_dsn),
    Kind("another organization's DSN", "dsn-other-organization", _dsn_of_another_organization),
    Kind("another spelling of Bearer", "bearer", _spelled_scheme),
    Kind("another spelling of a DSN", "dsn", _other_spelling),
)
