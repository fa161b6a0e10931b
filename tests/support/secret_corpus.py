"""Secrets and innocent texts, made anew from a seed: what redaction is measured with.

Bodies are random, so that no test knows a secret by heart and no scanner finds one in the repository. The kinds are those
that providers document; the contexts are those in which agents meet them: prompts, arguments, tool results, errors.
"""

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
HEX, ALNUM = "0123456789abcdef", string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"


class Secret(NamedTuple):
    """A text with a secret in it. ``needle`` is what must not survive."""

    kind: str
    text: str
    needle: str


class Maker:
    """Random parts of secrets."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of(self, alphabet: str, length: int) -> str:
        """Return random characters; letters and digits are both among them where the alphabet has both."""
        while True:
            text = "".join(self.random.choice(alphabet) for _ in range(length))
            mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
            if length < 12 or mixed or not (set(alphabet) & set(DIGITS) and set(alphabet) & set(string.ascii_letters)):
                return text

    def hex(self, length: int) -> str:
        """Return random hex digits."""
        return self.of(HEX, length)

    def key(self, length: int) -> str:
        """Return letters and digits."""
        return self.of(ALNUM, length)

    def safe(self, length: int) -> str:
        """Return characters that URLs may have, a letter first and last."""
        return self.key(1) + self.of(URLSAFE, length - 2) + self.key(1)

    def b64(self, length: int) -> str:
        """Return base64 of random bytes."""
        return base64.b64encode(self.random.randbytes(length)).decode()

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def password(self) -> str:
        """Return a password as people choose them."""
        word = "".join(self.random.choice(LOWER) for _ in range(self.random.randint(4, 8)))
        number = str(self.random.randint(10, 9999))
        return self.random.choice([word.capitalize() + number, word + number + word[:3], word.capitalize() + "!" + number, word + "_" + number + "X", number + word + "#9"])  # fmt: skip

    def jwt(self) -> str:
        """Return a JSON Web Token."""
        parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": self.key(10), "iat": self.random.randint(10**9, 2 * 10**9)}]
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join([*encoded, self.safe(43)])

    def pem(self, kind: str) -> str:
        """Return a private key in PEM's armour."""
        body = self.b64(300)
        lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
        return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"

    def card(self, prefix: str, length: int) -> str:
        """Return the number of a card with its check digit."""
        body = prefix + self.of(DIGITS, length - len(prefix) - 1)
        total = sum(sum(divmod(int(d) * 2, 10)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(body)))
        return body + str(-total % 10)

    def iban(self, country: str, bban: str) -> str:
        """Return the number of a bank account with its check digits."""
        turned = "".join(str(int(c, 36)) for c in bban + country + "00")
        return f"{country}{98 - int(turned) % 97:02d}{bban}"


def grouped(number: str, joint: str) -> str:
    """Return a number in groups of four."""
    return joint.join(number[i : i + 4] for i in range(0, len(number), 4))


# Kinds that are known by their format: they may stand anywhere
FORMATS: dict[str, Callable[[Maker], str]] = {
    "openai": lambda m: f"sk-proj-{m.safe(48)}",
    "openai legacy": lambda m: f"sk-{m.key(20)}T3BlbkFJ{m.key(20)}",
    "openai service": lambda m: f"sk-svcacct-{m.safe(60)}",
    "anthropic": lambda m: f"sk-ant-api03-{m.safe(93)}AA",
    "openrouter": lambda m: f"sk-or-v1-{m.hex(64)}",
    "deepseek": lambda m: f"sk-{m.hex(32)}",
    "groq": lambda m: f"gsk_{m.key(52)}",
    "xai": lambda m: f"xai-{m.key(80)}",
    "perplexity": lambda m: f"pplx-{m.key(48)}",
    "replicate": lambda m: f"r8_{m.key(37)}",
    "hugging face": lambda m: f"hf_{m.key(34)}",
    "nvidia": lambda m: f"nvapi-{m.safe(64)}",
    "langsmith": lambda m: f"lsv2_pt_{m.hex(32)}_{m.hex(10)}",
    "langfuse": lambda m: f"sk-lf-{m.uuid()}",
    "tavily": lambda m: f"tvly-dev-{m.key(32)}",
    "pinecone": lambda m: f"pcsk_{m.key(6)}_{m.key(60)}",
    "aws id": lambda m: f"AKIA{m.of(UPPER + '234567', 16)}",
    "aws temporary id": lambda m: f"ASIA{m.of(UPPER + '234567', 16)}",
    "aws session": lambda m: f"IQoJb3JpZ2luX2Vj{m.b64(60)}",
    "aws bedrock": lambda m: f"ABSK{m.b64(90)}",
    "google": lambda m: f"AIza{m.safe(35)}",
    "google oauth": lambda m: f"ya29.{m.safe(60)}",
    "google refresh": lambda m: f"1//0{m.safe(60)}",
    "google client secret": lambda m: f"GOCSPX-{m.safe(28)}",
    "azure ad": lambda m: f"{m.key(3)}8Q~{m.safe(34)}",
    "alibaba": lambda m: f"LTAI{m.key(20)}",
    "digitalocean": lambda m: f"dop_v1_{m.hex(64)}",
    "heroku": lambda m: f"HRKU-AA{m.safe(58)}",
    "fly": lambda m: f"fo1_{m.safe(43)}",
    "netlify": lambda m: f"nfp_{m.key(36)}",
    "supabase": lambda m: f"sbp_{m.hex(40)}",
    "planetscale": lambda m: f"pscale_tkn_{m.safe(43)}",
    "github": lambda m: f"ghp_{m.key(36)}",
    "github oauth": lambda m: f"gho_{m.key(36)}",
    "github app": lambda m: f"ghs_{m.key(36)}",
    "github fine": lambda m: f"github_pat_{m.key(22)}_{m.key(59)}",
    "gitlab": lambda m: f"glpat-{m.safe(20)}",
    "gitlab runner": lambda m: f"glrt-{m.safe(20)}",
    "gitlab job": lambda m: f"glcbt-64_{m.safe(20)}",
    "bitbucket": lambda m: f"ATBB{m.key(32)}",
    "atlassian": lambda m: f"ATATT3xFfGF0{m.safe(170)}={m.hex(8).upper()}",
    "npm": lambda m: f"npm_{m.key(36)}",
    "pypi": lambda m: f"pypi-AgEIcHlwaS5vcmc{m.safe(120)}",
    "rubygems": lambda m: f"rubygems_{m.hex(48)}",
    "docker": lambda m: f"dckr_pat_{m.safe(27)}",
    "artifactory": lambda m: f"AKCp{m.key(69)}",
    "sonar": lambda m: f"squ_{m.hex(40)}",
    "terraform": lambda m: f"{m.key(14)}.atlasv1.{m.safe(67)}",
    "vault": lambda m: f"hvs.{m.safe(95)}",
    "doppler": lambda m: f"dp.pt.{m.key(43)}",
    "pulumi": lambda m: f"pul-{m.hex(40)}",
    "databricks": lambda m: f"dapi{m.hex(32)}",
    "openshift": lambda m: f"sha256~{m.safe(43)}",
    "slack bot": lambda m: f"xoxb-{m.of(DIGITS, 12)}-{m.of(DIGITS, 13)}-{m.key(24)}",
    "slack user": lambda m: f"xoxp-{m.of(DIGITS, 12)}-{m.of(DIGITS, 12)}-{m.of(DIGITS, 12)}-{m.hex(32)}",
    "slack app": lambda m: f"xapp-1-A{m.of(UPPER + DIGITS, 10)}-{m.of(DIGITS, 13)}-{m.hex(64)}",
    "telegram": lambda m: f"{m.random.randint(10**8, 10**10 - 1)}:AA{m.safe(33)}",
    "discord": lambda m: f"MT{m.key(24)}.G{m.safe(5)}.{m.safe(38)}",
    "twilio": lambda m: f"SK{m.hex(32)}",
    "sendgrid": lambda m: f"SG.{m.safe(22)}.{m.safe(43)}",
    "mailgun": lambda m: f"key-{m.hex(32)}",
    "mailchimp": lambda m: f"{m.hex(32)}-us{m.random.randint(1, 21)}",
    "brevo": lambda m: f"xkeysib-{m.hex(64)}-{m.key(16)}",
    "stripe": lambda m: f"sk_live_{m.key(24)}",
    "stripe test": lambda m: f"sk_test_{m.key(99)}",
    "stripe restricted": lambda m: f"rk_live_{m.key(24)}",
    "stripe webhook": lambda m: f"whsec_{m.key(32)}",
    "square": lambda m: f"sq0atp-{m.safe(22)}",
    "paypal": lambda m: f"access_token$production${m.of(LOWER + DIGITS, 16)}${m.hex(32)}",
    "shopify": lambda m: f"shpat_{m.hex(32)}",
    "plaid": lambda m: f"access-sandbox-{m.uuid()}",
    "razorpay": lambda m: f"rzp_live_{m.key(14)}",
    "linear": lambda m: f"lin_api_{m.key(40)}",
    "notion": lambda m: f"ntn_{m.of(DIGITS, 11)}{m.key(35)}",
    "notion legacy": lambda m: f"secret_{m.key(43)}",
    "airtable": lambda m: f"pat{m.key(14)}.{m.hex(64)}",
    "figma": lambda m: f"figd_{m.safe(40)}",
    "postman": lambda m: f"PMAK-{m.hex(24)}-{m.hex(34)}",
    "hubspot": lambda m: f"pat-na1-{m.uuid()}",
    "asana": lambda m: f"1/{m.of(DIGITS, 16)}:{m.hex(32)}",
    "typeform": lambda m: f"tfp_{m.safe(44)}_{m.key(14)}",
    "contentful": lambda m: f"CFPAT-{m.safe(43)}",
    "1password": lambda m: f"ops_eyJ{m.b64(200)}",
    "grafana": lambda m: f"glsa_{m.key(32)}_{m.hex(8)}",
    "new relic": lambda m: f"NRAK-{m.of(UPPER + DIGITS, 27)}",
    "sentry": lambda m: f"sntryu_{m.hex(64)}",
    "dynatrace": lambda m: f"dt0c01.{m.of(UPPER + DIGITS, 24)}.{m.of(UPPER + DIGITS, 64)}",
    "age": lambda m: f"AGE-SECRET-KEY-1{m.of('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}",
    "jwt": lambda m: m.jwt(),
    "bcrypt": lambda m: f"$2b$12${m.of(ALNUM + './', 53)}",
    "shadow": lambda m: f"$6${m.key(12)}${m.of(ALNUM + './', 86)}",
    "facebook": lambda m: f"EAAC{m.key(150)}",
    "slack webhook": lambda m: f"https://hooks.slack.com/services/T{m.of(UPPER + DIGITS, 8)}/B{m.of(UPPER + DIGITS, 10)}/{m.key(24)}",
    "discord webhook": lambda m: f"https://discord.com/api/webhooks/{m.of(DIGITS, 18)}/{m.safe(68)}",
    "azure sas": lambda m: f"https://x.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig={m.key(20)}%2F{m.key(20)}%3D",
    "aws presigned": lambda m: f"https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA{m.of(UPPER + '234567', 16)}%2F20260101&X-Amz-Signature={m.hex(64)}",
}  # fmt: skip
AROUND = [
    "{}",
    "use {} for it",
    "I put {} into the config.",
    '"{}"',
    "'{}'",
    "({})",
    "<{}>",
    "KEY={}\n",
    "- {}\n- next",
    "`{}`",
    "export X={}; run",
]

# Kinds that are known by their name or their place; the needle is the value
NAMES = [
    "password", "Password", "PASSWORD", "passwd", "db_password", "userPassword", "DB_PASS", "pwd", "passphrase", "secret", "client_secret",
    "clientSecret", "SECRET_KEY", "aws_secret_access_key", "api_key", "apiKey", "API_KEY", "x-api-key", "OPENAI_API_KEY", "access_token",
    "accessToken", "refresh_token", "auth_token", "id_token", "bearer_token", "GITHUB_TOKEN", "private_key", "encryption_key", "signing_key",
    "access_key", "account_key", "credentials", "session_token", "webhook_secret", "jwt_secret", "master_key", "app_secret", "csrf_token",
]  # fmt: skip
ASSIGNED = [
    '{{"{n}": "{v}"}}', '{{"{n}":"{v}", "x": 1}}', "{n}={v}", "{n} = '{v}'", '{n}: "{v}"', "export {n}={v}", "{n}: {v}\nnext: 1", "--{n} {v}", "--{n}={v}",
    "https://x.example/cb?{n}={v}&page=2", "login({n}='{v}')", "<{n}>{v}</{n}>", '["{n}", "{v}"]', "{{'{n}': '{v}'}}", "| {n} | {v} |",
    '{{"name": "{n}", "value": "{v}"}}', "DC({n}='{v}', note='x')", "set {n}={v}", '{n} => "{v}"', 'const {n} = "{v}";', "ENV {n}={v}", "{n}:{v}",
]  # fmt: skip

PLACES: dict[str, Callable[[Maker], tuple[str, str]]] = {
    "url": lambda m: (f"postgresql://svc:{(p := m.password())}@db.internal:5432/app", p),
    "url redis": lambda m: (f"redis://:{(p := m.key(20))}@cache:6379/0", p),
    "url amqp": lambda m: (f"connect to amqp://user:{(p := m.password())}@mq/ now", p),
    "url mongodb": lambda m: (f"mongodb+srv://admin:{(p := m.password())}@cluster0.abc.mongodb.net/x?retryWrites=true", p),
    "url git": lambda m: (f"git clone https://x-access-token:{(p := m.key(40))}@github.com/o/r.git", p),
    "url token alone": lambda m: (f"git remote add o https://{(p := m.key(40))}@github.com/o/r.git", p),
    "url at in password": lambda m: (f"mysql://u:{m.key(5)}@{(p := m.key(8))}@h:3306/x", p),
    "url slash in password": lambda m: (f"mysql://u:A{m.key(4)}/{(p := m.key(8))}@db.h:3306/x", p),
    "bearer": lambda m: (f"Authorization: Bearer {(p := m.key(40))}", p),
    "bearer json": lambda m: (json.dumps({"headers": {"Authorization": f"Bearer {(p := m.safe(32))}"}}), p),
    "bearer lower": lambda m: (f"authorization: bearer {(p := m.hex(40))}", p),
    "bearer curl": lambda m: (f"curl -H 'Authorization: Bearer {(p := m.key(30))}' https://x", p),
    "basic": lambda m: (f"Authorization: Basic {(p := base64.b64encode(f'user:{m.password()}'.encode()).decode())}", p),
    "token header": lambda m: (f"Authorization: token {(p := m.hex(40))}", p),
    "api key header": lambda m: (f"X-Api-Key: {(p := m.hex(32))}", p),
    "header pair": lambda m: (f"[('X-API-Key', '{(p := m.key(32))}'), ('Accept', '*/*')]", p),
    "aws sigv4": lambda m: (f"Authorization: AWS4-HMAC-SHA256 Credential=AKIA{m.of(UPPER, 16)}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature={(p := m.hex(64))}", p),
    "cookie": lambda m: (f"Cookie: theme=dark; sessionid={(p := m.key(32))}", p),
    "set-cookie": lambda m: (f"Set-Cookie: sid={(p := m.safe(40))}; Path=/; HttpOnly; Secure", p),
    "curl user": lambda m: (f"curl -s -u admin:{(p := m.password())} https://x.example/api", p),
    "mysql option": lambda m: (f"mysql -h db -uroot -p{(p := m.password())} app", p),
    "sshpass": lambda m: (f"sshpass -p {(p := m.password())} ssh root@host", p),
    "docker login": lambda m: (f"docker login -u me -p {(p := m.password())} registry.example", p),
    "redis-cli": lambda m: (f"redis-cli -h cache -a {(p := m.password())} ping", p),
    "pgpassword": lambda m: (f"PGPASSWORD={(p := m.password())} psql -h db", p),
    "argv": lambda m: (json.dumps(["prog", "--password", (p := m.password())]), p),
    "netrc": lambda m: (f"machine api.example login me password {(p := m.password())}", p),
    "pgpass": lambda m: (f"db.internal:5432:app:svc:{(p := m.password())}", p),
    "dsn": lambda m: (f"host=db user=svc password={(p := m.password())} dbname=x", p),
    "odbc": lambda m: (f"Driver={{SQL}};Server=db;Uid=sa;Pwd={(p := m.password())};", p),
    "jdbc": lambda m: (f"jdbc:mysql://db/app?user=root&password={(p := m.password())}", p),
    "azure storage": lambda m: (f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={(p := m.b64(64))};EndpointSuffix=core.windows.net", p[:60]),
    "service bus": lambda m: (f"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey={(p := m.b64(32))}", p[:30]),
    "sql": lambda m: (f"CREATE USER app WITH PASSWORD '{(p := m.password())}';", p),
    "sql identified": lambda m: (f"CREATE USER 'a'@'%' IDENTIFIED BY '{(p := m.password())}'", p),
    "npmrc": lambda m: (f"//registry.npmjs.org/:_authToken={(p := m.uuid())}", p),
    "pem": lambda m: ((p := m.pem("RSA PRIVATE KEY")), p[60:100]),
    "pem openssh": lambda m: ("key:\n" + (p := m.pem("OPENSSH PRIVATE KEY")) + "\n", p[60:100]),
    "pem ec in json": lambda m: (json.dumps({"key": (p := m.pem("EC PRIVATE KEY"))}), p[60:95]),
    "pem twice in json": lambda m: (json.dumps({"body": json.dumps({"key": (p := m.pem("PRIVATE KEY"))})}), p[60:90]),
    "pem cut": lambda m: ((p := m.pem("PRIVATE KEY"))[:250], p[60:100]),
    "pgp": lambda m: ((p := m.pem("PGP PRIVATE KEY BLOCK")), p[60:100]),
    "json in json": lambda m: (json.dumps({"body": json.dumps({"password": (p := m.password())})}), p),
    "json thrice": lambda m: (json.dumps({"a": json.dumps({"b": json.dumps({"api_key": (p := m.key(24))})})}), p),
    "yaml": lambda m: (f"db:\n  user: svc\n  password: {(p := m.password())}\n  port: 5432\n", p),
    "yaml secret": lambda m: (f"kind: Secret\ndata:\n  password: {(p := base64.b64encode(m.password().encode()).decode())}\n", p),
    "toml": lambda m: (f'[auth]\ntoken = "{(p := m.key(28))}"\n', p),
    "properties": lambda m: (f"spring.datasource.password={(p := m.password())}\nserver.port=8080", p),
    "xml attribute": lambda m: (f'<add key="Password" value="{(p := m.password())}" />', p),
    "form data": lambda m: (f'Content-Disposition: form-data; name="password"\r\n\r\n{(p := m.password())}\r\n--x', p),
    "urlencoded": lambda m: (f"user=a&password={(p := m.password().replace('#', 'x'))}&submit=1", p),
    "prose is": lambda m: (f"hi, my password is {(p := m.password())}, please log in", p),
    "prose colon": lambda m: (f"Here you go. Password: {(p := m.password())}", p),
    "prose key": lambda m: (f"the api key is {(p := m.key(32))}", p),
    "aws secret bare": lambda m: (f"aws secret {(p := m.of(ALNUM + '/+', 40))} here", p),
    "passphrase": lambda m: ('password = "correct horse ' + (p := m.of(LOWER, 7)) + ' staple"', p),
    "german": lambda m: (f"Passwort: {(p := m.password())}", p),
    "spanish": lambda m: (f"contraseña: {(p := m.password())}", p),
    "french": lambda m: (f"mot de passe : {(p := m.password())}", p),
    "portuguese": lambda m: (f"senha: {(p := m.password())}", p),
    "russian": lambda m: (f"Пароль: {(p := m.password())}", p),
    "chinese": lambda m: (f"密码\uff1a{(p := m.password())}", p),
    "echo sudo": lambda m: (f"echo {(p := m.password())} | sudo -S apt update", p),
    "openssl": lambda m: (f"openssl rsa -in k.pem -passin pass:{(p := m.password())}", p),
    "bytes repr": lambda m: (f"KeyError({{'password': b'{(p := m.password())}'}})", p),
    "mnemonic": lambda m: ('mnemonic: "' + (p := " ".join(m.of(LOWER, 5) for _ in range(12))) + '"', p),
    "zero width": lambda m: (f"sk-proj-{m.key(8)}\u200b{(p := m.key(30))}", p),
    "glued": lambda m: (f"keyghp_{(p := m.key(36))}", p),
    "visa": lambda m: ((p := m.card("4", 16)), p),
    "mastercard spaces": lambda m: ("my card " + (p := grouped(m.card("52", 16), " ")) + ".", p),
    "amex": lambda m: (f"amex {(p := m.card('37', 15))} 12/27", p),
    "card dashes": lambda m: ("pay with " + (p := grouped(m.card("4", 16), "-")), p),
    "card no-break": lambda m: ((p := grouped(m.card("4", 16), "\u00a0")), p),
    "iban": lambda m: (f"IBAN {(p := m.iban('DE', m.of(DIGITS, 18)))}", p),
    "iban spaces": lambda m: ((p := grouped(m.iban("DE", m.of(DIGITS, 18)), " ")), p),
    "ssn": lambda m: (f"SSN {(p := f'{m.random.randint(100, 665)}-{m.random.randint(10, 99)}-{m.random.randint(1000, 9999)}')}", p),
}  # fmt: skip


def secrets(seed: int) -> Iterator[Secret]:
    """Yield texts with a secret each."""
    make = Maker(seed)
    for kind, one in FORMATS.items():
        for _ in range(3):
            value = one(make)
            around = make.random.choice(AROUND)
            yield Secret(kind, around.format(value), value[-16:] if len(value) > 40 else value[-10:])
    for n, name in enumerate(NAMES):
        for m in range(6):
            form = ASSIGNED[(n * 6 + m) % len(ASSIGNED)]
            strong = any(word in name.lower() for word in ("pass", "pwd"))
            value = (
                make.password()
                if strong
                else make.random.choice([make.key(24), make.hex(32), make.safe(40), make.uuid()])
            )
            if "?" in form or "<" in form:
                value = value.replace("#", "x").replace("!", "y")
            yield Secret(f"{name} {form}", form.format(n=name, v=value), value)
    for kind, place in PLACES.items():
        for _ in range(3):
            text, needle = place(make)
            yield Secret(kind, text, needle)
