r"""Secrets by their place: in URLs, on command lines, in lines of known files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from turnspan.recording.secrets.names import Handler, Hit, is_secret_name
from turnspan.recording.secrets.values import is_stand_in, looks_random
from turnspan.recording.secrets.words import CODE, NO_SECRETS, PASSWORD

_USER = re.compile(rb"://(?P<user>[^\s\"'<>\\/@:?#,;]{0,128}):(?P<v>[^\s\"'<>\\/@]{1,512})@(?=[\w\[.-])")
_HARD_PASSWORD = re.compile(
    rb"://(?P<user>[^\s\"'<>\\/@:?#,;]{0,128}):(?P<v>(?!\d{1,5}(?:[/?#]|\Z))[^\s\"'<>\\,]{1,512})@(?=[\w\[-]+(?:[.:/\"'\s\\]|\Z))"
)
_USER_ALONE = re.compile(rb"://(?P<v>[A-Za-z0-9_\-]{20,})(?::x-oauth-basic|:)?@(?=[\w\[])")
_OF_DIRECTORY = re.compile(
    rb"://(?P<user>\w{1,16}=[^\s\"'<>\\/@:?#;]{0,200}):(?P<v>[^\s\"'<>\\/@,]{1,512})@(?=[\w\[.-])"
)
_STAND_IN = re.compile(rb"[<{$*%\[]|x{3,}\Z|\.\.\.", re.IGNORECASE)


def _url(text: bytes, start: int, _end: int) -> Hit | None:
    found = _USER.match(text, start)
    rest = text[found.end() : found.end() + 256] if found is not None else b""
    if found is None or b"@" in re.split(rb"[\s\"'/?<>\\]", rest, maxsplit=1)[0]:
        found = _HARD_PASSWORD.match(text, start) or found
    if found is None:
        found = _OF_DIRECTORY.match(text, start)
    if found is None:
        found = _USER_ALONE.match(text, start)
        if found is None or not looks_random(found["v"]):
            return None
        return Hit(found.start("v"), found.end("v"), "token")
    value = found["v"]
    if _STAND_IN.match(value) or value.lower() in NO_SECRETS or found["user"].lower() == value.lower() == b"guest":
        return None
    return Hit(found.start("v"), found.end("v"), "password")


_IN_URL = re.compile(
    rb"(?i)[?&](?:amp;)?[\w-]*?(?:sig|signature|key|token|code_verifier|secret|sas|credential|appid|code)=(?P<v>[^&\s\"'<>\\#]{16,})"
)


def _parameter(text: bytes, start: int, _end: int) -> Hit | None:
    found = _IN_URL.match(text, start)
    return Hit(found.start("v"), found.end("v"), "token") if found is not None and looks_random(found["v"]) else None


_PARAMETERS = (
    "?sig",
    "&sig",
    "?key=",
    "&key=",
    "-signature=",
    "&x-amz-",
    "?x-amz-",
    "?appid=",
    "&appid=",
    "?code=",
    "&code=",
)
_PATH = re.compile(rb"[\w-]+/(?:[\w-]{1,12}/)?(?P<v>[\w.=~-]{20,})")


def _path(text: bytes, start: int, _end: int) -> Hit | None:
    """Return what a link that resets a password or logs somebody in has in its path."""
    found = _PATH.match(text, start)
    if found is None or not looks_random(max(re.split(rb"[-_.=~]", found["v"]), key=len)):
        return None
    return Hit(found.start("v"), found.end("v"), "token")


_INSERT = re.compile(
    rb"(?i)(?:insert|replace) into\s+[^\s(]{1,128}\s*\((?P<names>[^()]{1,2000})\)(?:\s|\\+[nrt])*values(?=(?:\s|\\+[nrt])*\()"
)
_ROW = re.compile(rb"(?:\s|\\+[nrt]|,)*\((?P<values>[^()]{1,4000})\)")
_ONE_VALUE = re.compile(
    rb"(?:\s|\\+[nrt])*(?:[NE]?(?P<q>\\*[\"'])(?P<v>.*?)(?P=q)|(?P<bare>[^,]*))(?:\s|\\+[nrt])*(?:,|\Z)", re.DOTALL
)
_MOST_ROWS = 1000


def _inserted(text: bytes, start: int, _end: int) -> list[Hit]:
    """Return the values of a statement's columns that are called like secrets."""
    hits: list[Hit] = []
    found = _INSERT.match(text, start)
    if found is None:
        return hits
    wanted = [
        is_secret_name(name.strip(b" \t`[]\"'\\").decode("utf-8", "replace")) for name in found["names"].split(b",")
    ]
    at = found.end()
    for _ in range(_MOST_ROWS if any(wanted) else 0):
        if (row := _ROW.match(text, at)) is None:
            break
        value_at, at = row.start("values"), row.end()
        for is_wanted in wanted:
            value = _ONE_VALUE.match(text, value_at, row.end("values"))
            if value is None:
                break
            if is_wanted and value["v"]:
                hits.append(Hit(value.start("v"), value.end("v"), PASSWORD.label))
            value_at = value.end()
    return hits


_RULE = re.compile(rb"(?:[|+] ?)?:?-{1,60}:?(?: ?[|+] ?:?-{1,60}:?)*(?: ?[|+])?")
_LINE_BREAK = re.compile(rb"(?:\\+r)?\\+n")
_LONGEST_LINE, _LONGEST_DASHES = 1000, 64
_DASH, _BEGINS_LINE = 45, frozenset(b'nr"')
_HEAD = re.compile(rb"[\w .-]{1,64}(?:,[\w .-]{1,64}){1,63}")


def _line_start(text: bytes, at: int) -> int:
    """Return where the line begins that a place is in: behind a line break, as JSON has it, or a quote."""
    least = max(0, at - _LONGEST_LINE)
    broken = text.rfind(rb"\n", least, at)
    return max(broken + 2 if broken >= 0 else 0, text.rfind(b'"', least, at) + 1, least)


def _line_end(text: bytes, at: int) -> int:
    found = _LINE_BREAK.search(text, at, at + _LONGEST_LINE)
    quote = text.find(b'"', at, at + _LONGEST_LINE)
    return min(found.start() if found is not None else at + _LONGEST_LINE, quote if quote >= 0 else len(text))


def _column(text: bytes, start: int, _end: int) -> list[Hit]:
    """Return what stands in the columns of a table that are called like secrets: Markdown, or what a database prints."""
    begin = start
    while begin > start - _LONGEST_DASHES and text[begin - 1] == _DASH:
        begin -= 1
    if text[begin - 1 : begin + 1] == b"+-":
        begin -= 1
    if text[begin - 1] not in _BEGINS_LINE or (rule := _RULE.match(text, begin)) is None:
        return []  # it is no rule between a head and rows, or not its first joint
    head = text[_line_start(text, max(0, begin - 2)) : begin]
    return _secret_cells(text, _LINE_BREAK.split(head)[0], b"|", rule.end())


def _separated(text: bytes, start: int, _end: int) -> list[Hit]:
    """Return what stands in the columns of CSV that are called like secrets."""
    begin = _line_start(text, start)
    head = _HEAD.match(text, begin)
    if head is None or head.end() < start or not _LINE_BREAK.match(text, head.end()):
        return []
    return _secret_cells(text, head[0], b",", head.end())


def _secret_cells(text: bytes, head: bytes, joint: bytes, at: int) -> list[Hit]:
    """Return what stands in the columns whose names are those of secrets, in the rows behind a head."""
    hits: list[Hit] = []
    wanted = [is_secret_name(cell.strip(b" *`").decode("utf-8", "replace")) for cell in head.split(joint)]
    for _ in range(_MOST_ROWS if any(wanted) else 0):
        line = _LINE_BREAK.match(text, at)
        if line is None:
            break
        begin, at = line.end(), _line_end(text, line.end())
        cells = text[begin:at].split(joint)
        if len(cells) != len(wanted):
            break
        for cell, is_wanted in zip(cells, wanted, strict=True):
            value = cell.strip(b" `*")
            if is_wanted and len(value) > 3 and value.lower() not in NO_SECRETS and not is_stand_in(value):
                place = begin + cell.index(value)
                hits.append(Hit(place, place + len(value), PASSWORD.label))
            begin += len(cell) + 1
    return hits


_IN_BLOCK = re.compile(
    rb"(?:\\+r)?\\+n {2,8}[\w.-]{1,64}: +(?:\\*[\"'])?(?P<v>[^\s\"'\\]{1,4096})(?:\\*[\"'])?(?=\\|\"|\Z)"
)
_MOST_IN_BLOCK = 100


def _block(text: bytes, _start: int, end: int) -> list[Hit]:
    """Return what stands in a block of YAML that is called after secrets, if it looks like one."""
    hits: list[Hit] = []
    at = end
    while len(hits) < _MOST_IN_BLOCK and (line := _IN_BLOCK.match(text, at)) is not None:
        at = line.end()
        if looks_random(line["v"]) and not is_stand_in(line["v"]):
            hits.append(Hit(line.start("v"), line.end("v"), "secret"))
    return hits


_TYPED = re.compile(
    rb"(?<![^\s\"'`])(?P<v>(?=[^\s\"'`\\]{0,64}\d)(?=[^\s\"'`\\]{0,64}[A-Za-z])[^\s\"'`\\]{6,64})[\"'`]?\Z"
)


def _typed_before(text: bytes, start: int, _end: int) -> Hit | None:
    """Return what somebody has typed ``into the password field``."""
    found = _TYPED.search(text, max(0, start - 80), start)
    return None if found is None or _STAND_IN.match(found["v"]) else Hit(found.start("v"), found.end("v"), "password")


_MIXED = rb"(?P<v>(?=[^\s\"'\\]*\d)(?=[^\s\"'\\]*[A-Za-z])[^\s\"'\\]{6,})"
_Q = rb"(?:\\*[\"'])?"
_ARGS = rb"(?:[^|;\"\\]|\\+[\"']|\\\\n){0,300}?"
_GAP = rb"(?:[ \t]+|\\*[\"'],?[ \t]*\\*[\"'])"
_ARG = rb"[^,()]{1,300},"
_STRING = rb"\s*b?\\*[\"'](?P<v>[^\s\"'\\]{4,})\\*[\"']"
_COMMANDS: tuple[tuple[str, bytes], ...] = (
    ("curl", rb"curl\b" + _ARGS + _GAP + rb"(?:-\w*u|--user|--proxy-user|-U)(?:" + _GAP + rb"|=|)" + _Q + rb"[^\s:\"'\\]{0,80}:(?P<v>[^\s\"'\\]+)"),
    ("wget", rb"wget\b" + _ARGS + rb"password[= ]" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("mysql", rb"(?:mysql\w*|mariadb\w*)\b" + _ARGS + _GAP + rb"-p(?P<v>[^\s\"'\\]{3,})"),
    *(
        (name, rb"(?:sqlplus|sqlldr|(?:exp|imp)dp|rman)\b" + _ARGS + rb"[ '=]" + _Q + rb"\w{1,30}/(?P<v>[^\s@\"'\\]{3,})@")
        for name in ("sqlplus", "sqlldr", "expdp", "impdp", "rman ")
    ),
    *(
        (f"{name} ", name.encode() + rb"\s+(?:-\S+\s+){0,6}" + _Q + rb"[\w.-]{1,64}:(?P<v>[^\s@/\"'\\]{3,})@[\w.-]")
        for name in ("sftp", "ssh", "scp", "rsync", "ftp", "lftp")
    ),
    ("openssl ", rb"openssl\b" + _ARGS + rb" -k " + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    *(
        (f"{name.lower()}(", name.encode() + rb"\(" + _STRING)
        for name in ("Fernet", "AESGCM", "AESCCM", "ChaCha20Poly1305", "SecretBox", "AES.new", "algorithms.AES")
    ),
    ("sonar.login", rb"sonar\.login=" + _Q + rb"(?P<v>[\w-]{20,})"),
    ("signtool ", rb"signtool\b" + _ARGS + rb" /p " + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("xfreerdp ", rb"xfreerdp\b" + _ARGS + rb" /p:" + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    *(
        (f"{name} ", name.encode() + rb"\b" + _ARGS + rb" -P " + _Q + rb"(?P<v>[^\s\"'\\]{3,})")
        for name in ("ipmitool", "knife")
    ),
    ("rabbitmqctl ", rb"rabbitmqctl\b" + _ARGS + rb" (?:add_user|change_password) \S+ " + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("http-basic.", rb"http-basic\.\S+ \S+ " + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("bundle config ", rb"bundle config (?:set )?(?:--\w+ )?\S+ " + _Q + rb"[^\s:\"'\\]+:(?P<v>[^\s\"'\\]{3,})"),
    ("password", rb"(?i)password[^\n;]{0,40}?\)\.(?:send_?keys|type|fill)\(" + _STRING),
    ("set_cookie(", rb"set_cookie\(" + _ARG + _STRING),
    ("setcookie(", rb"(?i)setcookie\(" + _ARG + _STRING),
    ("community ", rb"community " + _MIXED + rb" R[OW]"),
    ("user ", rb"(?i)user \S{1,64} (?:and )?pass(?:word)? " + _MIXED),
    ("convertto-securestring", rb"(?i)ConvertTo-SecureString\b" + _ARGS + rb" -String " + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("twilio", rb"(?i)twilio[^\n\"]{0,40}\(\\*[\"']AC[0-9a-f]{32}\\*[\"'],\s*\\*[\"'](?P<v>[0-9a-f]{32})"),
    *(
        (f"{name.lower()}(", name.encode() + rb"\(" + _ARG + _STRING)
        for name in ("NetworkCredential", "UsernamePasswordCredentials", "PasswordAuthentication", "Credentials")
    ),
    (".auth = (", rb"\.auth = \(" + _ARG + _STRING),
    ("bcrypt.", rb"bcrypt\.\w{4,16}\(" + _STRING),
    ("credentials", rb"(?i)credentials(?: are)?: \w{1,32} ?[/|] ?(?P<v>[^\s\"'\\]{4,})"),
    ("sshpass", rb"sshpass\s+-p" + rb"\s*" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    (" login", rb" login\b" + _ARGS + _GAP + rb"-p" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("redis-cli", rb"redis-cli\b" + _ARGS + _GAP + rb"-a" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("ldap", rb"ldap(?:search|modify|add|whoami|passwd|delete)\b" + _ARGS + _GAP + rb"-w" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("mongo", rb"mongo\w*\b" + _ARGS + _GAP + rb"-p" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("sqlcmd", rb"sqlcmd\b" + _ARGS + _GAP + rb"-P" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("smbclient", rb"smbclient\b" + _ARGS + _GAP + rb"-U" + _GAP + _Q + rb"[^\s%\"'\\]+%(?P<v>[^\s\"'\\]+)"),
    ("htpasswd", rb"htpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("curl", rb"curl\b" + _ARGS + _GAP + rb"(?:-b|--cookie)(?:" + _GAP + rb"|=)" + _Q + rb"(?P<v>[\w.-]+=[^\s\"'\\]{8,})"),
    ("net user", rb"net user\s+\S+\s+(?P<v>[^\s\"'\\/*]+)"),
    ("password for ", rb"(?i)password for [^\s=]+\s*=\s*" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("jdbc:oracle", rb"jdbc:oracle:\w+:[^/\s]+/(?P<v>[^@\s]+)@"),
    ("net use", rb"net use\s+\S+\s+\S+\s+(?P<v>[^\s\"'\\/*]+)\s+/user"),
    ("net use", rb"net use\s+\S+\s+\S+\s+/user:\S+\s+(?P<v>[^\s\"'\\/*]+)"),
    ("lftp", rb"lftp\b" + _ARGS + _GAP + rb"-u" + _GAP + _Q + rb"[^\s,\"'\\]+,(?P<v>[^\s\"'\\]+)"),
    ("http -a", rb"http -a" + _GAP + _Q + rb"[^\s:\"'\\]+:(?P<v>[^\s\"'\\]+)"),
    ("https -a", rb"https -a" + _GAP + _Q + rb"[^\s:\"'\\]+:(?P<v>[^\s\"'\\]+)"),
    ("smb://", rb"smb://[^\s:@/\"\\]+:(?P<v>[^\s@/\"\\]+)@"),
    ("requirepass ", rb"requirepass\s+" + _Q + rb"(?P<v>[^\s\"'\\]+)" + _Q + rb"(?=\\|\"|\Z)"),
    ("masterauth ", rb"masterauth\s+" + _Q + rb"(?P<v>[^\s\"'\\]+)" + _Q + rb"(?=\\|\"|\Z)"),
    ("use code ", rb"(?i)use code (?P<v>\d{4,8}) to (?:log|sign|verify|confirm)"),
    ("code to ", rb"(?i)code to (?:sign in|log in|verify|confirm|continue)[^\d\"\\]{0,30}?[: ](?P<v>\d{4,8})(?!\d)"),
    ("wandb login", rb"wandb login (?:--\w+ )*(?P<v>[0-9a-f]{40})"),
    ("-u ", rb"-u \S+ (?:\S+ ){0,3}?-p " + _Q + rb"(?P<v>(?=[^\s\"'\\]*\d)(?=[^\s\"'\\]*[A-Za-z])[^\s\"'\\:/]{6,})"),
    ("sudo -", rb"sudo (?:-\w+ )*-S(?: -\S+)* ?<<< ?" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("expect ", rb"expect [^\n]{0,80}?assword:?[^\n]{0,40}?send (?:-- )?\\*\"(?P<v>[^\s\"'\\]+)"),
    ("ssh-keygen", rb"ssh-keygen\b" + _ARGS + rb" -[NP] " + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("rclone", rb"rclone\b" + _ARGS + rb" pass (?P<v>[^\s\"'\\]+)"),
    ("mysqli", rb"mysqli(?:_connect)?\(" + _ARG * 2 + _STRING),
    ("getconnection(", rb"getConnection\(" + _ARG * 2 + _STRING),
    ("pdo(", rb"PDO\(" + _ARG * 2 + _STRING),
    ("basicauth(", rb"BasicAuth\(" + _ARG + _STRING),
    ("jwt.", rb"jwt\.(?:encode|sign|verify|decode)\(" + _ARG + _STRING),
    ("hmac.new(", rb"hmac\.new\(" + _STRING),
    ("createhmac(", rb"createHmac\(" + _ARG + _STRING),
    ("secret ", rb"secret [05789] (?P<v>(?=[^\s\"'\\]*\d)[^\s\"'\\]{4,})"),
    ("password ", rb"password [057] (?P<v>(?=[^\s\"'\\]*\d)[^\s\"'\\]{4,})"),
    ("unseal key", rb"(?i)unseal key \d+:\s*(?P<v>[A-Za-z0-9+/=]{16,})"),
    ("--token", rb"--token[= ](?P<v>[a-z0-9]{6}\.[a-z0-9]{16})(?![\w.])"),
    (".login(", rb"\.login\((?:\s|\\+n)*\\*[\"'][^\"'\\]{1,80}\\*[\"'],\s*\\*[\"'](?P<v>[^\"'\\]{4,})"),
    ("7z ", rb"7z\s+\w+" + _ARGS + _GAP + rb"-p(?P<v>[^\s\"'\\]{3,})"),
    ("zip ", rb"zip\b" + _ARGS + _GAP + rb"-P" + _GAP + rb"?" + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("echo ", rb"echo\s+(?:-n\s+)?" + _Q + rb"(?:\w+:)?(?P<v>[^\s\"'\\|:]{4,})" + _Q + rb"\s*\|\s*(?:sudo\s+(?:-\w+\s+)*-S|(?:sudo\s+)?(?:chpasswd|passwd\s+--stdin)|docker\s+login|gh\s+auth|kinit)"),
    ("/user:", rb"/user:\S+\s+/p(?:ass(?:word)?)?:(?P<v>[^\s\"'\\]+)"),
    ("machine ", rb"machine\s+\S+(?:\s|\\+n)+login\s+\S+(?:\s|\\+n)+password\s+(?P<v>[^\s\"\\]+)"),
    (":5432:", rb":5432:[^:\s\"\\]+:[^:\s\"\\]+:(?P<v>[^\s\"\\:]+)"),
    (":3306:", rb":3306:[^:\s\"\\]+:[^:\s\"\\]+:(?P<v>[^\s\"\\:]+)"),
)  # fmt: skip


def _command(pattern: re.Pattern[bytes]) -> Handler:
    def handler(text: bytes, start: int, _end: int) -> Hit | None:
        found = pattern.match(text, start, start + 1000)
        if found is None:
            return None
        value = found["v"]
        is_code = b"code" in found[0][:24].lower()
        if (
            _STAND_IN.match(value)
            or value.lower() in NO_SECRETS
            or (value.isdigit() and len(value) < 6 and not is_code)
        ):
            return None
        return Hit(found.start("v"), found.end("v"), CODE.label if is_code else PASSWORD.label)

    return handler


_BEFORE = re.compile(rb"(?<![\w.,#])(?:G-)?(?P<v>\d{4,8})\Z")
_FOR = re.compile(
    rb"(?:[A-Za-z]+ ){0,3}(?:verification|login|security|access|confirmation|authentication|one-time|sign[- ]in|2FA|OTP)\b"
)


def _code_before(text: bytes, start: int, end: int) -> Hit | None:
    """Return the code that stands before what it is: ``482913 is your login code``."""
    found = _BEFORE.search(text, max(0, start - 12), start)
    if found is None or not _FOR.match(text, end):
        return None
    return Hit(found.start("v"), found.end("v"), CODE.label)


def placed() -> Iterator[tuple[str, Handler]]:
    """Return marks and what looks at each place where one stands."""
    yield "://", _url
    for mark in _PARAMETERS:
        yield mark, _parameter
    for mark in ("reset/", "reset-password/", "magic-link/", "magic/", "activate/"):
        yield mark, _path
    for mark in (" is your ", " as your "):
        yield mark, _code_before
    for mark in (" into the password", " as the password", " as password"):
        yield mark, _typed_before
    for mark in ("secrets:", "stringdata:"):
        yield mark, _block
    for mark in ("insert into", "replace into"):
        yield mark, _inserted
    for mark in ("|-", "| -", "|:-", "-+-"):
        yield mark, _column
    for mark in (",password", "password,", ",api_key", ",secret", ",token"):
        yield mark, _separated
    for mark, pattern in _COMMANDS:
        yield mark, _command(re.compile(pattern))
