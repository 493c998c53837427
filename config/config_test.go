package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// source builds a Source from flags and NAME=value pairs.
func source(flags map[string]string, env ...string) Source {
	variables := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	return Source{Flags: flags, Lookup: func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}}
}

// diff compares configurations, the secrets in them as well.
func diff(want, got Serve) string {
	return gocmp.Diff(want, got, gocmp.AllowUnexported(Secret{}), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b }))
}

func TestLoadServe_Defaults(t *testing.T) {
	t.Parallel()
	got, err := LoadServe(Source{}, ServeAll)
	if err != nil {
		t.Fatal(err)
	}
	want := Serve{
		Data: "./growpanel-data", APIListen: "127.0.0.1:8081", MCPListen: "127.0.0.1:8080",
		AllowedOrigins: DefaultAllowedOrigins(),
		Connections:    Connections{AccessTTL: 30 * day, RefreshTTL: 90 * day, EmitIss: true},
		RateLimits:     RateLimits{Get: 300, Report: 30, Post: 100, Put: 100, Delete: 50}, FXFeed: true,
	}
	if diff := diff(want, got); diff != "" {
		t.Errorf("LoadServe() -want +got:\n%s", diff)
	}
}

func TestLoadServe_EverySettingByFlagAndByVariable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 32)
	values := map[string]string{
		"data": "data", "api-listen": "127.0.0.1:0", "mcp-listen": "[::1]:9000", "public-url": "https://MCP.example.com/",
		"api-public-url": "http://localhost:8081", "demo": "false", "signup": "false", "now": "2026-03-31", "rate-limits": "off",
		"allowed-origins": "https://a.example.com, http://b.example.com:81", "read-only": "on", "fx-feed": "off",
		"redis-url": "rediss://u:p@redis.example.com:6380/1", "access-ttl": "12h", "refresh-ttl": "45d", "emit-iss": "off", "allow-redis-loss": "on",
		"trusted-proxies": "10.0.0.0/8, 192.0.2.7/32", "allow-private-networks": "10.0.0.0/8, fd00::/8", "link-verified-email": "google, oidc",
		"GROWPANEL_INTROSPECTION_SECRET": long, "GROWPANEL_INTERNAL_TOKEN": long,
		"GROWPANEL_SMTP_URL": "smtps://u:p@smtp.example.com", "GROWPANEL_SMTP_FROM": "GrowPanel <reports@example.com>",
		"GROWPANEL_GOOGLE_CLIENT_ID": "g", "GROWPANEL_GOOGLE_CLIENT_SECRET": "gs", "GROWPANEL_MICROSOFT_CLIENT_ID": "m",
		"GROWPANEL_MICROSOFT_CLIENT_SECRET": "ms", "GROWPANEL_MICROSOFT_TENANT": "tenant", "GROWPANEL_OIDC_ISSUER": "https://id.example.com/",
		"GROWPANEL_OIDC_CLIENT_ID": "o", "GROWPANEL_OIDC_CLIENT_SECRET": "os", "GROWPANEL_OIDC_NAME": "Staff",
	}
	want := Serve{
		Data: "data", APIListen: "127.0.0.1:0", MCPListen: "[::1]:9000", PublicURL: "https://mcp.example.com",
		APIPublicURL: "http://localhost:8081", Now: time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC),
		AllowedOrigins: []string{"https://a.example.com", "http://b.example.com:81"}, ReadOnly: true,
		Connections: Connections{
			RedisURL: Secret{"rediss://u:p@redis.example.com:6380/1"}, AccessTTL: 12 * time.Hour, RefreshTTL: 45 * day, IntrospectionSecret: Secret{long},
			AllowRedisLoss: true,
		},
		TrustedProxies:  []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")},
		PrivateNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		InternalToken:   Secret{long}, Secrets: []Secret{{long}},
		Mail: Mail{
			Host: "smtp.example.com", Port: "465", User: "u", Password: Secret{"p"}, TLS: true,
			From: mail.Address{Name: "GrowPanel", Address: "reports@example.com"},
		},
		Providers: Providers{
			Google:            Provider{ClientID: "g", ClientSecret: Secret{"gs"}},
			Microsoft:         Provider{ClientID: "m", ClientSecret: Secret{"ms"}, Issuer: "https://login.microsoftonline.com/tenant/v2.0"},
			OIDC:              Provider{ClientID: "o", ClientSecret: Secret{"os"}, Issuer: "https://id.example.com/", Name: "Staff"},
			LinkVerifiedEmail: []string{"google", "oidc"},
		},
	}
	var all []string
	only := []string{"GROWPANEL_SECRET=" + long} // what has no flag
	for _, setting := range settings(ServeAll) {
		value, ok := values[cmp.Or(setting.Flag, setting.Env)]
		if !ok {
			t.Fatalf("no value for --%s (%s): extend this test", setting.Flag, setting.Env)
		}
		all = append(all, setting.Env+"="+value)
		if setting.Flag == "" {
			only = append(only, setting.Env+"="+value)
			delete(values, setting.Env)
		}
	}
	for name, from := range map[string]Source{"flags": source(values, only...), "variables": source(nil, append(all, only[0])...)} {
		got, err := LoadServe(from, ServeAll)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diff(want, got); diff != "" {
			t.Errorf("by %s: -want +got:\n%s", name, diff)
		}
	}
}

func TestLoadServe_Precedence(t *testing.T) {
	t.Parallel()
	from := source(map[string]string{"data": "flag"}, "GROWPANEL_DATA=variable", "GROWPANEL_API_LISTEN=", "GROWPANEL_MCP_LISTEN=localhost:1")
	got, err := LoadServe(from, ServeAll)
	if err != nil {
		t.Fatal(err)
	}
	if got.Data != "flag" || got.APIListen != "127.0.0.1:8081" || got.MCPListen != "localhost:1" {
		t.Errorf("LoadServe() = %+v, want flag over variable over default, empty as unset", got)
	}
}

// A pinned day is that day for accounts far from Greenwich too.
func TestLoadServe_NowIsTheDayInFarZones(t *testing.T) {
	t.Parallel()
	got, err := LoadServe(source(map[string]string{"now": "2026-01-31"}), ServeAll)
	if err != nil {
		t.Fatal(err)
	}
	for name, hours := range map[string]int{"Hawaii": -10, "New Zealand in summer": 13} {
		if day := got.Now.In(time.FixedZone(name, hours*3600)).Format(time.DateOnly); day != "2026-01-31" {
			t.Errorf("--now 2026-01-31 is %s in %s", day, name)
		}
	}
}

// Only the API decides about sign-up, and only when it is told.
func TestLoadServe_SignUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		command Command
		from    Source
		want    bool
	}{
		{"by default", ServeAll, source(nil), false},
		{"by flag", ServeAll, source(map[string]string{"signup": "true"}), true},
		{"by variable", ServeAPI, source(nil, "GROWPANEL_SIGNUP=on"), true},
		{"off by flag over the variable", ServeAPI, source(map[string]string{"signup": "false"}, "GROWPANEL_SIGNUP=on"), false},
		{"before an API elsewhere", ServeMCP, source(nil, "GROWPANEL_SIGNUP=on", "GROWPANEL_API_URL=http://127.0.0.1:8081"), false},
	} {
		got, err := LoadServe(tt.from, tt.command)
		if err != nil || got.SignUp != tt.want {
			t.Errorf("%s: sign-up is %v, %v; want %v", tt.name, got.SignUp, err, tt.want)
		}
	}
}

func TestLoadServe_WrongValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		command Command
		flags   map[string]string
		env     []string
		want    string
	}{
		{name: "listen without port", flags: map[string]string{"api-listen": "localhost"}, want: `--api-listen "localhost": want host:port, such as 127.0.0.1:8080`},
		{name: "port out of range", flags: map[string]string{"mcp-listen": ":70000"}, want: "--mcp-listen"},
		{name: "variable is named", env: []string{"GROWPANEL_MCP_LISTEN=x"}, want: `GROWPANEL_MCP_LISTEN "x": want host:port`},
		{name: "empty folder", flags: map[string]string{"data": ""}, want: "--data: want a folder"},
		{name: "origin with path", flags: map[string]string{"public-url": "https://a.example.com/mcp"}, want: "without user, path or query"},
		{name: "origin without scheme", flags: map[string]string{"public-url": "a.example.com"}, want: "want an origin such as"},
		{name: "another scheme", flags: map[string]string{"public-url": "ftp://a.example.com"}, want: "want an origin such as"},
		{name: "plain http in public", flags: map[string]string{"public-url": "http://a.example.com"}, want: "want an https origin"},
		{name: "an address for a network", flags: map[string]string{"allow-private-networks": "10.0.0.1"}, want: "such as 10.0.0.0/8"},
		{name: "one bad origin of two", flags: map[string]string{"allowed-origins": "https://a.example.com,b"}, want: "separated by commas"},
		{name: "switch", env: []string{"GROWPANEL_READ_ONLY=maybe"}, want: "want on or off"},
		{name: "time", flags: map[string]string{"now": "yesterday"}, want: "such as 2026-03-31 or"},
		{name: "limit of an unknown class", flags: map[string]string{"rate-limits": "PATCH=1"}, want: "limits per minute such as"},
		{name: "limit of zero", flags: map[string]string{"rate-limits": "GET=0"}, want: "limits per minute such as"},
		{name: "demo in public", flags: map[string]string{"demo": "true", "public-url": "https://a.example.com"}, want: "--public-url \"https://a.example.com\": want a loopback origin"},
		{name: "demo that listens in public", flags: map[string]string{"demo": "true", "api-listen": "0.0.0.0:8081"}, want: "--api-listen \"0.0.0.0:8081\": want a loopback address"},
		{name: "listening in public without an address", flags: map[string]string{"mcp-listen": ":8080"}, want: "--public-url: want the https origin"},
		{name: "no upstream", command: ServeMCP, want: "GROWPANEL_API_URL: want the origin of the REST API"},
		{name: "bad upstream", command: ServeMCP, env: []string{"GROWPANEL_API_URL=x"}, want: "GROWPANEL_API_URL \"x\""},
		{name: "a short time", flags: map[string]string{"access-ttl": "5ms"}, want: "--access-ttl \"5ms\": want a time from 1s to 365d"},
		{name: "a long time", flags: map[string]string{"refresh-ttl": "999d"}, want: "want a time from 1s to 365d"},
		{name: "a time without unit", env: []string{"GROWPANEL_ACCESS_TTL=30"}, want: "GROWPANEL_ACCESS_TTL \"30\""},
		{name: "no network", flags: map[string]string{"trusted-proxies": "10.0.0.0/8,proxy"}, want: "networks separated by commas"},
		{name: "not Redis", env: []string{"GROWPANEL_REDIS_URL=http://u:hunter2@a"}, want: "GROWPANEL_REDIS_URL: want a URL such as redis://"},
		{name: "Redis without a secret", flags: map[string]string{"redis-url": "redis://127.0.0.1"}, want: "GROWPANEL_SECRET: want the same secret of 32 bytes or more on every replica"},
		{name: "a short introspection secret", env: []string{"GROWPANEL_INTROSPECTION_SECRET=hunter2"}, want: "GROWPANEL_INTROSPECTION_SECRET: want at least 32 bytes"},
		{name: "half a provider", env: []string{"GROWPANEL_GOOGLE_CLIENT_ID=x"}, want: "GROWPANEL_GOOGLE_CLIENT_SECRET: want the secret that belongs to"},
		{name: "a provider without issuer", env: []string{"GROWPANEL_OIDC_CLIENT_ID=x", "GROWPANEL_OIDC_CLIENT_SECRET=y"}, want: "GROWPANEL_OIDC_ISSUER: want the issuer"},
		{name: "every tenant", env: []string{"GROWPANEL_MICROSOFT_TENANT=common"}, want: "want the id of one tenant"},
		{name: "linking by nobody", flags: map[string]string{"link-verified-email": "google"}, want: "--link-verified-email: want providers that are set up"},
		{
			name: "sign-up where addresses open users", want: `--signup "on": want off with --link-verified-email`,
			flags: map[string]string{"signup": "on", "link-verified-email": "google"},
			env:   []string{"GROWPANEL_GOOGLE_CLIENT_ID=x", "GROWPANEL_GOOGLE_CLIENT_SECRET=y"},
		},
		{name: "all at once", flags: map[string]string{"now": "x", "mcp-listen": "y"}, want: "--mcp-listen \"y\": want host:port, such as 127.0.0.1:8080\n--now"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			command := tt.command
			if command == "" {
				command = ServeAll
			}
			got, err := LoadServe(source(tt.flags, tt.env...), command)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("LoadServe() error = %v, want %q", err, tt.want)
			}
			if diff := diff(Serve{}, got); diff != "" {
				t.Errorf("LoadServe() returned settings beside an error:\n%s", diff)
			}
		})
	}
}

func TestLoadServe_Limits(t *testing.T) {
	t.Parallel()
	got, err := LoadServe(source(nil, "GROWPANEL_RATE_LIMITS=report=5, GET=7"), ServeAPI)
	if err != nil {
		t.Fatal(err)
	}
	want := RateLimits{Get: 7, Report: 5, Post: 100, Put: 100, Delete: 50}
	if got.RateLimits != want {
		t.Errorf("RateLimits = %+v, want %+v: classes not named keep their default", got.RateLimits, want)
	}
}

// TestLoadServe_OtherCommandsSettings makes sure that a command does not fail
// over a variable that does not concern it.
func TestLoadServe_OtherCommandsSettings(t *testing.T) {
	t.Parallel()
	if _, err := LoadServe(source(nil, "GROWPANEL_MCP_LISTEN=wrong"), ServeAPI); err != nil {
		t.Errorf("LoadServe(serve api) = %v, want the MCP address ignored", err)
	}
}

func TestLoadClient(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		file     string
		env      []string
		key, url string
		wantErr  string
	}{
		{name: "nothing", url: DefaultAPI},
		{name: "key and address", env: []string{"GROWPANEL_API_KEY=k", "GROWPANEL_API_URL=http://127.0.0.1:8081/"}, key: "k", url: "http://127.0.0.1:8081"},
		{name: "key over token", env: []string{"GROWPANEL_API_KEY=k", "GROWPANEL_API_TOKEN=t"}, key: "k", url: DefaultAPI},
		{name: "token", env: []string{"GROWPANEL_API_TOKEN=t"}, key: "t", url: DefaultAPI},
		{name: "file", file: `{"api_key": "f", "api_url": "https://a.example.com", "other": 1}`, key: "f", url: "https://a.example.com"},
		{name: "variable over file", file: `{"api_key": "f"}`, env: []string{"GROWPANEL_API_TOKEN=t"}, key: "t", url: DefaultAPI},
		{name: "file is not JSON", file: "api_key = secret", wantErr: `~/.growpanelrc: want a JSON object`},
		{name: "file with a bad address", file: `{"api_url": "example"}`, wantErr: `api_url in ~/.growpanelrc "example": want an origin`},
		{name: "bad address", env: []string{"GROWPANEL_API_URL=https://a.example.com/v1"}, wantErr: "without user, path or query"},
		{name: "bad switch", env: []string{"GROWPANEL_READ_ONLY=2"}, wantErr: "GROWPANEL_READ_ONLY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := source(nil, tt.env...)
			from.Home = t.TempDir()
			if tt.file != "" {
				if err := os.WriteFile(filepath.Join(from.Home, ".growpanelrc"), []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := LoadClient(from)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("LoadClient() error = %v, want %q", err, tt.wantErr)
				}
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("LoadClient() error shows the key: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.APIKey.Reveal() != tt.key || got.APIURL != tt.url {
				t.Errorf("LoadClient() = %q at %s, want %q at %s", got.APIKey.Reveal(), got.APIURL, tt.key, tt.url)
			}
		})
	}
}

func TestLoadClient_WarnsOfAKeyThatOthersCanRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		content string
		mode    os.FileMode
		warns   bool
	}{
		{`{"api_key": "f"}`, 0o600, false},
		{`{"api_key": "f"}`, 0o400, false},
		{`{"api_key": "f"}`, 0o640, true},
		{`{"api_key": "f"}`, 0o604, true},
		{`{"api_url": "https://a.example.com"}`, 0o644, false},
	} {
		from := source(nil)
		from.Home = t.TempDir()
		name := filepath.Join(from.Home, ".growpanelrc")
		if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, tt.mode); err != nil {
			t.Fatal(err)
		}
		got, err := LoadClient(from)
		if err != nil || strings.Contains(got.Warning, "chmod 600 ~/.growpanelrc") != tt.warns {
			t.Errorf("%s with mode %o: %v, warning %q", tt.content, tt.mode, err, got.Warning)
		}
	}
}

func TestSecret_NeverShows(t *testing.T) {
	t.Parallel()
	c := Client{APIKey: Secret{"hunter2"}}
	document, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "key", c.APIKey, "config", c)
	shown := fmt.Sprint(c, c.APIKey) + fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c.APIKey, c.APIKey, c.APIKey) + string(document) + log.String()
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74657232") {
		t.Errorf("the key shows in %s", shown)
	}
}

func TestWritePage_NamesEverySetting(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	if err := WritePage(&page); err != nil {
		t.Fatal(err)
	}
	for _, setting := range serveSettings() {
		if setting.Flag != "" && !strings.Contains(page.String(), "`--"+setting.Flag) || !strings.Contains(page.String(), "`"+setting.Env+"`") || setting.Help == "" {
			t.Errorf("docs/env.md does not explain --%s (%s)", setting.Flag, setting.Env)
		}
	}
}

// FuzzSettings feeds every setting any text: it is either refused with a reason,
// or understood, and what was understood of an origin reads back as itself.
func FuzzSettings(f *testing.F) {
	for _, value := range []string{"https://a.example.com", "http://[::1]:80/", "127.0.0.1:0", "GET=1,POST=2", "off", "2026-03-31", "true", "https://a@b", "http://%41:0"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, setting := range Flags(ServeAll) {
			var c Serve
			if err := setting.apply(&c, value); err != nil && err.Error() == "" {
				t.Errorf("--%s %q is refused without a reason", setting.Flag, value)
			}
		}
		var origin, again string
		if setOrigin(&origin, value) != nil {
			return
		}
		if err := setOrigin(&again, origin); err != nil || again != origin {
			t.Errorf("origin %q of %q reads back as %q, %v", origin, value, again, err)
		}
	})
}

func TestFolderSecrets_AreDrawnOnceAndKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	c, err := LoadServe(Source{}, ServeAPI)
	if err != nil {
		t.Fatal(err)
	}
	drawn := make(chan string, 8)
	for range cap(drawn) {
		go func() {
			secrets, err := c.FolderSecrets(folder)
			if err != nil || len(secrets) != 1 {
				t.Errorf("FolderSecrets = %v, %v", secrets, err)
				drawn <- ""
				return
			}
			drawn <- secrets[0].Reveal()
		}()
	}
	first := <-drawn
	for range cap(drawn) - 1 {
		if next := <-drawn; next != first || len(next) != 64 {
			t.Errorf("two processes drew %d and %d bytes, not the same secret", len(first), len(next))
		}
	}
	info, err := os.Stat(filepath.Join(folder, "secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v, want the secret alone", left, err)
	}
}

func TestLoadServe_Secrets(t *testing.T) {
	t.Parallel()
	one, two := strings.Repeat("a", 32), strings.Repeat("b", 40)
	file := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(file, []byte(one+"\n"+two+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string][]string{"a list": {"GROWPANEL_SECRET=" + one + ", " + two}, "a file": {"GROWPANEL_SECRET_FILE=" + file}} {
		c, err := LoadServe(source(nil, env...), ServeAPI)
		if err != nil || len(c.Secrets) != 2 || c.Secrets[0].Reveal() != one || c.Secrets[1].Reveal() != two {
			t.Errorf("%s: %d secrets, %v", name, len(c.Secrets), err)
		}
		if folder, err := c.FolderSecrets("/nowhere"); err != nil || len(folder) != 2 {
			t.Errorf("%s: FolderSecrets = %v, %v", name, folder, err)
		}
	}
	for name, env := range map[string][]string{
		"too short": {"GROWPANEL_SECRET=" + one + ",short"}, "nothing but a comma": {"GROWPANEL_SECRET=,"},
		"no such file": {"GROWPANEL_SECRET_FILE=" + file + "-"}, "both": {"GROWPANEL_SECRET=" + one, "GROWPANEL_SECRET_FILE=" + file},
	} {
		if _, err := LoadServe(source(nil, env...), ServeAPI); err == nil || strings.Contains(err.Error(), one) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSetMailServer(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]Mail{
		"smtps://u:p%40@smtp.example.com": {Host: "smtp.example.com", Port: "465", User: "u", Password: Secret{"p@"}, TLS: true},
		"smtp://127.0.0.1:2525":           {Host: "127.0.0.1", Port: "2525"},
		"smtp://smtp.example.com/":        {Host: "smtp.example.com", Port: "587"},
	} {
		var got Mail
		if err := setMailServer(&got, value); err != nil || got != want {
			t.Errorf("%s: %+v, %v", value, got, err)
		}
	}
	for _, value := range []string{"", "smtp.example.com:25", "smtp://", "https://smtp.example.com", "smtp://a/b", "smtp://a?x=1", "smtp://a:99999"} {
		if err := setMailServer(&Mail{}, value); err == nil {
			t.Errorf("%q was taken", value)
		}
	}
}

func TestMail_NeedsSenderAndAddress(t *testing.T) {
	t.Parallel()
	_, err := LoadServe(source(nil, "GROWPANEL_SMTP_URL=smtp://127.0.0.1:25"), ServeAPI)
	for _, want := range []string{"GROWPANEL_SMTP_FROM", "--api-public-url"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to name %s", err, want)
		}
	}
}
