"""Secrets whose name does not stand beside them: in tables, statements, arguments by position, links and codes."""

import pytest

from turnspan.recording.secrets.scan import Scan

SECRET = "Kcnvolw!646x"
TOKEN = "D836rQd1p6IAvaCWGW6fweAxu9Jjk1GH"
FOUND = [
    f"| user | password |\n|---|---|\n| bob | {SECRET} |",
    f"+----+----------+\n| id | password |\n+----+----------+\n|  1 | {SECRET} |\n+----+----------+",
    f" id | password \n----+----------\n  1 | {SECRET}\n(1 row)",
    f"id,name,password\n1,bob,x\n2,eve,{SECRET}\n",
    f"INSERT INTO users (name, password) VALUES ('bob', 'x'), ('eve', '{SECRET}')",
    f"smtp.login('bot@x.example', '{SECRET}')",
    f"HTTPBasicAuth('bob', '{SECRET}')",
    f"new PDO('mysql:host=h;dbname=d', 'u', '{SECRET}')",
    f"jwt.encode(payload, '{TOKEN}', algorithm='HS256')",
    f'sql.Open("mysql", "root:{SECRET}@tcp(127.0.0.1:3306)/app")',
    f"twine upload -u __token__ -p {SECRET} dist/*",
    f"lftp -u bob,{SECRET} sftp://h",
    f"net use Z: \\\\srv\\share /user:CORP\\bob {SECRET}",
    f"requirepass {SECRET}\nmaxmemory 100mb",
    f"username admin privilege 15 secret 5 {SECRET}",
    f'The new root password is "{SECRET}".',
    f"Password for the VPN: {SECRET}",
    f"https://app.example/password/reset/{TOKEN}?email=x",
    f"https://x.example/weather?q=Berlin&appid={TOKEN}",
    f"https://hook.eu1.make.com/{TOKEN}",
    f"recovery_codes: ['{TOKEN[:10]}{TOKEN}']",
]
CODES = [
    "482913 is your login code",
    "Your login code is 482913.",
    "G-482913 is your verification code",
    "Your OTP is 482913",
]
KEPT = [
    "| option | default |\n|---|---|\n| password | required |",
    "INSERT INTO users (name, password) VALUES (%s, %s)",
    "password_validators = [MinimumLengthValidator]",
    "https://example.com/reset/how-to-reset-a-router-in-5-steps",
    "12345 is your zip code",
    "Use code FREESHIP2026 for free shipping",
    "mongodb+srv://<username>:<password>@cluster.mongodb.net",
    "requirepass foobared is commented out",
    "DB_PASSWORD=${DB_PASSWORD:?err}",
]


@pytest.fixture(scope="module")
def scan():
    return Scan(secrets=True, cards=True, email=False)


@pytest.mark.parametrize("text", FOUND)
def test_it_is_found_where_only_its_place_tells(scan, text):
    """What a column, a position or a link makes a secret does not stay."""
    shown = scan.text(text)
    assert SECRET not in shown and TOKEN not in shown and "[redacted" in shown


@pytest.mark.parametrize("text", CODES)
def test_a_code_is_found_before_and_behind_what_it_is(scan, text):
    """One-time codes are taken out, whichever way they are said."""
    assert "482913" not in scan.text(text)


@pytest.mark.parametrize("text", KEPT)
def test_what_looks_like_such_a_place_stays(scan, text):
    """Templates, placeholders and prose about them are not touched."""
    assert scan.text(text) == text
