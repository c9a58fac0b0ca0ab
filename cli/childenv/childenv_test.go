package childenv_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/cli/childenv"
)

var run = childenv.Run{
	ID: "run_1", Proxy: "127.0.0.1:4711", CA: "/r/ca.pem", Bundle: "/r/bundle.pem",
	Dummy: map[string]string{"GITHUB_TOKEN": "ghp_dummy"}, Token: "tfr_run",
}

func env(vars []string) map[string]string {
	m := map[string]string{}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		m[name] = value
	}
	return m
}

func TestWhatTheUserHadIsReplaced(t *testing.T) {
	t.Parallel()

	base := []string{
		"PATH=/bin", "HOME=/home/ana", "HTTPS_PROXY=http://corp:3128", "https_proxy=http://corp:3128", "NO_PROXY=*", "no_proxy=*",
		"SSL_CERT_FILE=/corp.pem", "SSL_CERT_DIR=/certs", "REQUEST_METHOD=GET", "NODE_TLS_REJECT_UNAUTHORIZED=0", "GIT_SSL_NO_VERIFY=1",
		"GITHUB_TOKEN=ghp_real", "TAMEFLARE_TOKEN=tfc_secret", "TAMEFLARE_RUN_TOKEN=tfr_outer", "NODE_OPTIONS=--max-old-space-size=512", "EQUALS=a=b", "EMPTY=",
	}
	got := childenv.Make(base, run, false)
	m := env(got)
	for name, want := range map[string]string{
		"PATH": "/bin", "HOME": "/home/ana", "EQUALS": "a=b", "EMPTY": "", "NODE_OPTIONS": "--max-old-space-size=512",
		"https_proxy": "http://127.0.0.1:4711", "HTTPS_PROXY": "http://127.0.0.1:4711", "NO_PROXY": "localhost,127.0.0.1,::1",
		"SSL_CERT_FILE": "/r/bundle.pem", "NODE_EXTRA_CA_CERTS": "/r/ca.pem", "GITHUB_TOKEN": "ghp_dummy",
		"TAMEFLARE": "1", "TAMEFLARE_RUN_ID": "run_1", "TAMEFLARE_RUN_TOKEN": "tfr_run", "CLOUDSDK_PROXY_PORT": "4711",
	} {
		if m[name] != want {
			t.Errorf("%s = %q, want %q", name, m[name], want)
		}
	}
	for _, name := range []string{"SSL_CERT_DIR", "REQUEST_METHOD", "NODE_TLS_REJECT_UNAUTHORIZED", "GIT_SSL_NO_VERIFY", "TAMEFLARE_TOKEN", "WGETRC", "JAVA_TOOL_OPTIONS"} {
		if v, ok := m[name]; ok {
			t.Errorf("%s = %q is still there", name, v)
		}
	}
	if all := strings.Join(got, "\n"); strings.Contains(all, "corp") || strings.Contains(all, "ghp_real") || strings.Contains(all, "tfc_secret") || strings.Contains(all, "tfr_outer") {
		t.Error("something of the user's that was to be replaced is still there")
	}
}

func TestAKeyOfTheUsersStaysWhereItMayPass(t *testing.T) {
	t.Parallel()

	yields := run
	yields.Yield = []string{"GITHUB_TOKEN"}
	for name, c := range map[string]struct {
		base []string
		want string
	}{
		"set":   {[]string{"GITHUB_TOKEN=ghp_real"}, "ghp_real"},
		"empty": {[]string{"GITHUB_TOKEN="}, "ghp_dummy"},
		"none":  {nil, "ghp_dummy"},
	} {
		got := childenv.Make(c.base, yields, false)
		if v := env(got)["GITHUB_TOKEN"]; v != c.want || len(slices.DeleteFunc(slices.Clone(got), func(v string) bool { return !strings.HasPrefix(v, "GITHUB_TOKEN=") })) != 1 {
			t.Errorf("%s: %q, want %q", name, v, c.want)
		}
	}
}

func TestEveryNameStandsOnce(t *testing.T) {
	t.Parallel()

	got := childenv.Make([]string{"http_proxy=a", "http_proxy=b", "HTTP_PROXY=c", "TAMEFLARE=0"}, run, false)
	seen := map[string]bool{}
	for _, v := range got {
		name, _, _ := strings.Cut(v, "=")
		if seen[name] {
			t.Errorf("%s stands twice", name)
		}
		seen[name] = true
	}
}

func TestNoProxyStaysWhenAskedFor(t *testing.T) {
	t.Parallel()

	m := env(childenv.Make([]string{"no_proxy=intra.example"}, run, true))
	if m["no_proxy"] != "intra.example" {
		t.Errorf("no_proxy = %q", m["no_proxy"])
	}
	if _, ok := m["NO_PROXY"]; ok {
		t.Error("NO_PROXY was set beside the user's no_proxy")
	}
	m = env(childenv.Make(nil, run, true))
	if m["no_proxy"] == "" {
		t.Error("without one of the user's, no_proxy is not set")
	}
}

func TestFilesForClientsThatReadNoVariable(t *testing.T) {
	t.Parallel()

	r := run
	r.WGETRC, r.PHPINI, r.Trust = "/r/wgetrc", "/r/php", "/r/trust.p12"
	m := env(childenv.Make([]string{"JAVA_TOOL_OPTIONS=-Xmx1g"}, r, false))
	want := "-Xmx1g -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=4711 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=4711 " +
		"-Dhttp.nonProxyHosts=localhost|127.*|[::1] -Djavax.net.ssl.trustStore=/r/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.trustStoreType=PKCS12"
	if diff := cmp.Diff(want, m["JAVA_TOOL_OPTIONS"]); diff != "" {
		t.Error(diff)
	}
	if m["WGETRC"] != "/r/wgetrc" || m["PHP_INI_SCAN_DIR"] != ":/r/php" {
		t.Errorf("WGETRC = %q, PHP_INI_SCAN_DIR = %q", m["WGETRC"], m["PHP_INI_SCAN_DIR"])
	}
	m = env(childenv.Make([]string{"JAVA_TOOL_OPTIONS=-Xmx1g"}, run, false))
	if m["JAVA_TOOL_OPTIONS"] != "-Xmx1g" {
		t.Errorf("without a trust store: %q", m["JAVA_TOOL_OPTIONS"])
	}
}

func TestOrderIsStable(t *testing.T) {
	t.Parallel()
	if a, b := childenv.Set(run), childenv.Set(run); !slices.Equal(a, b) {
		t.Error("two calls differ")
	}
}
