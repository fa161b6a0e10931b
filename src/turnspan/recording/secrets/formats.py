r"""The formats of secrets: what providers' keys and tokens look like. Data, and nothing else.

Each is a fact that its provider has published or that is seen in every key of its kind: a fixed part, an alphabet, a
length. The list was checked against those of gitleaks and detect-secrets, whose rules are written for files of source
code, need RE2 or a regex for each rule over each text, and cost seconds for ten megabytes; none of their text is here.

A pattern is applied to JSON-encoded text at a place where one of its ``marks`` stands (found in one pass
over everything), so that what has no mark costs nothing. The match may begin before its mark, by as much as ``before``.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Format(NamedTuple):
    """A kind of secret.

    ``group`` is what is taken out: 0 is the whole match. ``mixed`` are those whose fixed part is so short that words
    have it too: what is behind must look random.
    """

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[bytes]
    before: int = 0
    group: int = 0
    mixed: bool = False


def _format(
    name: str, marks: str, pattern: str, *, before: int = 0, group: int = 0, mixed: bool = False, flags: int = 0
) -> Format:
    return Format(name, tuple(marks.split()), re.compile(pattern.encode(), flags), before, group, mixed)


_ALONE = r"(?<![\w-])"  # where it is weak, too
_KEY = r"(?<![A-Za-z0-9])"  # only where the fixed part is short: keys are glued to words, too

FORMATS: tuple[Format, ...] = (
    # Models
    _format("key", "sk-ant- sk-proj- sk-svcacct- sk-admin- sk-or- sk-lf- pk-lf- sk-None-", r"[sp]k-(?:ant|proj|svcacct|admin|or|lf|None)-[\w-]{16,}"),
    _format("key", "T3BlbkFJ", r"sk-[\w-]{12,}T3BlbkFJ[\w-]{12,}", before=100),
    _format("key", "sk- sk_ pk- pk_ rk- rk_", _ALONE + r"[spr]k[-_](?:(?:live|test|prod|dev)[-_])?(?:[A-Za-z]{1,10}[-_]){0,3}[\w-]{16,}", mixed=True),
    _format("key", "sess- gsk_ xai- pplx- r8_ fw_ tvly- pcsk_ ls__ lsv2_ jina_ csk- nvapi- hf_ voy- pa- tgp_v1_ esk_ vck_ bce-v3/",
            _ALONE + r"(?:sess-|gsk_|xai-|pplx-|r8_|fw_|tvly-(?:dev-|prod-)?|pcsk_|ls__|lsv2_[a-z]{2}_|jina_|csk-|nvapi-|hf_|tgp_v1_|vck_|bce-v3/ALTAK-|pa-)[A-Za-z0-9_-]{18,}(?:/[0-9a-f]{32,})?", mixed=True),
    _format("key", "esecret_ fc- e2b_ bb_live_ apify_api_ napi_ rnd_ ddp_ waka_ secret-", _ALONE + r"(?:esecret_|fc-|e2b_|bb_live_|apify_api_|napi_|rnd_|ddp_|waka_|secret-(?:live-|test-)?)[\w-]{20,}", mixed=True),
    _format("tailscale key", "tskey-", r"tskey-[a-z]+-[\w-]{20,}"),
    _format("firebase key", ":APA91b", r"AAAA[\w-]{7}:APA91b[\w-]{100,}", before=16),
    _format("trello token", "ATTA", _KEY + r"ATTA[0-9a-f]{60,}"),
    _format("backblaze key", "K00", _KEY + r"K00\d[A-Za-z0-9+/]{27}(?![A-Za-z0-9])"),
    _format("akamai token", "akab-", _KEY + r"akab-[a-z0-9]{16}-[a-z0-9]{16}"),
    _format("intercom token", "dG9rO", _KEY + r"dG9rO[A-Za-z0-9+/=]{40,}"),
    _format("pubnub key", "sec-c-", _KEY + r"sec-c-[A-Za-z0-9-]{36,}"),
    _format("onfido token", "api_live api_sandbox", _KEY + r"api_(?:live|sandbox)(?:_\w{2})?\.[\w-]{10,}\.[\w-]{30,}"),
    _format("mollie key", "live_ test_", _ALONE + r"(?:live|test)_[A-Za-z0-9]{30,}", mixed=True),
    _format("azure function key", "azurewebsites.net/", r"azurewebsites\.net/[^\s\"]*?[?&]code=([\w=%/+-]{20,})", group=1),
    _format("key", "api_org_", r"api_org_[A-Za-z]{30,}"),
    # Clouds
    _format("aws key", "AKIA ASIA ABIA ACCA A3T", r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _format("aws session token", "FwoGZXIvYXdz IQoJb3JpZ2lu", r"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9+/=_-]{16,}"),
    _format("aws key", "ABSK bedrock-api-key-", r"(?:ABSK[A-Za-z0-9+/]{80,}={0,2}|bedrock-api-key-[A-Za-z0-9+/=_-]{16,})"),
    _format("aws key", "amzn.mws.", r"amzn\.mws\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _format("google key", "AIza", r"AIza[\w-]{30,}"),
    _format("google token", "ya29.", r"ya29\.[\w.-]{20,}"),
    _format("google token", "1//0", r"(?<![\w/:])1//0[\w-]{20,}"),
    _format("google client secret", "GOCSPX-", r"GOCSPX-[\w-]{20,}"),
    _format("azure client secret", "Q~", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{30,36}", before=6),
    _format("azure signature", "sig=", r"(?i)(?<=[?&;\s])sig=([A-Za-z0-9%+/_=-]{20,})", group=1),
    _format("azure storage key", "permissions", r"permissions\\*\"\s*:\s*\\*\"(?:FULL|Full)\\*\",(?:\s|\\+[nrt])*\\*\"value\\*\"\s*:\s*\\*\"([A-Za-z0-9+/]{86}==)", group=1),
    _format("alibaba key", "LTAI", _KEY + r"LTAI[A-Za-z0-9]{12,26}(?![A-Za-z0-9])"),
    _format("tencent key", "AKID", _KEY + r"AKID[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    _format("yandex key", "AQVN t1. YCA", _KEY + r"(?:AQVN[\w-]{35,38}|YCA[\w-]{36}|t1\.[A-Z0-9a-z_-]+={0,2}\.[A-Z0-9a-z_-]{80,90}={0,2})"),
    _format("digitalocean token", "dop_v1_ doo_v1_ dor_v1_", r"do[por]_v1_[0-9a-f]{40,}"),
    _format("heroku key", "HRKU-", r"HRKU-[\w-]{30,}"),
    _format("cloudflare key", "v1.0-", _KEY + r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}"),
    _format("fly token", "fo1_ fm1r_ fm1a_ fm2_", _KEY + r"(?:fo1_[\w-]{30,}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{60,}={0,3})"),
    _format("netlify token", "nfp_ nfc_ nfo_ nfu_", _KEY + r"nf[pcou]_[A-Za-z0-9]{30,}"),
    _format("supabase token", "sbp_ sb_secret_", _KEY + r"(?:sbp_(?:oauth_)?[0-9a-f]{40}|sb_secret_[\w-]{20,})"),
    _format("planetscale key", "pscale_", r"pscale_(?:tkn|oauth|pw)_[\w=.-]{30,}"),
    _format("scaleway key", "SCW", _KEY + r"SCW[A-Z0-9]{17}(?![A-Za-z0-9])"),
    # Code, packages, continuous integration
    _format("github token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,}"),
    _format("github token", "github_pat_", r"github_pat_\w{20,}"),
    _format("gitlab token", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- glffct- gloas- glwt- GR1348941",
            r"(?:gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct|oas|wt)-[\w.-]{16,}|GR1348941[\w-]{20,})"),
    _format("bitbucket token", "ATBB ATCTT3 ATATT3", _KEY + r"(?:ATBB[A-Za-z0-9=_-]{28,}|AT(?:CT|AT)T3[\w=-]{60,})"),
    _format("npm token", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _format("pypi token", "pypi-Ag", r"pypi-Ag[\w-]{50,}"),
    _format("pypi token", "pypi-", _ALONE + r"pypi-[A-Za-z0-9_-]{30,}", mixed=True),
    _format("rubygems key", "rubygems_", r"rubygems_[0-9a-f]{40,}"),
    _format("nuget key", "oy2", _KEY + r"oy2[a-z0-9]{43}(?![a-z0-9])"),
    _format("crates.io token", "cio", _ALONE + r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])", mixed=True),
    _format("clojars token", "CLOJARS_", r"CLOJARS_[0-9a-f]{50,}"),
    _format("docker token", "dckr_", r"dckr_[po]at_[\w-]{20,}"),
    _format("artifactory key", "AKCp cmVmd", _KEY + r"(?:AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{59,})"),
    _format("sonar token", "squ_ sqp_ sqa_", _KEY + r"sq[upa]_[0-9a-f]{40}"),
    _format("sourcegraph token", "sgp_ sgd_", _KEY + r"sg[pd]_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40,}"),
    _format("buildkite token", "bkua_", _KEY + r"bkua_[0-9a-f]{40}"),
    _format("circleci token", "ccipat_ ccipr", r"ccip(?:at|rj?)_[A-Za-z0-9]{20,}_[0-9a-f]{40}", flags=re.IGNORECASE),
    _format("terraform token", ".atlasv1.", r"[A-Za-z0-9]{10,16}\.atlasv1\.[\w=-]{50,}", before=20),
    _format("vault token", "hvs. hvb. hvr.", _KEY + r"hv[sbr]\.[\w-]{20,}"),
    _format("doppler token", "dp.", _KEY + r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    _format("pulumi token", "pul-", _KEY + r"pul-[0-9a-f]{40}"),
    _format("infracost key", "ico-", _ALONE + r"ico-[A-Za-z0-9]{32}", mixed=True),
    _format("prefect key", "pnu_ pnb_", _KEY + r"pn[ub]_[A-Za-z0-9]{36}"),
    _format("databricks token", "dapi", _KEY + r"dapi[0-9a-f]{32}(?:-\d)?"),
    _format("databricks secret", "dose", _KEY + r"dose[0-9a-f]{32}"),
    _format("confluent key", "cflt/ cfut", _KEY + r"(?:cflt/?|cfut)[A-Za-z0-9+/]{50,}"),
    _format("mongodb key", "mdb_sa_sk_", r"mdb_sa_sk_[\w-]{30,}"),
    _format("openshift token", "sha256~", r"sha256~[\w-]{40,}"),
    _format("octopus key", "API-", r"(?<![\w-])API-[A-Z0-9]{25,}", mixed=True),
    _format("harness token", "pat.", _KEY + r"pat\.[\w-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}"),
    _format("snyk token", "snyk_", r"snyk_[usr]at\.[\w.-]{30,}"),
    _format("launchdarkly key", "sdk- mob- api-", _KEY + r"(?:sdk|mob|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    _format("vercel token", "vercel_blob_rw_ vcp_", _KEY + r"(?:vercel_blob_rw_\w{30,}|vcp_[A-Za-z0-9]{30,})"),
    # Talk
    _format("slack token", "xox", r"(?:xox[a-eoprs]-(?=\d|[A-Za-z0-9-]{36})[A-Za-z0-9%-]{14,}|xoxe\.xox[bp]-[\w-]{20,})"),
    _format("slack token", "xapp-", r"xapp-\d-[A-Za-z0-9-]{16,}"),
    _format("webhook", "hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{20,})", group=1),
    _format("webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{15,20}/([\w-]{40,})", before=20, group=1),
    _format("webhook", "webhook.office.com/", r"webhook\.office\.com/webhookb2/([\w@/-]{60,})", group=1),
    _format("webhook", ".make.com/", r"hook\.[a-z]{2}\d\.make\.com/([a-z0-9A-Z]{20,})", before=9, group=1),
    _format("webhook", "/IncomingWebhook/", r"/IncomingWebhook/([\w/-]{32,})", group=1),
    _format("webhook", "zapier.com/hooks/ maker.ifttt.com/", r"(?:zapier\.com/hooks/catch/\d+/|maker\.ifttt\.com/\S{1,80}?/key/)([\w-]{6,})", group=1),
    _format("telegram token", ":AA", r"(?<!\d)\d{8,10}:AA[\w-]{32,35}(?![\w-])", before=12),
    _format("twilio key", "SK0 SK1 SK2 SK3 SK4 SK5 SK6 SK7 SK8 SK9 SKa SKb SKc SKd SKe SKf", _KEY + r"SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    _format("twilio token", "AC0 AC1 AC2 AC3 AC4 AC5 AC6 AC7 AC8 AC9 ACa ACb ACc ACd ACe ACf", _KEY + r"AC[0-9a-f]{32}:([0-9a-f]{32})(?![A-Za-z0-9])", group=1),
    _format("sendgrid key", "SG.", _KEY + r"SG\.[\w-]{16,}\.[\w-]{30,}"),
    _format("mailgun key", "key-", _KEY + r"key-[0-9a-f]{32}(?![A-Za-z0-9])"),
    _format("mailchimp key", "-us", r"(?<![A-Za-z0-9])[0-9a-f]{32}-us\d{1,2}(?!\d)", before=34),
    _format("brevo key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[0-9a-f]{60,}-[A-Za-z0-9]{16}"),
    _format("resend key", "re_", _ALONE + r"re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{20,}", mixed=True),
    _format("courier key", "pk_prod_", r"pk_prod_[A-Z0-9]{28}"),
    _format("pagerduty key", "pdus+", _KEY + r"pdus\+_[\w+-]{20,}"),
    # Money
    _format("stripe secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{20,}"),
    _format("square token", "sq0atp- sq0csp- sq0idp- EAAA", _KEY + r"(?:sq0(?:atp|csp)-[\w-]{22,}|EAAA[\w-]{56,62})"),
    _format("paypal token", "access_token$", r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
    _format("shopify token", "shpat_ shpca_ shppa_ shpss_ shpua_", r"shp(?:at|ca|pa|ss|ua)_[A-Fa-f0-9]{32}"),
    _format("plaid token", "access-sandbox- access-production- access-development-", r"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _format("flutterwave key", "FLWSECK", r"FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}(?:-X)?"),
    _format("easypost key", "EZAK EZTK", _KEY + r"EZ[AT]K[A-Za-z0-9]{54}"),
    _format("shippo token", "shippo_", r"shippo_(?:live|test)_[A-Fa-f0-9]{40}"),
    _format("duffel token", "duffel_", r"duffel_(?:test|live)_[\w=-]{40,}"),
    _format("lob key", "live_ test_", _KEY + r"(?:live|test)_[0-9a-f]{35}"),
    _format("adyen key", "AQE", _KEY + r"AQE[A-Za-z0-9+/=]{80,}"),
    _format("razorpay key", "rzp_", r"rzp_(?:live|test)_[A-Za-z0-9]{14,}"),
    _format("gocardless token", "live_", _ALONE + r"live_[\w=-]{40}", mixed=True),
    # Work
    _format("linear key", "lin_api_ lin_oauth_", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    _format("notion token", "ntn_", _KEY + r"ntn_[A-Za-z0-9]{40,}"),
    _format("notion token", "secret_", _ALONE + r"secret_[A-Za-z0-9]{40,}", mixed=True),
    _format("airtable token", "pat", _KEY + r"pat[A-Za-z0-9]{14}\.[0-9a-f]{60,}"),
    _format("asana token", "1/", r"(?<![\w/.])[012]/\d{15,18}(?:/\d{15,18})?:[0-9a-f]{32}"),
    _format("figma token", "figd_ figo_", _KEY + r"fig[do]_[\w-]{30,}"),
    _format("dropbox token", "sl.", _KEY + r"sl\.(?:u\.)?[\w=-]{100,}"),
    _format("frame.io token", "fio-u-", r"fio-u-[\w=-]{60,}"),
    _format("contentful token", "CFPAT-", r"CFPAT-[\w-]{40,}"),
    _format("typeform token", "tfp_", _KEY + r"tfp_[\w.=-]{40,}"),
    _format("postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _format("readme key", "rdme_", r"rdme_[a-z0-9]{60,}"),
    _format("clickup token", "pk_", _KEY + r"pk_\d{5,10}_[A-Z0-9]{32}"),
    _format("hubspot token", "pat-na", _KEY + r"pat-[a-z]{2,3}\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _format("salesforce token", "00D", r"(?<![A-Za-z0-9])00D[A-Za-z0-9]{12,15}!(?:AQ|AR)[\w.]{60,}"),
    _format("okta token", "SSWS", r"(?i)SSWS\s+([\w-]{30,})", group=1),
    _format("adafruit key", "aio_", _KEY + r"aio_[A-Za-z0-9]{28}"),
    _format("adobe secret", "p8e-", _KEY + r"p8e-[A-Za-z0-9_-]{30,}"),
    _format("intra42 secret", "s-s4t2", _KEY + r"s-s4t2(?:ud|af)-[0-9a-f]{64}"),
    _format("settlemint token", "sm_aat_ sm_pat_ sm_sat_", _KEY + r"sm_[aps]at_[A-Za-z0-9]{16,}"),
    _format("scalingo token", "tk-us-", _KEY + r"tk-us-[\w-]{48}"),
    _format("maxmind key", "_mmk", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", before=40),
    _format("1password key", "A3-", _KEY + r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    _format("1password token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9+/_-]{60,}={0,3}"),
    # Watching
    _format("grafana token", "glsa_ glc_", _KEY + r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,}={0,3})"),
    _format("new relic key", "NRAK- NRII- NRJS- NRAA-", r"NR(?:AK|II|AA|JS)-[A-Za-z0-9-]{19,40}"),
    _format("sentry token", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_-]{40,}"),
    _format("dynatrace token", "dt0c01. dt0s16.", r"dt0[cs]\d\d\.[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{60,}"),
    _format("posthog key", "phx_ phs_", _KEY + r"ph[xs]_[A-Za-z0-9]{40,}"),
    _format("logfire token", "pylf_", r"pylf_v\d_[a-z]{2}_[A-Za-z0-9]{40,}"),
    _format("axiom token", "xaat- xapt-", _KEY + r"xap?a?t-[0-9a-f-]{36}"),
    _format("honeycomb key", "hcaik_ hcbik_ hcxik_", r"hc[abx](?:ik|lk|mk)_[A-Za-z0-9]{40,}"),
    # Social
    _format("facebook token", "EAAA EAAB EAAC EAAD EAAE EAAF EAAG EAAH EAAI EAAJ EAAK EAAL EAAM EAAN EAAO EAAP EAAQ EAAR EAAS EAAT EAAU EAAV EAAW EAAX EAAY EAAZ", _KEY + r"EAA[A-Z][A-Za-z0-9]{60,}"),
    _format("twitter token", "AAAAAAAAAAAA", _KEY + r"A{18,}[A-Za-z0-9%]{30,}"),
    _format("mapbox token", "sk.eyJ", _KEY + r"sk\.eyJ[\w-]{20,}\.[\w-]{20,}"),
    _format("cookie", "cookies={", r"cookies=\{[^{}]{0,400}?:\s?\\*[\"']([^\"'{}\\]{16,})", group=1),
    _format("password", "@tcp( @unix(", r"[\w.-]{1,64}:([^\s\"'\\@]{1,128})@(?:tcp|unix)\(", before=200, group=1),
    # Keys of every kind
    _format("private key", "PRIVATE KEY",
            r"-----? ?BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)? ?-----?(?:[^\"-]|-(?!---)|\\\")*(?:-----? ?END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)? ?-----?)?", before=60),
    _format("private key", "PuTTY-User-Key-File", r"PuTTY-User-Key-File-\d(?:[^\"\\]|\\.)*?Private-MAC: ?[0-9a-f]{40,64}"),
    _format("private key", "b3BlbnNzaC1rZXktdjE", r"b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=\\nr\s]{20,}"),
    _format("private key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    _format("private key", "nsec1", _KEY + r"nsec1[a-z0-9]{50,}"),
    _format("private key", "xprv", _KEY + r"[xyzt]prv[1-9A-HJ-NP-Za-km-z]{90,}"),
    _format("jwk", '"d" "d\\\\', r'\\*"d\\*"\s?:\s?\\*"([\w-]{40,})', group=1),
    _format("jwt", "eyJ", r"(?<![A-Za-z0-9])eyJ[\w-]{8,}\.(?:eyJ)?[\w-]{8,}(?:\.[\w-]*){1,3}"),
    _format("jwt", "ZXlK", _KEY + r"ZXlK[A-Za-z0-9+/_-]{60,}={0,2}"),
    _format("password hash", "$2a$ $2b$ $2y$ $6$ $5$ $y$ $1$ $argon2 $apr1$",
            r"\$(?:2[aby]\$\d\d\$[./A-Za-z0-9]{50,}|(?:1|5|6|apr1)\$(?:rounds=\d+\$)?[./A-Za-z0-9]{2,16}\$[./A-Za-z0-9]{20,}|y\$[./A-Za-z0-9]+\$[./A-Za-z0-9$]{30,}|argon2(?:id|i|d)\$v=\d+\$m=[\w,=]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{20,})"),
)  # fmt: skip
