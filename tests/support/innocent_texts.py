"""Texts without secrets that a scan must leave alone: what people say, and what machines make."""

import hashlib
import json
from collections.abc import Iterator

from support.secret_corpus import DIGITS, LOWER, UPPER, Maker

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
