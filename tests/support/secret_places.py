"""More secrets and innocent texts, in files, commands, logs, programs and answers as agents read them.

Three parts, each written before it was measured, and measured before anything was mended from it: of the first 93 % were
found then and no innocent text was altered, of the second 88 % and 1.9 %, of the third, the hardest, 78 % and 2 %.
"""

import base64
from collections.abc import Callable, Iterator

from support.secret_corpus import DIGITS, LOWER, Maker


def _basic(m: Maker) -> str:
    return base64.b64encode(f"{m.of(LOWER, 6)}:{m.password()}".encode()).decode()


def _first_1(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
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
    yield f"curl -sS -X POST https://api.x.io/v1 -H 'X-Auth-Key: {(t := h(37))}' -H 'X-Auth-Email: a@b.c'", t
    yield f"curl https://api.x.io -H 'Authorization: ApiKey {(t := m.b64(45))}'", t


def _first_2(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
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
    for name in ("ALGOLIA_ADMIN_KEY", "CLOUDINARY_API_SECRET", "PUSHER_SECRET", "SEGMENT_WRITE_KEY", "AMPLITUDE_API_KEY",
                 "MIXPANEL_TOKEN", "ROLLBAR_ACCESS_TOKEN", "BUGSNAG_API_KEY", "FASTLY_API_TOKEN", "HEROKU_API_KEY",
                 "TRAVIS_TOKEN", "CODECOV_TOKEN", "PERCY_TOKEN", "PUSHOVER_TOKEN", "TWITCH_CLIENT_SECRET"):  # fmt: skip
        yield f"{name}={(t := h(32))}", t
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
    yield f"2026-11-03T10:00:00Z INFO login ok user=bob password={(t := p())} ip=10.0.0.1", t
    yield f"DEBUG urllib3: GET /v1/x?api_key={(t := k(32))} HTTP/1.1 200", t
    yield f'10.0.0.1 - - [03/Nov/2026] "GET /cb?access_token={(t := k(40))} HTTP/1.1" 302', t
    yield f"request headers: {{'Authorization': 'Basic {(t := _basic(m))}'}}", t
    yield f"Using secret key {(t := k(40))} for session signing", t
    yield f"WARN generated password for admin: {(t := p())}", t
    yield f"A temporary password is generated for root@localhost: {(t := p() + '!k')}", t
    yield f"Jenkins initial admin password: {(t := h(32))}", t


def _second_1(m: Maker) -> Iterator[tuple[str, str]]:
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


def _second_2(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
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


def _second_3(m: Maker) -> Iterator[tuple[str, str]]:
    p, k, h = m.password, m.key, m.hex
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


_PARTS: dict[str, list[Callable[[Maker], Iterator[tuple[str, str]]]]] = {
    "first": [_first_1, _first_2],
    "second": [_second_1, _second_2, _second_3],
    "third": [_third],
}
PARTS = tuple(_PARTS)


def secrets_in_places(m: Maker, part: str) -> Iterator[tuple[str, str]]:
    """Yield texts, each with what must not survive of it."""
    for some in _PARTS[part]:
        yield from some(m)
