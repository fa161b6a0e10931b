"""What secrets are called, and the words that mean something else. Data, and nothing else."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """What a name promises, and how much what stands behind it must look like a secret to be one.

    ``strong``: a password, which nearly anything can be. ``shortest``: characters of the shortest. ``prose``: the same where
    nothing but words stands between name and value; 0 is never.
    """

    label: str
    strong: bool
    shortest: int
    prose: int


PASSWORD = Kind("password", strong=True, shortest=1, prose=6)
SECRET = Kind("secret", strong=True, shortest=4, prose=16)
KEY = Kind("key", strong=False, shortest=8, prose=16)
TOKEN = Kind("token", strong=False, shortest=8, prose=16)
OTHER_KEY = Kind("key", strong=False, shortest=16, prose=0)
CODE = Kind("code", strong=False, shortest=4, prose=4)
CARD_CODE = Kind("card code", strong=False, shortest=3, prose=3)
COOKIE = Kind("cookie", strong=False, shortest=8, prose=0)


def _words(text: str) -> list[str]:
    return text.split()


_QUOTES = "\"'\\"  # a quote, or the backslash before one in JSON
_KEYS = _words(
    "api access private signing signature encryption encrypt decryption master account shared service admin app application"
    " consumer subscription functions webhook license deploy hmac ingest ingestion integration instrumentation client session"
    " aes rsa ssh ssl tls pgp gpg storage write read root registration activation recovery backup server auth secret"
)
_IN_OTHER_LANGUAGES = _words(
    "kennwort contrase motdepasse mdp senha has\u0142o haslo wachtwoord salasana l\u00f6senord adgangskode parola heslo"
    " \u043f\u0430\u0440\u043e\u043b\u044c \u041f\u0430\u0440\u043e\u043b\u044c \u5bc6\u7801 \u5bc6\u78bc \u53e3\u4ee4"
    " \u30d1\u30b9\u30ef\u30fc\u30c9 \ube44\ubc00\ubc88\ud638"
)
MARKS: dict[Kind, list[str]] = {
    PASSWORD: [
        *_words(
            "passw passphrase pass-phrase pass_phrase passcode pwd _pw _pass -pass storepass keypass dbpass userpass adminpass rootpass smtppass mailpass convertto-securestring"
        ),
        *(word + end for word in ("pw", "pass", "pass_", "psk") for end in f"=:{_QUOTES}"),
        *("pw ", "pass - ", "pass =", "pw =", "psk ="),
        *_IN_OTHER_LANGUAGES,
        *("mot de passe", "pass phrase", "identified by"),
    ],
    SECRET: [
        *_words("secret credential creds dsn connectionstring connection_string"),
        *(f"{word}{joint}code" for word in ("recovery", "backup", "scratch") for joint in ("_", "", " ")),
    ],
    TOKEN: _words(
        "token jwt_ phpsessid jsessionid asp.net_sessionid connect.sid sessionid= session_cookie sessid xsrf csrf signature= samlresponse code_verifier"
    ),
    KEY: [
        *(f"{word}{joint}key" for word in _KEYS for joint in ("_", "-", "", " ")),
        *(word + end for word in ("auth", "_auth") for end in f"=:{_QUOTES}"),
        *("x-auth", "auth "),
    ],
    OTHER_KEY: [f"{joint}key{end}" for joint in "_-" for end in f"=:{_QUOTES}"] + ["key=", "key:"],
    CODE: [
        *(word + end for word in ("otp", "pin") for end in [*f"=:{_QUOTES}", " is "]),
        *(
            f"{word} code"
            for word in (
                "one-time",
                "one time",
                "verification",
                "login",
                "sign-in",
                "access",
                "authentication",
                "confirmation",
            )
        ),
    ],
    CARD_CODE: ["cvv", "cvc", "security code"],
}
"""What secrets are called, or how their names end; where a mark ends in a sign, that is what must follow."""
PHRASES = ("mnemonic", "seed phrase", "seed_phrase", "recovery phrase", "recovery_phrase", "seedphrase")
"""What a dozen words that are a key are called."""

ABOUT = frozenset(
    b"""type types count counts limit limits name names url urls uri uris endpoint endpoints path paths file files length len
    policy policies expires expiry expiration expired ttl kind mode method methods scheme status usage budget field fields
    header headers location rotation version hint reset strength required enabled disabled size index indexes ratio rate
    price cost ids id arn ref keyref refs provider manager service store storage class attempts attempt age at date time
    timestamp updated created changed label title description text prompt page screen form input placeholder dialog
    regex pattern format encoding algorithm domain consent banner settings config options min max window position offset
    issuer audience scope scopes bucket counter left remaining used per logprob logprobs ize izer izers s_per ring
    protected authentication less word validator validators encoder hasher""".split()
)
"""The last word of a name that says something about a secret, and not the secret."""
ORDINARY = frozenset(
    b"""max min num total count page next prev previous continuation cont sync resume pad eos bos unk sep cls mask special
    start end stop begin first last input output prompt completion cached cache reasoning thinking audio image text draft
    public pub primary foreign sort partition idempotency object row routing range hash group order shard map sub
    dictionary translation i18n locale unique composite candidate natural surrogate index column item cursor
    new line per""".split()
)
"""The word before "token" or "key" that makes it an ordinary one."""
NO_PASS = frozenset(b"com by tres encom sur under over im".split())
"""What stands before "pass" where that is not a password."""
NO_SECRETS = frozenset(
    b"""
    required optional none null nil true false yes no on off undefined default empty missing invalid expired valid wrong
    incorrect correct unknown unset blank string str text int bytes bool boolean number object any password passwd pass
    passphrase secret token key apikey api_key value values username user hidden masked redacted changeme change-me change_me example sample
    placeholder test enabled disabled include omit same-origin include-credentials inherit auto basic bearer digest
    see below files systemd compat ldap sss a an the this that is are was be for to of in it not and or with your my our
    their must should will can cannot may please never always reset field type input output prompt file env vault
    here there anonymous public private internal external
    """.split()
)
"""What stands in for a secret in documents and templates, and what a name is said to need."""
SENTENCE = frozenset(
    b"""a an the this that these is are was be been for to of in on at it its not and or with your my our their must should will can
    cannot may please never only when if than least most too more less has have had does do did required optional invalid
    characters reset enter user""".split()
)
"""Words that make a text a sentence about a secret, and not a passphrase."""
SCHEMES = frozenset(
    b"""bearer basic token digest apikey api-key key negotiate ntlm hawk oauth ssws aws4-hmac-sha256 geniekey bot discordbot
    snowflake splunk pveapitoken zoho-oauthtoken sharedkey sharedaccesssignature jwt""".split()
)
"""How the header ``Authorization`` may begin."""
