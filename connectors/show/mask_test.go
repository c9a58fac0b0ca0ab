package show_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/show"
)

// of makes what looks like a key, and is none.
func of(prefix string, n int) string {
	return prefix + strings.Repeat("a1B2c3D4", n/8+1)[:n]
}

var pem = "-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("MIIEpAIBAAKCAQEA7bq3\n", 8) + "-----END RSA PRIVATE KEY-----"

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ in, want string }{
		"Stripe":                     {of("sk_live_", 24), "sk_l…, 32 characters"},
		"Stripe, restricted":         {"use " + of("rk_test_", 24) + " now", "use rk_t…, 32 characters now"},
		"Stripe, webhook":            {of("whsec_", 32), "whse…, 38 characters"},
		"OpenAI":                     {of("sk-", 48), "sk-a…, 51 characters"},
		"OpenAI, project":            {of("sk-proj-", 48), "sk-p…, 56 characters"},
		"Anthropic":                  {of("sk-ant-api03-", 40), "sk-a…, 53 characters"},
		"GitHub":                     {of("ghp_", 36), "ghp_…, 40 characters"},
		"GitHub, of an app":          {of("ghs_", 36), "ghs_…, 40 characters"},
		"GitHub, fine-grained":       {of("github_pat_", 40), "gith…, 51 characters"},
		"GitLab":                     {of("glpat-", 20), "glpa…, 26 characters"},
		"Slack, bot":                 {of("xoxb-12-34-", 24), "xoxb…, 35 characters"},
		"Slack, app":                 {of("xapp-1-A1-", 24), "xapp…, 34 characters"},
		"Slack, rotated":             {of("xoxe.xoxp-1-", 24), "xoxe…, 36 characters"},
		"Slack, webhook":             {"https://hooks.slack.com/services/T012/B012/" + of("", 24), "https://hooks.slack.com/services/T012…, 34 characters"},
		"AWS":                        {"id AKIAIOSFODNN7EXAMPLE.", "id AKIA…, 20 characters."},
		"Google":                     {of("AIza", 35), "AIza…, 39 characters"},
		"Google, OAuth":              {of("ya29.", 40), "ya29…, 45 characters"},
		"Google, client":             {of("GOCSPX-", 28), "GOCS…, 35 characters"},
		"JWT":                        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123", "eyJh…, 52 characters"},
		"npm":                        {of("npm_", 36), "npm_…, 40 characters"},
		"PyPI":                       {of("pypi-", 60), "pypi…, 65 characters"},
		"DigitalOcean":               {"dop_v1_" + strings.Repeat("0f", 32), "dop_…, 71 characters"},
		"Hugging Face":               {of("hf_", 34), "hf_a…, 37 characters"},
		"SendGrid":                   {of("SG.", 22) + of(".", 43), "SG.a…, 69 characters"},
		"age":                        {"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQ", "AGE-…, 42 characters"},
		"ours":                       {of("tfc_", 32), "tfc_…, 36 characters"},
		"PEM":                        {"a " + pem + " b", "a -----BEGIN RSA PRIVATE KEY----- …, 167 characters\n-----END RSA PRIVATE KEY----- b"},
		"PEM in JSON":                {`"` + strings.ReplaceAll(pem, "\n", `\n`) + `"`, `"-----BEGIN RSA PRIVATE KEY----- …, 174 characters\n-----END RSA PRIVATE KEY-----"`},
		"PEM that is cut":            {pem[:80], "-----BEGIN RSA PRIVATE KEY----- …, 48 characters"},
		"Bearer":                     {"Bearer abc123def456", "Bearer …, 12 characters"},
		"Authorization":              {"Authorization: Bearer " + of("", 20), "Authorization: Bearer a1B2…, 20 characters"},
		"Basic":                      {"Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic dXNl…, 20 characters"},
		"Basic, in curl":             {`-H "authorization: Basic dXNlcjpwYXNzd29yZA=="`, `-H "authorization: Basic dXNl…, 20 characters"`},
		"in a URL":                   {"postgres://app:hunter2@db.example.com/x", "postgres://app:…, 7 characters@db.example.com/x"},
		"in a URL, empty user":       {"redis://:hunter2hunter2hu@cache:6379", "redis://:hunt…, 16 characters@cache:6379"},
		"password":                   {`{"password": "hunter2"}`, `{"password": "…, 7 characters"}`},
		"password, long":             {`"db_password":"correct-horse-battery"`, `"db_password":"corr…, 21 characters"`},
		"password, escaped":          {`"password":"a\"b\\c"`, `"password":"…, 5 characters"`},
		"password, in a text":        {"the password: hunter2 is old", "the password: …, 7 characters is old"},
		"password, in an env":        {"PGPASSWORD=hunter2 psql", "PGPASSWORD=…, 7 characters psql"},
		"password, in YAML":          {"  password: 'it is long enough'\n", "  password: '…, 17 characters'\n"},
		"password in JSON in JSON":   {`{"data":"{\"password\":\"hunter2\"}"}`, `{"data":"{\"password\":\"…, 7 characters\"}"}`},
		"client secret":              {"client_id=a&client_secret=0123456789abcdef&x=1", "client_id=a&client_secret=0123…, 16 characters&x=1"},
		"clientSecret":               {`clientSecret: "abcdefgh"`, `clientSecret: "…, 8 characters"`},
		"api key":                    {"api_key=abcdef", "api_key=…, 6 characters"},
		"apiKey":                     {`"apiKey":"k1"`, `"apiKey":"…, 2 characters"`},
		"X-Api-Key":                  {"X-Api-Key: abc123def456", "X-Api-Key: …, 12 characters"},
		"access token":               {"access_token=abc.def", "access_token=…, 7 characters"},
		"token":                      {`token = "t0ken"`, `token = "…, 5 characters"`},
		"refresh_token":              {`'refresh_token' => 'abc'`, `'refresh_token' => '…, 3 characters'`},
		"private key":                {`"private_key":"abc"`, `"private_key":"…, 3 characters"`},
		"AWS secret":                 {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY=wJal…, 40 characters"},
		"cookie":                     {"Cookie: session=abc123; b=2", "Cookie: …, 14 characters; b=2"},
		"card":                       {"card 4242 4242 4242 4242 now", "card …4242, 16 characters now"},
		"card without spaces":        {"pan=4000056655665556", "pan=…5556, 16 characters"},
		"card of 15 digits":          {"378282246310005", "…0005, 15 characters"},
		"card in a form":             {"card[number]=4242424242424242&card[cvc]=123", "card[number]=…4242, 16 characters&card[cvc]=…, 3 characters"},
		"cvc":                        {`"cvc":"123"`, `"cvc":"…, 3 characters"`},
		"pin":                        {"pin=1234", "pin=…, 4 characters"},
		"account number":             {`"account_number":"000123456789"`, `"account_number":"…6789, 12 characters"`},
		"two of them":                {of("ghp_", 36) + " " + of("sk-", 48), "ghp_…, 40 characters sk-a…, 51 characters"},
		"two beside each other":      {"password=a;token=b", "password=…, 1 character;token=…, 1 character"},
		"a name before a name":       {"note: password: hunter2", "note: password: …, 7 characters"},
		"with another in its value":  {`{"secret":"` + of("sk_live_", 24) + `"}`, `{"secret":"sk_l…, 32 characters"}`},
		"of words that begin a text": {`"password":"my dog is called rex"`, `"password":"…, 20 characters"`},
	} {
		got := show.Mask(tt.in)
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if again := show.Mask(got); again != got {
			t.Errorf("%s: masked again, %q is %q", name, got, again)
		}
	}
}

func TestWhatIsNoSecretStaysAsItIs(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"", "a", "merge acme/site#812",
		"0123456789abcdef0123456789abcdef01234567",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"c56a4180-65aa-42ec-a945-5fd21dec0538",
		"pi_3MtwBwLkdIwHu7ix28a3tqPa", "ch_3MmlLrLkdIwHu7ix0snN0B15", "cus_NffrFeUfNV2Hib", "sub_1MowQVLkdIwHu7ixeRlqHVzs",
		"apr_01HXYZABCDEFGHJKMNPQRSTV", "pk_test_" + "51Abcdefghijklmnop",
		"C012AB3CD", "<@U012AB3CD> and #general", "T0123456/B0123456",
		"max_tokens: 500", `"max_tokens":500`, `"token_count": 12`, "tokens=12", `"token_type":"bearer"`, `"prompt_tokens": 1234567`,
		`"next_page_token":"CAEQAA"`, "pageToken=abcdef", `"secret_scanning":{"status":"enabled"}`, `"secret_name":"DEPLOY_KEY"`, "secrets_url=https://x",
		`"password": null`, `"password": true`, "idempotency_token=abc",
		"https://api.example.com:8443/a?b=c@d", "see https://example.com/a:b@c", "mailto:ana@example.com", "git@github.com:acme/site.git",
		"the token: what you show to get in", "A secret: nobody knows", "basic understanding of it", "Basic training", "the bearer of good news", "Bearer is a scheme",
		"1234567890123456", "4242424242424241", "20261123080000", "1700000000000000000", "12:34:56", "key: value", `"key":"value"`,
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUvPT8xEOJs ana@laptop",
		"risk-management-is-about-people-and-their-work", "task-0123456789012345678901234567", "x := y", "a == b", "for i := range 10 {",
		"passenger=ana", "compass: north-east", "bypass_rules=yes", "tokenizer=gpt", "keyboard: us", "authority=api", "author: ana", "pinned=yes1", "opinion: good99",
		"sk_l…, 32 characters", "…, 7 characters", "password=…, 7 characters",
		"2026-11-23T08:00:00Z", "10.0.0.0/8", "::1", "eyJ is how many begin",
	} {
		if got := show.Mask(text); got != text {
			t.Errorf("%q: became %q", text, got)
		}
	}
}
