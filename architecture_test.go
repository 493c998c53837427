// Package growpanel holds the policy tests of the repository: what may import
// what, and what every package, dependency and setting must have.
package growpanel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/growpanel/growpanel-mcp"

// layout lists every package with the packages of ours that it may import; the
// arrows of ARCHITECTURE.md. A name ending in /... stands for the package and
// all below it. A package that is not listed fails: add it here on purpose.
// Tests, and packages that only tests use (their names end in "test"), are free
// to import what they need.
var layout = map[string][]string{
	".":                 {},
	"cmd/growpanel":     {"..."},
	"cmd/growpanel-mcp": {"mcp", "apiclient", "config"},

	"docs/metrics":        {},
	"docs/metrics/refdoc": {"docs/metrics", "openapi"},

	"mcp/...":         {"mcp/...", "docs/metrics", "apiclient", "openapi/...", "internal/httpx", "internal/jsonscan"},
	"oauth/...":       {"oauth/...", "apiclient", "internal/httpx"},
	"oauth/sqlstore":  {"oauth", "internal/sqldb"},
	"apiclient":       {"openapi/..."},
	"openapi/...":     {"openapi/..."},
	"cli/...":         {"cli/...", "apiclient", "openapi/...", "ingest/csvfile"},
	"httpapi/...":     {"httpapi/...", "analytics/...", "identity", "ingest/...", "jobs", "notify", "billing", "openapi/...", "internal/httpx"},
	"identity/...":    {"identity"},
	"ingest/...":      {"ingest/...", "analytics/...", "jobs", "internal/httpx", "internal/jsonscan"},
	"jobs":            {},
	"notify":          {"analytics/...", "jobs", "internal/httpx"},
	"fxfeed":          {"analytics/fx", "analytics/calendar", "analytics/money", "internal/httpx"},
	"billing":         {},
	"analytics/...":   {"analytics/..."},
	"store/sqlstore":  {"internal/sqldb", "analytics/...", "fxfeed", "identity", "billing", "jobs", "notify"},
	"store/storetest": {"analytics/...", "identity", "billing", "jobs", "notify"},

	"config/...":         {"config"},
	"internal/backup":    {},
	"internal/sqldb":     {},
	"internal/httpx/...": {},
	"internal/jsonscan":  {},
	"internal/demo":      {},
	"internal/sealed":    {},
	"e2e/...":            {},
}

// libraries lists every module we depend on with the packages that may use it.
// The reasons are in docs/adr/0001-dependencies.md.
var libraries = map[string][]string{
	"github.com/mark3labs/mcp-go":      {"mcp/...", "e2e/..."},
	"github.com/spf13/cobra":           {"cli/...", "cmd/..."},
	"github.com/spf13/pflag":           {"cli/...", "cmd/..."},
	"github.com/oapi-codegen/runtime":  {"openapi/wire", "apiclient", "httpapi"},
	"github.com/oapi-codegen/nullable": {"openapi/wire", "apiclient", "httpapi"},
	"github.com/go-jose/go-jose/v4":    {"oauth"},
	"github.com/google/uuid":           {"identity", "analytics", "internal/httpx"},
	"golang.org/x/crypto":              {"identity"},
	"github.com/golang-jwt/jwt/v5":     {"identity", "oauth/..."},
	"github.com/coreos/go-oidc/v3":     {"identity", "oauth"},
	"golang.org/x/oauth2":              {"oauth"},
	"github.com/redis/go-redis/v9":     {"oauth/redisstore"},
	"modernc.org/sqlite":               {"internal/sqldb"},
	"golang.org/x/text":                {"ingest/csvfile"},
	"golang.org/x/sys":                 {"internal/sqldb"},
}

// pure lists what the analytics core must not import: it is arithmetic over
// events and takes everything it needs as values.
var pure = []string{"net", "net/http", "database/sql", "log", "log/slog", "os", "os/exec", "syscall"}

// source is one parsed Go file.
type source struct {
	name    string // slash path from the root
	file    *ast.File
	imports []string
}

func (s source) dir() string { return path.Dir(s.name) }

func (s source) isTest() bool {
	return strings.HasSuffix(s.name, "_test.go") || strings.HasSuffix(s.dir(), "test")
}

// walk calls visit for the slash path of every file that belongs to the tree.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", "node_modules", "growpanel-data"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		visit(filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources parses every Go file of the module; tools/ is a module of its own.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	walk(t, func(name string) {
		if path.Ext(name) != ".go" || strings.HasPrefix(name, "tools/") || strings.Contains("/"+name, "/testdata/") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s := source{name: name, file: file}
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s.imports = append(s.imports, target)
		}
		all = append(all, s)
	})
	return all
}

// matches reports whether a package is meant by a pattern of the tables above.
func matches(pattern, pkg string) bool {
	if pattern == "..." || pattern == pkg {
		return true
	}
	root, tree := strings.CutSuffix(pattern, "/...")
	return tree && (pkg == root || strings.HasPrefix(pkg, root+"/"))
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, pkg) })
}

// allowed returns what a package may import: the most specific entry of layout.
func allowed(pkg string) (imports []string, listed bool) {
	best := ""
	for _, pattern := range slices.Sorted(maps.Keys(layout)) {
		if matches(pattern, pkg) && len(pattern) > len(best) {
			best = pattern
		}
	}
	return layout[best], best != ""
}

func TestLayout(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		permitted, listed := allowed(s.dir())
		if !listed {
			t.Errorf("%s: package %s is not in the layout of architecture_test.go", s.name, s.dir())
		}
		if s.isTest() {
			continue
		}
		for _, target := range s.imports {
			ours, isOurs := strings.CutPrefix(target, module+"/")
			if isOurs && !matchesAny(permitted, ours) {
				t.Errorf("%s: %s must not import %s; its list is %q", s.name, s.dir(), ours, permitted)
			}
		}
	}
}

func TestLibraries(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, target := range s.imports {
			host, _, _ := strings.Cut(target, "/")
			if !strings.Contains(host, ".") || strings.HasPrefix(target, module) {
				continue
			}
			users, listed := libraryUsers(target)
			switch {
			case !listed:
				t.Errorf("%s: %s is not in the library list of architecture_test.go", s.name, target)
			case !matchesAny(users, s.dir()):
				t.Errorf("%s: %s is for %q alone", s.name, target, users)
			}
		}
	}
}

func libraryUsers(target string) (users []string, listed bool) {
	for library, users := range libraries {
		if matches(library+"/...", target) {
			return users, true
		}
	}
	return nil, false
}

func TestAnalyticsIsPure(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() || !matches("analytics/...", s.dir()) {
			continue
		}
		for _, target := range s.imports {
			if slices.Contains(pure, target) {
				t.Errorf("%s: the analytics core must not import %s", s.name, target)
			}
		}
	}
}

// TestPackageDocs wants one sentence on what a package is for, in one file.
func TestPackageDocs(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if strings.HasSuffix(s.file.Name.Name, "_test") {
			continue
		}
		doc := s.file.Doc.Text()
		sentence := strings.HasPrefix(doc, "Package "+s.file.Name.Name+" ") ||
			s.file.Name.Name == "main" && strings.HasPrefix(doc, "Command ")
		documented[s.dir()] = documented[s.dir()] || sentence
	}
	for _, dir := range slices.Sorted(maps.Keys(documented)) {
		if !documented[dir] {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

func TestModuleFile(t *testing.T) {
	t.Parallel()
	reasons := read(t, "docs/adr/0001-dependencies.md")
	for line := range strings.Lines(read(t, "go.mod")) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if fields[0] == "replace" || slices.Contains(fields, "=>") {
			t.Errorf("go.mod must not replace a module: %s", line)
		}
		if fields[0] == "require" {
			fields = fields[1:]
		}
		direct := len(fields) > 1 && strings.HasPrefix(fields[1], "v") && !strings.Contains(line, "// indirect")
		if direct && !strings.Contains(reasons, fields[0]) {
			t.Errorf("docs/adr/0001-dependencies.md gives no reason for %s", fields[0])
		}
	}
}

// TestEnvironmentIsDocumented wants every setting that is mentioned anywhere in
// the tree to be on the page that explains it.
func TestEnvironmentIsDocumented(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/env.md")
	setting := regexp.MustCompile(`\bGROWPANEL_[A-Z][A-Z_]*[A-Z]\b`)
	walk(t, func(name string) {
		for _, match := range slices.Compact(setting.FindAllString(read(t, name), -1)) {
			if !strings.Contains(page, "`"+match+"`") {
				t.Errorf("%s mentions %s, which docs/env.md does not explain", name, match)
			}
		}
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
