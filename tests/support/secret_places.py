"""More secrets and innocent texts, in files, commands, logs, programs and answers as agents read them.

Three parts, each written before it was measured, and measured before anything was mended from it: of the first 93 % were
found then and no innocent text was altered, of the second 88 % and 1.9 %, of the third, the hardest, 78 % and 2 %.
"""

import base64
import json
from collections.abc import Iterator

from support.secret_corpus import ALNUM, DIGITS, HEX, LOWER, UPPER, Maker

PARTS = ("first", "second", "third")


def _basic(m: Maker) -> str:
    return base64.b64encode(f"{m.of(LOWER, 6)}:{m.password()}".encode()).decode()


def secrets_in_places(m: Maker, part: str) -> Iterator[tuple[str, str]]:
    """Yield texts, each with what must not survive of it."""
    yield from {"first": _first, "second": _second, "third": _third}[part](m)


def _first(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
    # HCL, YAML, INI, properties, XML
    yield f'resource "aws_db_instance" "d" {{\n  username = "adm"\n  password = "{(t := p())}"\n}}', t
    yield f'variable "db_password" {{\n  default = "{(t := p())}"\n}}', t
    yield f'provider "datadog" {{\n  api_key = "{(t := h(32))}"\n  app_key = "{(t2 := h(40))}"\n}}', t2
    yield f"spring.datasource.password={(t := p())}\nspring.datasource.username=sa", t
    yield f"spring:\n  datasource:\n    url: jdbc:postgresql://h/d\n    password: {(t := p())}\n", t
    yield f"[client]\nuser=root\npassword={(t := p())}\nhost=db", t
    yield f"[default]\naws_access_key_id = AKIA{k(16).upper()}\naws_secret_access_key = {(t := k(40))}", t
    yield f'<add name="Db" connectionString="Server=s;Database=d;User Id=u;Password={(t := p())};Encrypt=true" />', t
    yield f"<server><id>nexus</id><username>u</username><password>{(t := p())}</password></server>", t
    yield f'<property name="hibernate.connection.password" value="{(t := p())}"/>', t
    yield (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  password: {(t := base64.b64encode(p().encode()).decode())}",
        t,
    )
    yield f"apiVersion: v1\nkind: Secret\nstringData:\n  DB_PASS: {(t := p())}", t
    yield f"services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD={(t := p())}\n      - POSTGRES_USER=u", t
    yield f"services:\n  db:\n    environment:\n      MYSQL_ROOT_PASSWORD: {(t := p())}\n", t
    yield f"  with:\n    token: {(t := 'ghp_' + k(36))}", t
    yield f"helm install x --set auth.password={(t := p())} bitnami/postgresql", t
    yield f"ansible_become_pass: {(t := p())}", t
    yield f"ansible_ssh_pass={(t := p())}", t
    yield f"vault_root_token: {(t := 's.' + k(24))}", t
    yield f"export VAULT_TOKEN=s.{(t := k(24))}", t
    yield f"Unseal Key 1: {(t := m.b64(33))}", t
    yield f"Initial Root Token: {(t := 'hvs.' + k(24))}", t
    # Connection strings
    yield (
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={(t := m.b64(64))};EndpointSuffix=core.windows.net",
        t,
    )
    yield f"Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={(t := m.b64(32))}", t
    yield f"HostName=hub.azure-devices.net;DeviceId=d;SharedAccessKey={(t := m.b64(32))}", t
    yield f"AccountEndpoint=https://x.documents.azure.com:443/;AccountKey={(t := m.b64(64))};", t
    yield f"Server=tcp:s.database.windows.net,1433;User ID=u;Password={(t := p())};Trusted_Connection=False;", t
    yield f"host=db port=5432 dbname=app user=u password={(t := p())} sslmode=require", t
    yield f"jdbc:mysql://h:3306/d?user=u&password={(t := p())}&useSSL=true", t
    yield f"jdbc:oracle:thin:scott/{(t := p())}@//h:1521/X", t
    yield f"jdbc:sqlserver://h:1433;databaseName=d;user=sa;password={(t := p())};", t
    yield f"sqlplus system/{(t := p())}@ORCL", t
    yield f"mongosh 'mongodb://root:{(t := p())}@m1:27017,m2:27017/?replicaSet=r'", t
    yield f"clickhouse-client --host h --user default --password {(t := p())}", t
    yield f"snowsql -a acc -u u; export SNOWSQL_PWD={(t := p())}", t
    yield f"amqps://svc:{(t := p())}@b-1.mq.eu:5671/%2f", t
    yield f"smtp://apikey:{(t := 'SG.' + k(22) + '.' + k(43))}@smtp.sendgrid.net:587", t
    yield f"ldap://cn=admin,dc=x:{(t := p())}@ldap:389", t
    yield f"ftp://deploy:{(t := p())}@ftp.example.com/www", t
    yield f"sftp deploy:{(t := p())}@host.example", t
    yield f"rsync://backup:{(t := p())}@h/module", t
    yield f"elasticsearch: https://elastic:{(t := p())}@es:9200", t
    # Shell
    yield f"curl -sS -X POST https://api.x.io/v1 -H 'X-Auth-Key: {(t := h(37))}' -H 'X-Auth-Email: a@b.c'", t
    yield f"curl https://api.x.io -H 'Authorization: ApiKey {(t := m.b64(45))}'", t
    yield f"curl https://api.x.io -H 'Authorization: GenieKey {(t := m.uuid())}'", t
    yield f"curl -H 'Authorization: Token token={(t := k(20))}' https://api.pagerduty.com", t
    yield f"curl --oauth2-bearer {(t := k(40))} https://x", t
    yield f"curl --proxy-user me:{(t := p())} -x proxy:3128 https://x", t
    yield f"curl -F 'api_token={(t := k(32))}' https://x", t
    yield f"curl -d 'client_id=a&client_secret={(t := k(32))}&grant_type=client_credentials' https://x/token", t
    yield f"""curl --data '{{"username":"u","password":"{(t := p())}"}}' https://x/login""", t
    yield f"wget --user=u --password='{(t := p())}' https://x/f", t
    yield f"http -a u:{(t := p())} https://x", t
    yield f"htpasswd -b .htpasswd bob {(t := p())}", t
    yield f"echo '{(t := p())}' | sudo -S apt update", t
    yield f"openssl enc -aes-256-cbc -k {(t := p())} -in a -out b", t
    yield f"openssl rsa -in k.pem -passin pass:{(t := p())}", t
    yield f"gpg --batch --passphrase {(t := p())} -d f.gpg", t
    yield f"unzip -P {(t := p())} a.zip", t
    yield f"7z x -p{(t := p())} a.7z", t
    yield f"mysqldump --password={(t := p())} db", t
    yield f"az login --service-principal -u app -p {(t := k(3) + '8Q~' + k(34))} --tenant t", t
    yield f"az storage blob list --account-key {(t := m.b64(64))}", t
    yield f"gh auth login --with-token <<< {(t := 'gho_' + k(36))}", t
    yield f"npm config set //registry.npmjs.org/:_authToken {(t := m.uuid())}", t
    yield f"twine upload -u __token__ -p {(t := 'pypi-AgEIcHlwaS5vcmc' + k(90))} dist/*", t
    yield f"helm registry login r.io -u u -p {(t := p())}", t
    yield f"wp user create bob bob@x.io --user_pass={(t := p())}", t
    yield f"set -x DATADOG_API_KEY {(t := h(32))}", t
    yield f"kubectl create secret docker-registry r --docker-password={(t := p())}", t
    yield f"ssh-keygen -t ed25519 -N '{(t := p())}' -f k", t
    # Services whose keys have no fixed part: by the name beside it
    for name in ("ALGOLIA_ADMIN_KEY", "CLOUDINARY_API_SECRET", "PUSHER_SECRET", "SEGMENT_WRITE_KEY", "AMPLITUDE_API_KEY",
                 "MIXPANEL_TOKEN", "ROLLBAR_ACCESS_TOKEN", "BUGSNAG_API_KEY", "FASTLY_API_TOKEN", "HEROKU_API_KEY",
                 "TRAVIS_TOKEN", "CODECOV_TOKEN", "PERCY_TOKEN", "PUSHOVER_TOKEN", "TWITCH_CLIENT_SECRET"):  # fmt: skip
        yield f"{name}={(t := h(32))}", t
    # Code
    yield f'boto3.client("s3", aws_access_key_id="x", aws_secret_access_key="{(t := k(40))}")', t
    yield f'new Pool({{ user: "u", password: "{(t := p())}", host: "h" }})', t
    yield f'mysqli_connect("localhost", "root", "{(t := p())}", "app");', t
    yield f'DriverManager.getConnection(url, "sa", "{(t := p())}");', t
    yield f'smtp.login("me@x.io", "{(t := p())}")', t
    yield f'Fernet(b"{(t := m.b64(32))}")', t
    yield f'jwt.encode(claims, "{(t := k(40))}", algorithm="HS256")', t
    yield f'hmac.new(b"{(t := k(32))}", body, sha256)', t
    yield f'app.secret_key = b"{(t := k(24))}"', t
    yield f'redis.Redis(host="h", password="{(t := p())}")', t
    # Logs
    yield f"2026-11-03T10:00:00Z INFO login ok user=bob password={(t := p())} ip=10.0.0.1", t
    yield f"DEBUG urllib3: GET /v1/x?api_key={(t := k(32))} HTTP/1.1 200", t
    yield f'10.0.0.1 - - [03/Nov/2026] "GET /cb?access_token={(t := k(40))} HTTP/1.1" 302', t
    yield f"request headers: {{'Authorization': 'Basic {(t := _basic(m))}'}}", t
    yield f"Using secret key {(t := k(40))} for session signing", t
    yield f"WARN generated password for admin: {(t := p())}", t
    yield f"A temporary password is generated for root@localhost: {(t := p() + '!k')}", t
    yield f"Jenkins initial admin password: {(t := h(32))}", t


def _second(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
    yield f'terraform {{ backend "http" {{ username = "u" password = "{(t := p())}" }} }}', t
    yield f'provider "cloudflare" {{\n  api_token = "{(t := m.safe(40))}"\n}}', t
    yield f'provider "github" {{ token = "{(t := k(40))}" }}', t
    yield f"tls_private_key_passphrase: '{(t := p())}'", t
    yield f"quarkus.datasource.password={(t := p())}", t
    yield f"%prod.smallrye.jwt.sign.key={(t := m.b64(32))}", t
    yield f"management.metrics.export.datadog.apiKey={(t := h(32))}", t
    yield f"[mail]\nsmtp_user = a\nsmtp_password = {(t := p())}", t
    yield f"[registry]\ntoken = {(t := k(32))}", t
    yield f'[[source]]\nurl = "https://u:{(t := p())}@pypi.x.io/simple"', t
    yield f"machine api.heroku.com\n  login a@b.c\n  password {(t := m.uuid())}", t
    yield f"db.host:5432:app:svc:{(t := p())}", t
    yield (
        f"<connectionStrings><add connectionString='Data Source=h;Initial Catalog=d;UID=u;PWD={(t := p())}'/></connectionStrings>",
        t,
    )
    yield f'<entry key="smtp.password">{(t := p())}</entry>', t
    yield f"<apiToken>{(t := h(34))}</apiToken>", t
    yield f"env:\n  - name: STRIPE_SECRET\n    value: {(t := k(40))}\n", t
    yield f"secrets:\n  jwt: {(t := k(48))}\n", t
    yield f"credentials:\n  username: u\n  password: >-\n    {(t := p())}\n", t
    yield f"grafana:\n  adminPassword: {(t := p())}", t
    yield f"rabbitmq:\n  auth:\n    erlangCookie: {(t := k(32))}", t
    yield f"minio:\n  rootUser: a\n  rootPassword: {(t := p())}", t
    yield f"basicAuth:\n  username: u\n  password: {(t := p())}\n", t
    yield f"docker run -e MARIADB_ROOT_PASSWORD={(t := p())} -d mariadb", t
    yield f"docker run --env GF_SECURITY_ADMIN_PASSWORD={(t := p())} grafana/grafana", t
    yield f"docker build --build-arg NPM_TOKEN={(t := k(36))} .", t
    yield f"podman login -u u --password {(t := p())} quay.io", t
    yield f"ARG GITHUB_TOKEN={(t := k(40))}", t
    yield f'{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{(t := _basic(m))}"}}}}}}', t
    yield f"postgres://app:{(t := p())}@10.0.0.5/app?sslmode=disable", t
    yield f"cockroachdb://root:{(t := p())}@crdb:26257/d", t
    yield f"mssql+pyodbc://sa:{(t := p())}@h/d?driver=ODBC+Driver+18", t
    yield f"redis+sentinel://:{(t := p())}@s1:26379/mymaster/0", t
    yield f"nats://svc:{(t := p())}@nats:4222", t
    yield f"mqtt://dev:{(t := p())}@broker:1883", t
    yield (
        f'kafka sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="{(t := p())}";',
        t,
    )
    yield f"neo4j: bolt://neo4j:{(t := p())}@g:7687", t
    yield f"Provider=SQLOLEDB;Data Source=h;User ID=u;Password={(t := p())};", t
    yield f"DSN=x;UID=u;PWD={(t := p())};", t
    yield f"odbc: Driver={{PostgreSQL}};Server=h;Uid=u;Pwd={(t := p())};", t
    yield f"SharedAccessSignature sr=x&sig={(t := k(40))}%3D&se=1767225600&skn=p", t
    yield f"InstrumentationKey={m.uuid()};ApiKey={(t := k(40))}", t
    yield f"curl -H 'X-Gitlab-Token: {(t := k(20))}' https://x", t
    yield f"curl -H 'X-Figma-Token: {(t := k(40))}' https://x", t
    yield f"curl -H 'X-Shopify-Access-Token: {(t := k(32))}' https://x", t
    yield f"curl -H 'Api-Token: {(t := k(40))}' https://x", t
    yield f"curl -H 'X-Subscription-Token: {(t := k(31))}' https://api.search.brave.com", t
    yield f"curl -H 'xi-api-key: {(t := h(32))}' https://api.elevenlabs.io", t
    yield f"curl -H 'Authorization: Key {(t := m.uuid() + ':' + h(32))}' https://fal.run", t
    yield f"curl -H 'Authorization: Klaviyo-API-Key {(t := 'pk_' + h(34))}' https://x", t
    yield f"curl -H 'Authorization: Splunk {(t := m.uuid())}' https://x:8088", t
    yield f"curl -H 'Authorization: DeepL-Auth-Key {(t := m.uuid() + ':fx')}' https://x", t
    yield f"curl -H 'Authorization: Discogs token={(t := k(40))}' https://x", t
    yield f"curl -H 'Cookie: _session_id={(t := h(32))}' https://x", t
    yield f"curl 'https://api.telegram.org/bot{(t := m.of(DIGITS, 10) + ':AA' + m.safe(33))}/getMe'", t
    yield f"curl 'https://maps.googleapis.com/maps/api/geocode/json?address=x&key={(t := 'AIza' + k(35))}'", t
    yield f"curl 'https://api.openweathermap.org/data/2.5/weather?q=x&appid={(t := h(32))}'", t
    yield f"curl 'https://api.x.io/v2/items?auth={(t := k(40))}'", t
    yield f"curl 'https://x.io/hook?secret={(t := k(24))}'", t
    yield f"curl --user ':{(t := k(40))}' https://x", t
    yield f"aws configure set aws_session_token {(t := k(120))}", t
    yield f"gcloud auth activate-refresh-token a@b.c {(t := '1//0g' + k(60))}", t
    yield f"doctl auth init -t {(t := 'dop_v1_' + h(64))}", t
    yield f"flyctl deploy --access-token {(t := 'fo1_' + m.safe(43))}", t
    yield f"vercel --token {(t := k(24))} --prod", t
    yield f"netlify deploy --auth {(t := m.safe(43))}", t
    yield f"firebase deploy --token '{(t := '1//0' + k(60))}'", t
    yield f"sentry-cli --auth-token {(t := h(64))} releases list", t
    yield f"snyk auth {(t := m.uuid())}", t
    yield f"heroku authorizations:create; HEROKU_API_KEY={(t := m.uuid())}", t
    yield f"sonar-scanner -Dsonar.login={(t := h(40))}", t
    yield f"mvn deploy -Dpassword={(t := p())}", t
    yield f"gradle publish -PossrhPassword={(t := p())}", t
    yield f"keytool -genkey -keystore k.jks -storepass {(t := p())} -keypass x", t
    yield f"jarsigner -storepass {(t := p())} a.jar k", t
    yield f"signtool sign /f c.pfx /p {(t := p())} a.exe", t
    yield f"Import-PfxCertificate -Password (ConvertTo-SecureString -String '{(t := p())}' -Force -AsPlainText)", t
    yield f"net use Z: \\\\\\\\srv\\\\share /user:dom\\\\bob {(t := p())}", t
    yield f"mount -t cifs //srv/s /mnt -o username=u,password={(t := p())},vers=3.0", t
    yield f"xfreerdp /u:bob /p:{(t := p())} /v:host", t
    yield f"nmcli dev wifi connect Home password {(t := p())}", t
    yield f"ipmitool -I lanplus -H h -U admin -P {(t := p())} chassis status", t
    yield f'psql "host=h user=u password={(t := p())}"', t
    yield f"impacket-secretsdump dom/adm:{(t := p())}@10.0.0.1", t
    for name in ("OKTA_CLIENT_TOKEN", "ZENDESK_API_TOKEN", "FRESHDESK_API_KEY", "INTERCOM_ACCESS_TOKEN", "PINECONE_API_KEY",
                 "WEAVIATE_API_KEY", "QDRANT_API_KEY", "SERPAPI_API_KEY", "DEEPGRAM_API_KEY", "ASSEMBLYAI_API_KEY",
                 "REPLICATE_API_TOKEN", "TOGETHER_API_KEY"):  # fmt: skip
        yield f"{name}: {(t := h(40))}", t
    yield f'Stripe.apiKey = "{(t := k(40))}";', t
    yield f'Twilio.init("AC{h(32)}", "{(t := h(32))}");', t
    yield f'client.login("{(t := "MT" + k(22) + ".Gabcd1." + k(38))}")', t
    yield f'@Value("{(t := k(40))}") private String apiSecret;', t
    yield f'var credential = new NetworkCredential("bob", "{(t := p())}");', t
    yield f'paramiko.connect("h", username="u", password="{(t := p())}")', t
    yield f'session.auth = ("bob", "{(t := p())}")', t
    yield f'crypto.createHmac("sha256", "{(t := k(40))}")', t
    yield f'bcrypt.compare("{(t := p())}", user.passwordHash)', t
    yield f'os.Setenv("AWS_SECRET_ACCESS_KEY", "{(t := k(40))}")', t
    yield f'System.setProperty("javax.net.ssl.keyStorePassword", "{(t := p())}");', t
    yield f'ENV["SECRET_KEY_BASE"] = "{(t := h(128))}"', t
    yield f'level=debug msg="auth" token={(t := k(40))} user=7', t
    yield f"Set-Cookie: remember_token={(t := k(60))}; path=/; HttpOnly", t
    yield f'{{"level":"info","req":{{"headers":{{"authorization":"Bearer {(t := k(60))}"}}}}}}', t
    yield f"Your new API key is {(t := k(40))}. Keep it safe.", t
    yield f"The wifi password is {(t := p())}", t
    yield f"Default credentials: admin / {(t := p())}", t
    yield f"username: admin, password: {(t := p())}", t


def _third(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
    yield f"spring.mail.password: {(t := p())}", t
    yield f"[smtp]\npass = {(t := p())}", t
    yield f'locals {{\n  admin_password = "{(t := p())}"\n}}', t
    yield f"pulumi config set --secret dbPassword {(t := p())}", t
    yield f"chef knife bootstrap h -x u -P {(t := p())}", t
    yield f"smbmap -u bob -p {(t := p())} -H h", t
    yield f"evil-winrm -i h -u adm -p '{(t := p())}'", t
    yield f"mongorestore --uri 'mongodb://a:{(t := p())}@h/d'", t
    yield f"pg_dump postgresql://u:{(t := p())}@h/d > f", t
    yield f"cqlsh -u cassandra -p {(t := p())} h", t
    yield f"influx -username u -password {(t := p())}", t
    yield f"rabbitmqctl add_user bob {(t := p())}", t
    yield f"rabbitmqadmin -u u -p {(t := p())} list queues", t
    yield f"svn co --username u --password {(t := p())} https://x", t
    yield f"git config credential.helper '!f() {{ echo password={(t := k(40))}; }}; f'", t
    yield f"https://oauth2:{(t := 'glpat-' + k(20))}@gitlab.com/a/b.git", t
    yield f"dotnet user-secrets set ConnectionStrings:Db 'Server=s;Password={(t := p())}'", t
    yield f"nuget push a.nupkg -ApiKey {(t := 'oy2' + m.of(LOWER + DIGITS, 43))}", t
    yield f"cargo login {(t := 'cio' + k(32))}", t
    yield f"gem push --key rubygems; :rubygems_api_key: rubygems_{(t := h(48))}", t
    yield f"composer config http-basic.repo.x.io u {(t := k(32))}", t
    yield f"bundle config gems.x.io u:{(t := k(32))}", t
    yield f"pip install --index-url https://u:{(t := k(20))}@x.io/simple p", t
    yield f"cpanel: user=bob&pass={(t := p())}&goto=/", t
    yield f"password_hash: pbkdf2; raw_password='{(t := p())}'", t
    yield f"Auth::attempt(['email' => 'a@b.c', 'password' => '{(t := p())}'])", t
    yield f"page.fill('#password', '{(t := p())}')", t
    yield f"driver.find_element(By.ID, 'password').send_keys('{(t := p())}')", t
    yield f"cy.get('input[name=password]').type('{(t := p())}')", t
    yield f"I typed {(t := p())} into the password field", t
    yield f"axios.post(u, {{ user: 'a', pass: '{(t := p())}' }})", t
    yield f"firebaseConfig = {{ apiKey: '{(t := 'AIza' + k(35))}' }}", t
    yield f"new Octokit({{ auth: '{(t := k(40))}' }})", t
    yield f"const client = new Anthropic({{ apiKey: '{(t := k(48))}' }})", t
    yield f"@app.config['MAIL_PASSWORD'] = '{(t := p())}'", t
    yield f'config.password = "{(t := p())}"', t
    yield f'conn.setRequestProperty("X-API-KEY", "{(t := k(32))}");', t
    yield f"req.headers['x-access-token'] = '{(t := k(40))}'", t
    yield f"set_cookie('session', '{(t := k(40))}')", t
    yield f"localStorage.setItem('token', '{(t := k(60))}')", t
    yield f'SECRET_TOKEN: "{(t := h(64))}"', t
    yield f"The root password for this box is {(t := p())}", t
    yield f"login: bob\npassword: {(t := p())}\n", t
    yield f"user bob pass {(t := p())} works", t
    yield f"pw: {(t := p())}", t
    yield f'ssid=Home psk="{(t := p())}"', t
    yield f"wpa_passphrase={(t := p())}", t
    yield f"<Password>{(t := p())}</Password>", t
    yield f"enable secret 5 $1$ab$c; username adm password 0 {(t := p())}", t
    yield f"snmp-server community {(t := p())} RO", t


def innocent_in_places(m: Maker, part: str) -> Iterator[str]:
    """Yield texts in which nothing is secret, in the same files, commands, logs and programs."""
    yield from {"first": _first_innocent, "second": _second_innocent, "third": _third_innocent}[part](m)


def _first_innocent(m: Maker) -> Iterator[str]:
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
    yield f"order 2026-{m.of(DIGITS, 8)}, tracking 1Z{m.of(UPPER + DIGITS, 16)}"
    yield f"doi:10.1145/{m.of(DIGITS, 7)}.{m.of(DIGITS, 7)}"


def _second_innocent(m: Maker) -> Iterator[str]:
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
