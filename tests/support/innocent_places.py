"""Texts in which nothing is secret, in the same places as those of ``secret_places``, written and measured with them."""

import json
from collections.abc import Callable, Iterator

from support.secret_corpus import ALNUM, DIGITS, HEX, LOWER, UPPER, Maker


def _first_innocent_1(m: Maker) -> Iterator[str]:
    k, h = m.key, m.hex
    yield f"commit {h(40)}\nAuthor: A <a@b.c>"
    yield f"Merge: {h(7)} {h(7)}"
    yield f"index {h(7)}..{h(7)} 100644"
    yield f"sha256:{h(64)}"
    yield f"image: nginx@sha256:{h(64)}"
    yield f'"integrity": "sha512-{m.b64(64)}"'
    yield f"requests==2.32.3 --hash=sha256:{h(64)}"
    yield f'ETag: "{h(32)}"'
    yield f'If-None-Match: W/"{h(16)}"'
    yield f"traceparent: 00-{h(32)}-{h(16)}-01"
    yield f"X-Request-Id: {m.uuid()}"
    yield f"x-amzn-trace-id: Root=1-{h(8)}-{h(24)}"
    yield f"CF-RAY: {h(16)}-FRA"
    yield f"session_id={m.uuid()} turn_id={h(32)}"
    yield f"request_id: req_{h(32)}"
    yield f"arn:aws:iam::{m.of(DIGITS, 12)}:role/deploy"
    yield f"s3://bucket/{m.uuid()}/part-0001.parquet"
    yield "projects/p/secrets/db-password/versions/3"
    yield f"data:image/png;base64,iVBORw0KGgo{m.b64(120)}"
    yield f"-----BEGIN CERTIFICATE-----\n{m.b64(48)}\n-----END CERTIFICATE-----"
    yield f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{k(43)} bob@laptop"
    yield f"-----BEGIN PUBLIC KEY-----\n{m.b64(48)}\n-----END PUBLIC KEY-----"
    yield f"SHA256:{k(43)} bob@laptop (ED25519)"
    yield "password: string; // at least 12 characters"
    yield "password = models.CharField(max_length=128)"
    yield "password: { type: 'string', minLength: 8 }"
    yield "def login(user: str, password: str) -> Token:"
    yield "if password != confirm_password: raise ValueError"
    yield "const token = await getToken(user)"
    yield "token = request.headers.get('Authorization')"
    yield "api_key = os.environ['OPENAI_API_KEY']"
    yield "api_key: ${{ secrets.API_KEY }}"
    yield "password: {{ vault_db_password }}"
    yield "password = var.db_password"
    yield 'password = "${random_password.db.result}"'
    yield "password = data.aws_secretsmanager_secret_version.db.secret_string"
    yield "PGPASSWORD=$DB_PASSWORD psql -h h"
    yield "mysql -u root -p app < dump.sql"
    yield 'curl -H "Authorization: Bearer $TOKEN" https://x'
    yield 'curl -u "$USER:$PASS" https://x'
    yield "export TOKEN=$(gh auth token)"
    yield "docker login -u u --password-stdin"
    yield "Authorization: Bearer <token>"
    yield "Authorization: Basic <base64 of user:password>"
    yield "The password must contain a digit and a symbol."
    yield "Forgot your password? Click here to reset it."
    yield "Tokens: 1024 in, 256 out"
    yield "max_tokens=4096, temperature=0.2"
    yield '{"prompt_tokens": 812, "completion_tokens": 64, "total_tokens": 876}'
    yield '{"usage": {"input_tokens": 12, "cache_read_input_tokens": 4000}}'


def _first_innocent_2(m: Maker) -> Iterator[str]:
    k, h = m.key, m.hex
    yield "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')"
    yield "The secret of good soup is patience."
    yield "Secret Manager is a service that stores API keys, passwords and certificates."
    yield "key: value"
    yield "primary_key=True, foreign_key='users.id'"
    yield "sort_key=lambda item: item.created_at"
    yield "Press any key to continue..."
    yield "KeyError: 'password'"
    yield "ValidationError: field 'token' is required"
    yield "401 Unauthorized: invalid API key provided"
    yield 'error: secret "db-credentials" not found'
    yield "kubectl get secret db-credentials -o yaml"
    yield "CREATE TABLE users (id uuid, password_hash text, token_version int)"
    yield "SELECT user, authentication_string FROM mysql.user"
    yield "GRANT SELECT ON app.* TO 'bob'@'%'"
    yield "ALTER USER bob WITH PASSWORD NULL"
    yield "feat(auth): rotate the token signing key every 24 h (#4182)"
    yield "TODO: move password to the vault before release 2.4.1"
    yield "src/auth/password_reset_token.py:42: in create_token"
    yield "tests/test_password.py::test_password_is_hashed PASSED"
    yield "import { SecretClient } from '@azure/keyvault-secrets'"
    yield "from cryptography.fernet import Fernet; key = Fernet.generate_key()"
    yield "passwordInput.addEventListener('change', onPasswordChange)"
    yield '<input type="password" name="password" autocomplete="current-password">'
    yield '<label for="api-key">API key</label>'
    yield "csrf_token: {{ csrf_token() }}"
    yield "password_policy: { min_length: 14, max_age_days: 90 }"
    yield "token_endpoint: https://login.example.com/oauth2/token"
    yield "authorization_endpoint = https://accounts.google.com/o/oauth2/v2/auth"
    yield "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fx%2Fcb"
    yield "token_type: bearer, expires_in: 3600, scope: openid profile"
    yield "secretKeyRef:\n  name: db\n  key: password"
    yield "imagePullSecrets:\n  - name: regcred"
    yield "valueFrom: { secretKeyRef: { name: api, key: token } }"
    yield "public_key_id: 568250167242549743"
    yield f"cursor: {m.b64(24)}"
    yield f"next_page_token={k(64)}"
    yield f"idempotency-key: {m.uuid()}"
    yield f"cache_key=v2:{h(40)}"
    yield f"partition_key = {h(16)}"
    yield f"client_id={m.of(DIGITS, 12)}-{m.of(LOWER + DIGITS, 32)}.apps.googleusercontent.com"
    yield f"0x{h(40)}"
    yield f"tx {h(64)} confirmed in block 19283746"
    yield f"bc1q{m.of(LOWER + DIGITS, 38)}"
    yield f"MAC 52:54:00:{h(2)}:{h(2)}:{h(2)}"
    yield f"fe80::{h(4)}:{h(4)}:{h(4)}:{h(4)}"
    yield f"BuildID[sha1]={h(40)}"
    yield f"webpack chunk main.{h(20)}.js"
    yield f"GET /static/js/{h(8)}.chunk.js 304"
    yield f"device serial C02{m.of(UPPER + DIGITS, 9)}"


def _first_innocent_3(m: Maker) -> Iterator[str]:
    yield f"order 2026-{m.of(DIGITS, 8)}, tracking 1Z{m.of(UPPER + DIGITS, 16)}"
    yield f"doi:10.1145/{m.of(DIGITS, 7)}.{m.of(DIGITS, 7)}"


def _second_innocent_1(m: Maker) -> Iterator[str]:
    k, h = m.key, m.hex
    yield f"HEAD is now at {h(9)} Fix the token refresh"
    yield f"gpg: Signature made with RSA key {h(40).upper()}"
    yield f"git cherry-pick {h(40)}"
    yield f"go.sum: github.com/x/y v1.2.3 h1:{m.b64(32)}"
    yield f"yarn lock checksum: 10/{h(128)}"
    yield f'Cargo.lock checksum = "{h(64)}"'
    yield f"nix hash sha256-{m.b64(32)}"
    yield f'poetry.lock content-hash = "{h(64)}"'
    yield f"Digest: sha-256={m.b64(32)}"
    yield f"Content-MD5: {m.b64(16)}"
    yield f"b3-{h(32)}-{h(16)}-1"
    yield f"uber-trace-id: {h(16)}:{h(16)}:0:1"
    yield f"spanId={h(16)} traceId={h(32)}"
    yield f"correlation_id={m.uuid()}"
    yield f"job 01J{m.of(UPPER + DIGITS, 23)} finished"
    yield f"message_id: <{h(16)}.{h(8)}@mail.example.com>"
    yield f"chatcmpl-{k(29)}"
    yield f"call_{k(24)}"
    yield f"msg_01{k(22)}"
    yield f"toolu_01{k(22)}"
    yield f"thread_{k(24)} run_{k(24)}"
    yield f"file-{k(24)}"
    yield f"resp_{h(48)}"
    yield f"vpc-{h(17)} subnet-{h(17)} sg-{h(17)} i-{h(17)}"
    yield f"arn:aws:kms:eu-west-1:{m.of(DIGITS, 12)}:key/{m.uuid()}"
    yield f"arn:aws:secretsmanager:eu-west-1:{m.of(DIGITS, 12)}:secret:prod/db-{k(6)}"
    yield f"/subscriptions/{m.uuid()}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"
    yield f"tenant_id = {m.uuid()}"
    yield f"zone_id: {h(32)}"
    yield f"org-{k(24)}"
    yield f"proj_{k(24)}"
    yield f"data:font/woff2;base64,d09GMgABAAAAA{m.b64(120)}"
    yield f"<svg>{m.of(DIGITS, 3)}</svg> <img src='data:image/gif;base64,R0lGOD{m.b64(60)}'>"
    yield f"-----BEGIN CERTIFICATE REQUEST-----\n{m.b64(48)}\n-----END CERTIFICATE REQUEST-----"
    yield f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{k(300)} ci@host"
    yield f"MD5:{':'.join(h(2) for _ in range(16))}"
    yield f"known_hosts: github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI{k(60)}"
    yield f"X.509 serial {':'.join(h(2) for _ in range(20))}"
    yield f"kid: {k(43)}"
    yield f'{{"kty":"RSA","e":"AQAB","use":"sig","kid":"{h(40)}","n":"{m.safe(342)}"}}'
    yield "type Credentials struct { Username, Password string }"
    yield "interface Props { password: string; onSubmit: () => void }"
    yield "let password = String::new();"
    yield 'password := r.FormValue("password")'
    yield 'String password = request.getParameter("password");'
    yield "$password = $_POST['password'];"
    yield "password = getpass.getpass('Password: ')"
    yield "Password: "
    yield "Enter passphrase (empty for no passphrase):"
    yield "secret = secrets.token_hex(32)"


def _second_innocent_2(m: Maker) -> Iterator[str]:
    k = m.key
    yield "token = jwt.encode(payload, settings.SECRET_KEY, algorithm='HS256')"
    yield "api_key=settings.openai_api_key.get_secret_value()"
    yield "headers = {'Authorization': f'Bearer {token}'}"
    yield "headers: { Authorization: `Bearer ${accessToken}` }"
    yield 'req.Header.Set("Authorization", "Bearer "+token)'
    yield "auth: (username, password)"
    yield "AWS_SECRET_ACCESS_KEY: !Ref SecretKey"
    yield "password: !vault |"
    yield "token: ENC[AES256_GCM,data:...]"
    yield "POSTGRES_PASSWORD_FILE=/run/secrets/postgres_password"
    yield "--password-file ~/.vault_pass"
    yield "ssh -i ~/.ssh/id_ed25519 bob@host"
    yield "kubectl create token build-robot --duration 10m"
    yield "vault kv get -field=password secret/db"
    yield "op read op://Private/db/password"
    yield "gcloud secrets versions access latest --secret=db-password"
    yield "aws secretsmanager get-secret-value --secret-id prod/db"
    yield "az keyvault secret show --name db-password --vault-name v"
    yield "chpasswd < users.txt"
    yield "passwd: password updated successfully"
    yield "Changing password for user bob."
    yield "Last password change: Nov 03, 2026"
    yield "sudo: a password is required"
    yield "Access denied for user 'root'@'localhost' (using password: YES)"
    yield 'FATAL: password authentication failed for user "app"'
    yield "NOAUTH Authentication required."
    yield "invalid_grant: token has been expired or revoked"
    yield "JWT expired at 2026-11-03T10:00:00Z"
    yield "Token count: 512, budget: 8192 tokens"
    yield "tokens_per_second: 83.2, token_budget: 20000"
    yield "next token probability 0.93; top_p=0.9; stop_token=<|end|>"
    yield "special_tokens_map: {'pad_token': '[PAD]', 'eos_token': '</s>'}"
    yield "num_attention_heads: 12, key_dim: 64, value_dim: 64"
    yield "keyboard shortcut: Ctrl+Shift+K opens the key bindings"
    yield "The key idea of chapter 3 is that keys are unique."
    yield "What is the difference between a token and a session cookie?"
    yield "Please write a function that validates a password with a regular expression."
    yield "Our auditors ask who may rotate the signing key, and how often."
    yield "cookie: the browser sends cookies back with each request"
    yield "Accept cookies? Cookie settings, cookie policy"
    yield "pin: 4 digits, shown once"
    yield "git commit -m 'Remove hard-coded password'"
    yield "pass: 112, fail: 3, skip: 9"
    yield "test_secret_santa.py::test_pairs_are_secret PASSED"
    yield "access_level=admin, key_rotation_days=30"
    yield "private_key_path: /etc/ssl/private/server.key"
    yield "ssl_certificate_key /etc/nginx/tls.key;"
    yield "encryption_key_arn=alias/prod"
    yield "public_token, item_id = exchange(link)"
    yield f"page=2&cursor={k(40)}"


def _second_innocent_3(m: Maker) -> Iterator[str]:
    h = m.hex
    yield f"continuation: {m.b64(48)}"
    yield f"ISBN 978-3-16-148410-0, VAT DE{m.of(DIGITS, 9)}"
    yield f"fingerprint={h(32)} score=0.82"
    yield f"blob {m.of(HEX, 64)} 4096 bytes"
    yield f"nonce={m.of(ALNUM, 16)}' in the CSP header"
    yield json.dumps({"id": m.uuid(), "etag": h(32), "token_count": 7})


def _third_innocent(m: Maker) -> Iterator[str]:
    h = m.hex
    yield from [
        "password field is empty",
        "pass 3 of 5",
        "the pass rate is 87%",
        "token bucket: 100 per second",
        "a bearer of bad news",
        "keystore.type=PKCS12",
        "key = hash(name)",
        "await page.fill('#password', password)",
        "driver.find_element(By.NAME, 'password').click()",
        "session.auth = (user, pw)",
        "Credentials(username, password)",
        "secrets: inherit",
        "secrets:\n  - db-password\n  - api-token",
        "secrets:\n  db:\n    external: true",
        "- name: PATH\n  value: /usr/local/bin",
        "- name: GITHUB_TOKEN\n  valueFrom: x",
        'variable "password" {\n  type = string\n  sensitive = true\n}',
        'variable "region" {\n default = "eu-west-1"\n}',
        "openssl enc -d -in a -k $PASS",
        "sqlplus / as sysdba",
        "sqlplus user@ORCL",
        "ssh bob@host.example",
        "scp a.txt bob@host:/tmp/",
        "rsync -av a bob@h:b",
        "ftp ftp.example.com",
        "ldap://ldap.example.com/dc=x,dc=y",
        "credentials: none / anonymous",
        "credentials: see vault",
        "Fernet(key)",
        "AES.new(key, AES.MODE_GCM)",
        "bcrypt.compare(password, hash)",
        "password was changed on 2026-11-03",
        "password has been reset for user 42",
        "password is generated by the server",
        "the RSA key is 4096 bits",
        "public key 3 of 4",
        "curl --user bob https://x",
        "twilio.rest.Client(sid, token)",
        "signtool sign /a a.exe",
        "secretary: Ms. Jones",
        "keynote at 10:00",
        "monkey=1",
        "tokenize('a b c')",
        "passage=12",
        "compass: N 34",
        "bypass=true",
        f"sha1 {h(40)}",
        f"build {h(8)}-{h(4)}",
        f"layer {h(12)}: Pull complete",
        f"secrets:\n  checksum/{h(8)}: done",
    ]


_PARTS: dict[str, list[Callable[[Maker], Iterator[str]]]] = {
    "first": [_first_innocent_1, _first_innocent_2, _first_innocent_3],
    "second": [_second_innocent_1, _second_innocent_2, _second_innocent_3],
    "third": [_third_innocent],
}


def innocent_in_places(m: Maker, part: str) -> Iterator[str]:
    """Yield texts in which nothing is secret."""
    for some in _PARTS[part]:
        yield from some(m)
