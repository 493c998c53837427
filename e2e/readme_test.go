package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// configured is one server in a client's configuration, in the forms that the
// README shows.
type configured struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
}

// What the README tells people to paste into their clients works, but for the
// ports, which are taken as they come here, and for where programs are.
func TestReadme_Configurations(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	d := startDemo(t)
	here := strings.NewReplacer(
		"http://127.0.0.1:8080", strings.TrimSuffix(d.mcpURL, "/mcp"),
		"http://127.0.0.1:8081", d.apiURL,
		"/path/to/this/folder/bin", bin,
	)
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	tested := 0
	for _, block := range blocks {
		var file map[string]json.RawMessage
		decode(t, block[1], &file)
		for _, name := range []string{"mcpServers", "servers"} {
			if _, ok := file[name]; !ok {
				continue
			}
			var servers map[string]configured
			decode(t, here.Replace(string(file[name])), &servers)
			for _, server := range servers {
				tested++
				connect(t, server)
			}
		}
	}
	if tested < 4 {
		t.Errorf("the README configures %d clients, want Claude Desktop, Cursor, VS Code and mcp-remote", tested)
	}
}

// connect lists the tools of a configured server and calls one.
func connect(t *testing.T, server configured) {
	t.Helper()
	options := map[string]any{"tool": "get_report", "arguments": question}
	if server.URL != "" {
		options["url"] = server.URL
		options["token"] = strings.TrimPrefix(server.Headers["Authorization"], "Bearer ")
	} else {
		if server.Command == "npx" {
			if len(server.Args) < 2 || server.Args[0] != "-y" {
				t.Fatalf("npx %q would ask before it installs", server.Args)
			}
			server.Command, server.Args = installed(t, ".bin/"+server.Args[1]), server.Args[2:]
			server.Env = map[string]string{"MCP_REMOTE_CONFIG_DIR": t.TempDir()}
		}
		if server.Args == nil {
			server.Args = []string{}
		}
		options["command"], options["args"], options["env"] = server.Command, server.Args, server.Env
	}
	encoded, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	out, err := output(t, cleanEnv(), nil, "node", "clients/sdk1.mjs", string(encoded))
	if err != nil {
		t.Fatalf("%+v: %v", server, err)
	}
	var got session
	decode(t, out, &got)
	if diff := cmp.Diff(theTools, got.Tools); diff != "" || got.Result.IsError {
		t.Errorf("%+v: result %+v, tools (-want +got):\n%s", server, got.Result, diff)
	}
}
