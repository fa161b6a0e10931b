"""Forms in which secrets are met, written down one by one: what people, programs and files say."""

import base64
import json
from collections.abc import Iterator

from support.secret_corpus import ALNUM, DIGITS, UPPER, Maker

PASSWORD = "Tr0ub4dor&3"


def _passwords_and_addresses(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield passwords as they are written down, and addresses with one."""
    p = PASSWORD
    yield f"The password for the admin account is {p}.", p
    yield f"user: bob\npass: {p}\n", p
    yield f"login: bob / pw: {p}", p
    yield f"PW={p}", p
    yield "my passphrase was Kx9-dog-7up", "Kx9-dog-7up"
    yield f"password\n{p}", p
    yield "Password:\n  hunter2hunter2\n", "hunter2hunter2"
    yield '{"password" : "letmein"}', "letmein"
    yield "{'pwd': 'letmein'}", "letmein"
    yield "password=letmein", "letmein"
    yield "PASSWORD=swordfish\nUSER=x", "swordfish"
    yield "db.password: swordfish\n", "swordfish"
    yield "--password swordfish --user x", "swordfish"
    yield "<password>swordfish</password>", "swordfish"
    yield '<input type="password" name="pw" value="S3cretVal9">', "S3cretVal9"
    yield "mysql://root:toor@localhost/db", "toor"
    yield "ftp://anonymous2:guestpw@ftp.x.org", "guestpw"
    yield "smtp://mailer:Pa55w0rd!@smtp.mail.io:587", "Pa55w0rd"
    yield "https://bob:p%40ss%2Fword1@host.example/path", "p%40ss"
    yield "mongodb://u:p@ss:w0rd@h1:27017,h2:27017/db?replicaSet=rs", "w0rd"
    yield "jdbc:postgresql://h/db?user=a&password=S3kr1t%21&ssl=true", "S3kr1t"
    yield "jdbc:oracle:thin:scott/tiger9x@//h:1521/x", "tiger9x"
    yield "Server=tcp:x.database.windows.net;User ID=a;Password=Abc123!x;Encrypt=True", "Abc123!x"
    yield "amqps://u:" + (t := make.key(16)) + "@b-1.mq.aws:5671", t


def _commands_and_headers(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield what is typed in a shell and sent in a header."""
    k, h, b64, p = make.of, make.hex, make.b64, PASSWORD
    yield "redis-cli -a " + (t := make.key(20)), t
    yield "curl --user bob:" + p + " http://x", p
    yield "curl -u 'bob:" + p + "' http://x", p
    yield 'curl -H "X-Api-Key: ' + (t := h(32)) + '" x', t
    yield 'curl -H "apikey: ' + (t := make.key(40)) + '" x', t
    yield "curl -b 'session=" + (t := make.key(40)) + "' https://x", t
    yield "wget --header='Authorization: Bearer " + (t := make.key(40)) + "'", t
    yield "http GET x Authorization:'Token " + (t := h(40)) + "'", t
    yield "Authorization: Bearer\n " + (t := make.key(40)), t
    yield "Bearer " + (t := b64(40)), t[:20]
    yield "Proxy-Authorization: Basic " + (t := base64.b64encode(b"al:secretpw").decode()), t
    yield "X-Auth-Token: " + (t := h(32)), t
    yield "X-Vault-Token: " + (t := "hvs." + make.key(24)), t
    yield "PRIVATE-TOKEN: " + (t := make.key(20)), t
    yield "Ocp-Apim-Subscription-Key: " + (t := h(32)), t
    yield "DD-API-KEY: " + (t := h(32)), t
    yield "x-goog-api-key: " + (t := "AIza" + make.key(35)), t
    yield "Cookie: JSESSIONID=" + (t := k("0123456789ABCDEF", 32)), t
    yield "Cookie: auth=" + (t := make.key(30)), t
    yield "document.cookie = 'token=" + (t := make.key(30)) + "; path=/'", t
    yield "Set-Cookie: connect.sid=s%3A" + (t := make.key(32)) + "." + make.key(43) + "; Path=/", t
    yield "ngrok config add-authtoken " + (t := "2" + make.key(26) + "_" + make.key(21)), t


def _variables(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield what services call their keys in the environment and in settings."""
    h, b64 = make.hex, make.b64
    yield "aws configure set aws_secret_access_key " + (t := make.key(40)), t
    yield "aws_secret_access_key = " + (t := make.key(20) + "/" + make.key(19)), t
    yield "AWS_SECRET_ACCESS_KEY: " + (t := make.key(10) + "+" + make.key(29)), t
    yield "secretAccessKey: '" + (t := make.key(40)) + "'", t
    yield "aws_session_token=" + (t := "FwoGZXIvYXdzE" + b64(60)), t[:40]
    yield "heroku config:set SECRET_KEY_BASE=" + (t := h(128)), t
    yield "SECRET_KEY = 'django-insecure-" + (t := make.key(50)) + "'", t
    yield "JWT_SECRET=my-super-secret-jwt-key-2024", "my-super-secret-jwt-key-2024"
    yield "NEXTAUTH_SECRET=" + (t := b64(32)), t[:30]
    yield "ENCRYPTION_KEY=" + (t := b64(32)), t[:30]
    yield "FERNET_KEY=" + (t := make.b64(32)), t[:30]
    yield "STRIPE_SECRET_KEY=sk_live_" + (t := make.key(24)), t
    yield "SENDGRID_API_KEY=SG." + (t := make.key(22)) + "." + make.key(43), t
    yield "TWILIO_AUTH_TOKEN=" + (t := h(32)), t
    yield "TWILIO_ACCOUNT_SID=AC" + h(32) + " TWILIO_AUTH_TOKEN=" + (t := h(32)), t
    yield "MAILGUN_API_KEY=key-" + (t := h(32)), t
    yield "DATABASE_URL=postgres://u:" + (t := make.key(12)) + "@h:5432/d", t
    yield "REDIS_URL=redis://default:" + (t := make.key(32)) + "@h:6379", t
    yield "SLACK_SIGNING_SECRET=" + (t := h(32)), t
    yield "OPENAI_API_KEY=sk-" + (t := make.key(48)), t
    yield "ANTHROPIC_API_KEY: sk-ant-" + (t := make.key(40)), t
    yield "MISTRAL_API_KEY=" + (t := make.key(32)), t
    yield "COHERE_API_KEY=" + (t := make.key(40)), t
    yield "AZURE_OPENAI_API_KEY=" + (t := h(32)), t
    yield "WANDB_API_KEY=" + (t := h(40)), t
    yield (
        'GOOGLE_APPLICATION_CREDENTIALS_JSON={"private_key": "-----BEGIN PRIVATE KEY-----\\n'
        + (t := b64(48))
        + '\\n-----END PRIVATE KEY-----\\n"}',
        t[:40],
    )


def _tokens_and_links(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield tokens in answers, and links that are keys themselves."""
    k, h = make.of, make.hex
    yield "client_secret=" + (t := make.key(3) + "8Q~" + make.key(34)), t
    yield 'clientSecret: "' + (t := make.key(24)) + '"', t
    yield '"refresh_token":"' + (t := "1//0g" + make.key(60)) + '"', t
    yield '"id_token": "eyJhbGciOiJSUzI1NiJ9.' + (t := make.key(80)) + "." + make.key(80) + '"', t
    yield "access_token=" + (t := make.key(64)) + "&token_type=bearer", t
    yield "#access_token=" + (t := make.key(64)), t
    yield "https://x/reset?token=" + (t := make.key(40)), t
    yield "https://api.x.io/v1?key=" + (t := make.key(32)), t
    yield "https://x/y?apikey=" + (t := h(32)), t
    yield "https://x.com/cb?code=abc&client_secret=" + (t := make.key(32)), t
    yield "https://hooks.slack.com/services/T" + make.key(8) + "/B" + make.key(8) + "/" + (t := make.key(24)), t
    yield (
        "https://outlook.office.com/webhook/"
        + make.uuid()
        + "@"
        + make.uuid()
        + "/IncomingWebhook/"
        + (t := h(32))
        + "/x",
        t,
    )
    yield "https://discordapp.com/api/webhooks/123456789012345678/" + (t := make.key(68)), t
    yield (
        "https://b.s3.amazonaws.com/x?AWSAccessKeyId=AKIA"
        + k(UPPER, 16)
        + "&Signature="
        + (t := make.key(27))
        + "%3D&Expires=1",
        t,
    )
    yield "https://storage.googleapis.com/b/o?X-Goog-Signature=" + (t := h(128)), t
    yield "https://x.blob.core.windows.net/c/b?se=2026&sp=r&sv=2021&sr=b&sig=" + (t := make.key(30)) + "%3D", t


def _keys_in_files(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield private keys, and files that keep credentials."""
    k, h, b64 = make.of, make.hex, make.b64
    yield "-----BEGIN PRIVATE KEY-----\n" + (t := b64(48)) + "\n-----END PRIVATE KEY-----", t
    yield "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + (t := b64(48)) + "\n-----END ENCRYPTED PRIVATE KEY-----", t
    yield "-----BEGIN DSA PRIVATE KEY-----\\n" + (t := b64(48)) + "\\n-----END DSA PRIVATE KEY-----", t
    yield (
        "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,AB\r\n\r\n"
        + (t := b64(48))
        + "\r\n-----END RSA PRIVATE KEY-----",
        t,
    )
    yield 'export KEY="-----BEGIN EC PRIVATE KEY-----\n' + (t := b64(48)) + '\n-----END EC PRIVATE KEY-----"', t
    yield (
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\n"
        + (t := b64(48))
        + "\nPrivate-MAC: "
        + h(40),
        t,
    )
    yield "AGE-SECRET-KEY-1" + (t := k("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)), t
    yield "kubectl create secret generic x --from-literal=password=S3cr3tz", "S3cr3tz"
    yield "kubectl config set-credentials u --token=" + (t := make.key(40)), t
    yield "client-key-data: " + (t := b64(300)), t[:50]
    yield "    token: eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9." + (t := make.key(60)) + "." + make.key(60), t
    yield '"auths": {"reg": {"auth": "' + (t := base64.b64encode(b"user:pass1234").decode()) + '"}}', t
    yield '"auth": "' + (t := base64.b64encode(b"someuser:somepassword").decode()) + '"', t
    yield "//npm.pkg.github.com/:_authToken=ghp_" + (t := make.key(36)), t
    yield "_password=" + (t := base64.b64encode(b"pw123456").decode()), t
    yield "password = pypi-AgEIcHlwaS5vcmc" + (t := make.key(100)), t
    yield "https://__token__:pypi-AgEIcHlwaS5vcmc" + (t := make.key(100)) + "@upload.pypi.org", t
    yield "machine github.com login x password " + (t := make.key(40)), t


def _source_code(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield credentials in programs, scripts and SQL."""
    yield "echo 'hunter2hunter2' | docker login -u x --password-stdin", "hunter2hunter2"
    yield "sshpass -p 'S3cr3t pw' ssh x", "S3cr3t"
    yield "net user bob S3cr3tPw9 /add", "S3cr3tPw9"
    yield "$cred = ConvertTo-SecureString 'S3cr3tPw9' -AsPlainText -Force", "S3cr3tPw9"
    yield '$env:API_KEY = "' + (t := make.key(32)) + '"', t
    yield "setx OPENAI_KEY " + (t := "sk-proj-" + make.key(40)), t
    yield "os.environ['API_KEY'] = '" + (t := make.key(32)) + "'", t
    yield 'openai.api_key = "' + (t := make.key(40)) + '"', t
    yield "client = OpenAI(api_key='" + (t := make.key(40)) + "')", t
    yield "requests.get(u, auth=('bob', 'S3cr3tPw9'))", "S3cr3tPw9"
    yield "requests.get(u, headers={'Authorization': 'Bearer " + (t := make.key(40)) + "'})", t
    yield "psycopg2.connect(host='h', user='u', password='S3cr3tPw9')", "S3cr3tPw9"
    yield "define('DB_PASSWORD', 'S3cr3tPw9');", "S3cr3tPw9"
    yield "$password = 'S3cr3tPw9';", "S3cr3tPw9"
    yield 'String password = "S3cr3tPw9";', "S3cr3tPw9"
    yield 'private static final String API_KEY = "' + (t := make.key(32)) + '";', t
    yield ":password => 'S3cr3tPw9'", "S3cr3tPw9"
    yield "password: S3cr3tPw9 # rotate", "S3cr3tPw9"
    yield "ALTER USER x WITH PASSWORD 'S3cr3tPw9'", "S3cr3tPw9"
    yield 'ALTER USER x IDENTIFIED BY "S3cr3tPw9"', "S3cr3tPw9"
    yield "SET PASSWORD FOR x = 'S3cr3tPw9'", "S3cr3tPw9"
    yield "bob:$6$abc$" + (t := make.key(86)) + ":18000:", t
    yield "bob:$apr1$abcdefgh$" + (t := make.key(22)), t


def _numbers_of_people(_make: Maker) -> Iterator[tuple[str, str]]:
    """Yield codes, cards, accounts and words that open a wallet."""
    yield "one-time code: 482913", "482913"
    yield "Your verification code is 482913", "482913"
    yield "OTP: 482913", "482913"
    yield "CVV: 123", "123"
    yield "PIN: 4821", "4821"
    yield "totp secret: JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PXP"
    yield "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=y", "JBSWY3DPEHPK3PXP"
    yield (
        'seed phrase: "abandon ability able about above absent absorb abstract absurd abuse access accident"',
        "absent absorb",
    )
    yield (
        "mnemonic = abandon ability able about above absent absorb abstract absurd abuse access accident",
        "absent absorb",
    )
    yield "Card: 4242 4242 4242 4242 exp 12/27", "4242 4242 4242"
    yield "card number 4242424242424242", "4242424242424242"
    yield '{"card": {"number": "4242424242424242", "cvc": "123"}}', "4242424242424242"
    yield "5555-5555-5555-4444", "5555-4444"
    yield "378282246310005", "378282246310005"
    yield "6011 1111 1111 1117", "1111 1117"
    yield "3530111333300000", "3530111333300000"
    yield "30569309025904", "30569309025904"
    yield "GB29 NWBK 6016 1331 9268 19", "NWBK 6016"
    yield "GB29NWBK60161331926819", "NWBK60161331926819"
    yield "FR14 2004 1010 0505 0001 3M02 606", "1010 0505"
    yield "IBAN: NL91ABNA0417164300", "ABNA0417164300"
    yield "social security number: 078-05-1120", "078-05-1120"
    yield "SSN: 078051120", "078051120"
    yield "my ssn is 078-05-1120", "078-05-1120"


def _other_languages(_make: Maker) -> Iterator[tuple[str, str]]:
    """Yield the word for it in other languages."""
    yield "Passwort lautet Geheim123!", "Geheim123"
    yield "Kennwort: Geheim123", "Geheim123"
    yield "contraseña=Secreto123", "Secreto123"
    yield "La contraseña es Secreto123", "Secreto123"
    yield "mot de passe: Azerty123", "Azerty123"
    yield "le mot de passe est Azerty123", "Azerty123"
    yield "пароль: Qwerty123", "Qwerty123"
    yield "パスワード: Himitsu99", "Himitsu99"
    yield "密码是 Mima1234", "Mima1234"
    yield "비밀번호: Bimil1234", "Bimil1234"
    yield "senha=Segredo123", "Segredo123"
    yield "wachtwoord: Geheim123", "Geheim123"
    yield "hasło: Tajne123", "Tajne123"


def _by_name(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield what a name beside it makes a secret."""
    k, h, b64 = make.of, make.hex, make.b64
    yield "api_secret: " + (t := make.key(32)), t
    yield "apiSecret='" + (t := make.key(32)) + "'", t
    yield "consumer_secret=" + (t := make.key(50)), t
    yield "access_token_secret=" + (t := make.key(45)), t
    yield "x-amz-security-token: " + (t := b64(100)), t[:50]
    yield "webhook_secret: whsec_" + (t := make.key(32)), t
    yield "signing_secret = " + (t := h(32)), t
    yield "bot_token: " + (t := make.key(60)), t
    yield "Discord token: MTA" + (t := make.key(21) + ".GabcdE." + make.key(38)), t
    yield "deploy token " + (t := make.key(20)), t
    yield "the token is " + (t := make.key(32)), t
    yield "Use this token: " + (t := make.key(32)), t
    yield "credentials: bob:S3cr3tPw9", "S3cr3tPw9"
    yield "creds = ('bob', 'S3cr3tPw9')", "S3cr3tPw9"
    yield "License key: " + (t := "-".join(k(UPPER + DIGITS, 5) for _ in range(5))), t
    yield "activation_key=" + (t := k(UPPER + DIGITS, 25)), t


def _nested(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield secrets in JSON, in a repr and between quotes."""
    h = make.hex
    yield json.dumps({"env": [{"name": "DB_PASSWORD", "value": "swordfish9"}]}), "swordfish9"
    yield json.dumps([["Authorization", "Bearer " + (t := make.key(30))]]), t
    yield json.dumps({"headers": [{"key": "x-api-key", "value": (t := h(32))}]}), t
    yield json.dumps({"a": json.dumps({"headers": {"Cookie": "sid=" + (t := make.key(30))}})}), t
    yield repr({"password": "S3cr3tPw9"}), "S3cr3tPw9"
    yield repr(b"password=S3cr3tPw9"), "S3cr3tPw9"
    yield "User(name='bob', password='S3cr3tPw9')", "S3cr3tPw9"
    yield "User(name='bob', password=SecretStr('S3cr3tPw9'))", "S3cr3tPw9"
    yield "password%3DS3cr3tPw9%26x", "S3cr3tPw9"
    yield 'PASSWORD="S3cr3t Pw9"', "S3cr3t Pw9"
    yield "pass_phrase: Corr3ctHorse", "Corr3ctHorse"
    yield "secret: " + (t := make.key(24)), t
    yield "The secret is " + (t := make.key(24)), t
    yield "secret=" + (t := make.key(16)), t
    yield "SECRET: hunter2", "hunter2"


def _by_form(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield tokens that are known by their form alone."""
    k, h = make.of, make.hex
    yield "ghp_" + (t := make.key(36)) + ".", t
    yield "(ghp_" + (t := make.key(36)) + ")", t
    yield "token=ghp_" + (t := make.key(36)) + "&x", t
    yield "%22ghp_" + (t := make.key(36)) + "%22", t
    yield "git push https://ghp_" + (t := make.key(36)) + "@github.com/x/y", t
    yield "glpat-" + (t := make.key(20)), t
    yield "xoxb-" + k(DIGITS, 12) + "-" + k(DIGITS, 12) + "-" + (t := make.key(24)), t
    yield "npm_" + (t := make.key(36)), t
    yield "dckr_pat_" + (t := make.key(27)), t
    yield "hvs." + (t := make.key(90)), t
    yield "dapi" + (t := h(32)), t
    yield "sk-" + (t := make.key(48)), t
    yield "sk-proj-" + (t := make.key(20) + "_" + make.key(20) + "-" + make.key(20)), t
    yield "xai-" + (t := make.key(80)), t
    yield "gsk_" + (t := make.key(52)), t
    yield "r8_" + (t := make.key(37)), t
    yield "hf_" + (t := k(ALNUM, 34)), t
    yield "pplx-" + (t := make.key(48)), t
    yield "AKIA" + (t := k(UPPER + "234567", 16)), t
    yield "SG." + (t := make.key(22) + "." + make.key(43)), t


def forms(make: Maker) -> Iterator[tuple[str, str]]:
    """Yield texts, each with what must not survive of it."""
    for some in (
        _passwords_and_addresses,
        _commands_and_headers,
        _variables,
        _tokens_and_links,
        _keys_in_files,
        _source_code,
        _numbers_of_people,
        _other_languages,
        _by_name,
        _nested,
        _by_form,
    ):
        yield from some(make)
