// Package childenv makes the environment of a process that runs under a
// gateway: with it, clients of every common language send their requests
// through the proxy and trust its certificates. It does no I/O.
//
// Variables are all there is to work with here, so the list is long and each
// entry is for a client that ignores the others. Whatever the user had set
// under one of these names is taken out first: of two variables with one name,
// C programs see the first.
package childenv

import (
	"net"
	"slices"
	"strings"
)

// Run is what a run offers its process.
type Run struct {
	ID     string            // "run_…"
	Token  string            // with which the process asks the gateway about its approvals; "" for none
	Proxy  string            // host:port of the run's own listener
	CA     string            // file with the gateway's root alone, for clients that add it to theirs
	Bundle string            // file with the gateway's root and the machine's, for clients that replace theirs
	WGETRC string            // file for wget's GnuTLS build, which reads no variable; "" for none
	PHPINI string            // folder with an .ini for PHP, which reads no variable; "" for none
	Trust  string            // PKCS #12 trust store for Java, password "changeit"; "" for none
	Dummy  map[string]string // keys shaped like the services' own, worth nothing
	Yield  []string          // of Dummy: names whose value stays where the user has set one
}

// removed are names that would lead requests past the proxy or its
// certificates, or show the child what is the CLI's.
var removed = []string{
	"REQUEST_METHOD", // Go and Ruby take the process for a CGI program and ignore HTTP_PROXY
	"NODE_TLS_REJECT_UNAUTHORIZED", "GIT_SSL_NO_VERIFY", "PYTHONHTTPSVERIFY",
	"TAMEFLARE_TOKEN", "TAMEFLARE_ENROL", "TAMEFLARE_MASTER_KEY", "TAMEFLARE_RUN_TOKEN",
	"SSL_CERT_DIR", "GIT_SSL_CAPATH", "NPM_CONFIG_CA", "npm_config_ca",
	"GIT_PROXY_COMMAND", "NPM_CONFIG_NOPROXY", "npm_config_noproxy", "npm_config_proxy", "npm_config_https_proxy", "npm_config_cafile",
}

// Set returns the variables that run sets, in a stable order.
func Set(run Run) [][2]string {
	proxy := "http://" + run.Proxy
	host, port, _ := net.SplitHostPort(run.Proxy)
	const local = "localhost,127.0.0.1,::1"
	set := [][2]string{
		// Lower case is what curl, wget and git read; Go and Python read upper case first.
		{"http_proxy", proxy}, {"https_proxy", proxy}, {"all_proxy", proxy}, {"no_proxy", local},
		{"HTTP_PROXY", proxy}, {"HTTPS_PROXY", proxy}, {"ALL_PROXY", proxy}, {"NO_PROXY", local},
		{"NODE_USE_ENV_PROXY", "1"}, // not NODE_OPTIONS: an option that an older Node does not know ends it

		// These add to a client's own roots.
		{"NODE_EXTRA_CA_CERTS", run.CA}, {"NODE_USE_SYSTEM_CA", "1"}, {"DENO_CERT", run.CA}, {"DENO_TLS_CA_STORE", "system,mozilla"},

		// These replace them.
		{"SSL_CERT_FILE", run.Bundle}, {"REQUESTS_CA_BUNDLE", run.Bundle}, {"CURL_CA_BUNDLE", run.Bundle}, {"AWS_CA_BUNDLE", run.Bundle},
		{"PIP_CERT", run.Bundle}, {"NPM_CONFIG_CAFILE", run.Bundle}, {"GIT_SSL_CAINFO", run.Bundle}, {"CARGO_HTTP_CAINFO", run.Bundle},
		{"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", run.Bundle}, {"HTTPLIB2_CA_CERTS", run.Bundle}, {"NIX_SSL_CERT_FILE", run.Bundle},
		{"PERL_LWP_SSL_CA_FILE", run.Bundle}, {"BUNDLE_SSL_CA_CERT", run.Bundle}, {"UV_SYSTEM_CERTS", "1"}, {"UV_NATIVE_TLS", "1"},
		{"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", run.Bundle},
		{"CLOUDSDK_PROXY_TYPE", "http"}, {"CLOUDSDK_PROXY_ADDRESS", host}, {"CLOUDSDK_PROXY_PORT", port},
	}
	if run.WGETRC != "" {
		set = append(set, [2]string{"WGETRC", run.WGETRC})
	}
	if run.PHPINI != "" {
		set = append(set, [2]string{"PHP_INI_SCAN_DIR", ":" + run.PHPINI}) // the colon keeps PHP's own folder
	}
	set = append(set, [2]string{"TAMEFLARE", "1"}, [2]string{"TAMEFLARE_RUN_ID", run.ID})
	if run.Token != "" {
		set = append(set, [2]string{"TAMEFLARE_RUN_TOKEN", run.Token})
	}
	for _, name := range slices.Sorted(keys(run.Dummy)) {
		set = append(set, [2]string{name, run.Dummy[name]})
	}
	return set
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Make returns the child's environment: base, in the form of os.Environ,
// without what run replaces, and then what run sets. JAVA_TOOL_OPTIONS keeps
// what the user had in it, and so does what run yields. With keepNoProxy the user's own NO_PROXY, a list of
// hosts that go past the gateway, stays.
func Make(base []string, run Run, keepNoProxy bool) []string {
	set := slices.DeleteFunc(Set(run), func(v [2]string) bool {
		return slices.Contains(run.Yield, v[0]) && lookup(base, v[0]) != ""
	})
	if java := javaOptions(lookup(base, "JAVA_TOOL_OPTIONS"), run); java != "" {
		set = append(set, [2]string{"JAVA_TOOL_OPTIONS", java})
	}
	gone := map[string]bool{}
	for _, name := range removed {
		gone[name] = true
	}
	for _, v := range set {
		gone[v[0]] = true
	}
	if keepNoProxy && (lookup(base, "NO_PROXY") != "" || lookup(base, "no_proxy") != "") {
		set = slices.DeleteFunc(set, func(v [2]string) bool { return strings.EqualFold(v[0], "no_proxy") })
		delete(gone, "NO_PROXY")
		delete(gone, "no_proxy")
	}
	env := make([]string, 0, len(base)+len(set))
	for _, v := range base {
		name, _, _ := strings.Cut(v, "=")
		if !gone[name] {
			env = append(env, v)
		}
	}
	for _, v := range set {
		env = append(env, v[0]+"="+v[1])
	}
	return env
}

// javaOptions adds to what the user had: Java ignores the proxy variables, and
// its default list of hosts that go past the proxy has to be emptied.
func javaOptions(had string, run Run) string {
	if run.Trust == "" {
		return had
	}
	host, port, _ := net.SplitHostPort(run.Proxy)
	options := []string{
		"-Dhttp.proxyHost=" + host, "-Dhttp.proxyPort=" + port, "-Dhttps.proxyHost=" + host, "-Dhttps.proxyPort=" + port,
		"-Dhttp.nonProxyHosts=localhost|127.*|[::1]",
		"-Djavax.net.ssl.trustStore=" + run.Trust, "-Djavax.net.ssl.trustStorePassword=changeit", "-Djavax.net.ssl.trustStoreType=PKCS12",
	}
	return strings.TrimSpace(had + " " + strings.Join(options, " "))
}

func lookup(env []string, name string) string {
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
