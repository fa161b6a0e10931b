"""Secrets and innocent texts, made anew from a seed: what redaction is measured with.

Bodies are random, so that no test knows a secret by heart and no scanner finds one in the repository. The kinds are those
that providers document; the contexts are those in which agents meet them: prompts, arguments, tool results, errors.
"""

import base64
import hashlib
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


# Kinds that are told by their format: they may stand anywhere
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

# Kinds that are told by their name or their place; the needle is the value
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


# Innocent texts ------------------------------------------------------------------------------------------------------

SAID = """
The token: see below
token: optional
tokenizer=cl100k_base
max_tokens=4096
"max_tokens": 4096, "temperature": 0.2
{"usage": {"input_tokens": 812, "output_tokens": 96, "total_tokens": 908}}
{"token": "Hello", "logprob": -0.25, "top_logprobs": []}
{"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
{"next_page_token": "CAUQAA", "nextPageToken": "abc123def456ghi789"}
The secret: never give up
What is the secret = of success
the secret ingredient is love
password: reset it please
Password reset link sent
Please enter your password to continue
passwords must be at least 12 characters long
password_policy: min_length=12
{"password": {"type": "string", "description": "the password of the user"}}
{"type": "object", "properties": {"api_key": {"type": "string"}, "token": {"type": "string"}}, "required": ["api_key", "token"]}
{"errors": {"password": "is too short"}}
<input type="password" name="password" placeholder="Password">
password = getpass.getpass()
password = os.environ["DB_PASSWORD"]
api_key = os.getenv("OPENAI_API_KEY")
token = get_token(user)
def login(user: str, password: str) -> bool:
self.password = password
client = Client(api_key=settings.api_key)
api_key: required
api_key=YOUR_API_KEY
api_key: <your key here>
export OPENAI_API_KEY=${OPENAI_API_KEY}
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
authorization: required for this route
credentials: include
passwd: files systemd
Bearer of bad news everyone
basic understanding of mathematics
Basic authentication is not supported
cookie policy: we use cookies
cookies: chocolate chip, oatmeal
https://example.com:8080/path@v2
git@github.com:org/repo.git
http://host:80/a:b@c
postgresql://localhost:5432/app
postgresql://user:password@localhost/app
https://user@example.com/path
mailto:somebody@example.com
npm_config_cache_directory_for_the_build
hf_hub_download_with_resume_enabled
xoxo-love-from-grandma-2026
sk-learn is a library; pk-index-of-the-table
task-management-for-the-team-in-spring
risk-assessment-and-compliance-review-2026
disk-usage-report-for-node-12345
/* pk_constraint_on_orders_table_v2 */
rk-long-kebab-case-identifier-here
function pk_12345678901234567890()
classname rk_Kafka_Consumer_Group_1
skeleton-key-of-the-old-castle-gate
sk-SK locale sk-SK-u-co-standard
eyJ is how base64 of {" begins
primary key: id
"key": "value", "sort_key": "created_at"
foreign_key = order_id
cache_key: user:42:profile
public_key: ssh-ed25519
idempotency_key=3f2c9a
press any key to continue
keyboard=qwertz
the key is under the mat
monkey=banana
token bucket: 100 per second
csrf protection: enabled
auth: none
auth_method: oauth2
auth = HTTPBasicAuth
authentication: required
author: Jane Doe
authority=example.com
secretary: Ms. Miller
secret_name: db-credentials
secretKeyRef: {name: db, key: password}
tokens_per_second: 42.5
token_count=812
token_type: bearer
session_id: 0199c2d5e8f07abc9def0123456789ab
turn 0199c2d5e8f07abc9def0123456789ab of session support-42
request-id: req_011CSHoEeqs5C35K2UUqR7Fy
msg_01XFDUDYJgAACzvnptvVoYEL
call_abc123DEF456ghi789JKL012
chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT
resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b
toolu_01A09q90qw90lq917835lq9
thread_id=thread_abc123
ISBN 978-3-16-148410-0
EAN 4006381333931
EAN 4012345678901
tracking 1Z999AA10123456784
tracking number 420941099405510200881234567890
phone +49 30 1234567890
phone 0049 151 2345 6789 01
call me at (555) 123-4567
IMEI 356938035643809 device
IMEI 490154203237518
timestamp 1763950000000
timestamp_ns 1763950000000000000
1763950000123456
PO 100200300400500
order 2026-11-26-000123
sku 6011000990139424-A
user_id 5105105105105100
3.14159265358979323846
192.168.100.200 10.20.30.40
lat 52.520008 lon 13.404954 52520008134049
2001:0db8:85a3:0000:0000:8a2e:0370:7334
version 12.4.1+build.20261126
1234567890123456
0000 0000 0000 0000
123-45-6789012345678
integrity sha512-9f2b8c1d
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
package-lock.json
arn:aws:iam::123456789012:role/reader
s3://bucket/prefix/part-00000-of-00010.parquet
/home/user/.config/app/settings.toml
C:\\Users\\me\\Documents\\report-2026.docx
SELECT password_hash FROM users WHERE id = 42
ERROR: invalid token at line 12
KeyError: 'password'
ValueError: api_key must be set
401 Unauthorized: invalid api key
Two-factor codes are sent by SMS
The passphrase is case sensitive
Use a password manager.
passport number required
compass: north
bypass=true
pass: 12, fail: 3
"pass": true, "fail": false
pwd: /home/user
cd /tmp && pwd
The signature= parameter is optional
signature: (a: int, b: int) -> int
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmVd user@host
def test_token_is_refreshed(): ...
The agent used 3 tools, 12 tokens and no secrets.
mysql -u root -p app
curl -u 1000:1000 x
docker run --user 1000:1000 image
ssh -p 2222 host
netstat -p tcp
grep -p pattern
echo hello | cat
zip -r out.zip dir
login: maria, role: admin
""".strip().split("\n")


def innocent(seed: int) -> Iterator[str]:
    """Yield texts without secrets: those that people say, and those that machines make."""
    make = Maker(seed)
    yield from SAID
    for _ in range(6):
        yield make.uuid()
        yield make.hex(40)
        yield f"commit {make.hex(40)}\nAuthor: A <a@example.com>"
        yield make.hex(64)
        yield hashlib.md5(make.random.randbytes(8)).hexdigest()
        yield f"data:image/png;base64,{make.b64(400)}"
        yield make.b64(900)
        yield f'"integrity": "sha512-{make.b64(64)}"'
        yield f"https://example.com/items/{make.uuid()}?page={make.random.randint(1, 99)}&sort=asc"
        yield f"https://youtu.be/{make.key(11)}"
        yield f"https://docs.example.com/d/{make.safe(44)}/edit"
        yield json.dumps({"id": make.uuid(), "etag": make.hex(32), "size": make.random.randint(1, 10**9)})
        yield json.dumps(
            {"trace_id": make.hex(32), "span_id": make.hex(16), "ts": make.random.randint(10**18, 2 * 10**18)}
        )
        yield json.dumps({"prompt_tokens": make.random.randint(1, 9999), "max_tokens": 4096, "stop": None})
        yield f"order {make.of(DIGITS, 16)} shipped"
        yield f"id={make.random.randint(10**15, 10**16)}"
        yield f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{make.b64(270)} user@host"
        yield f"sha256:{make.hex(64)}"
        yield f"requests==2.32.{make.random.randint(0, 9)} --hash=sha256:{make.hex(64)}"
        yield f"0x{make.hex(40)}"
        yield f"{make.random.random()} {make.random.random()}"
        yield "[" + ", ".join(str(make.random.uniform(-1, 1)) for _ in range(20)) + "]"
        yield f"2026-11-{make.random.randint(10, 28)}T10:00:00.{make.random.randint(0, 999999):06d}Z"
        yield f"row {make.random.randint(1, 10**6)}: {' '.join(make.of(LOWER, make.random.randint(2, 9)) for _ in range(40))}"
        yield f"run_{make.key(20)} file-{make.key(22)} asst_{make.key(24)}"
        yield f"vs_{make.hex(32)} batch_{make.hex(32)}"
        yield f"{make.of(UPPER, 3)}-{make.random.randint(1, 9999)} is blocked by {make.of(UPPER, 3)}-{make.random.randint(1, 9999)}"
        yield f"eu-central-1a i-{make.hex(17)} vpc-{make.hex(17)} ami-{make.hex(17)}"
        yield f"session_id={make.uuid()} turn_id={make.hex(32)}"
        yield f"-----BEGIN PUBLIC KEY-----\n{make.b64(90)}\n-----END PUBLIC KEY-----"
        yield f"-----BEGIN CERTIFICATE-----\n{make.b64(300)}\n-----END CERTIFICATE-----"
