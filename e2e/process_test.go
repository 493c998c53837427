package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

// The documentation tells people to test a key with curl: no handshake, and
// whatever Accept header the program has.
func TestHTTP_AsDocumented(t *testing.T) {
	d := startDemo(t)
	for _, path := range []string{d.mcpURL, strings.TrimSuffix(d.mcpURL, "/mcp")} {
		status, _, body := post(t, path, d.key, listTools)
		var answer struct {
			Result struct {
				Tools []json.RawMessage `json:"tools"`
			} `json:"result"`
		}
		decode(t, body, &answer)
		if status != http.StatusOK || len(answer.Result.Tools) != len(theTools) {
			t.Errorf("POST %s = %d with %d tools", path, status, len(answer.Result.Tools))
		}
	}
	for key, challenge := range map[string]string{
		"": `Bearer realm="GrowPanel MCP Server"`,
		"de300000-0000-4000-8000-000000000001.ffffffff-0000-4000-8000-000000000002": `Bearer realm="GrowPanel MCP Server", error="invalid_token"`,
		"nonsense": `Bearer realm="GrowPanel MCP Server", error="invalid_token"`,
	} {
		status, header, body := post(t, d.mcpURL, key, listTools)
		if status != http.StatusUnauthorized || !strings.HasPrefix(header.Get("WWW-Authenticate"), challenge) {
			t.Errorf("key %q = %d, challenge %s, body %s", key, status, header.Get("WWW-Authenticate"), body)
		}
	}
}

// post sends one message and returns status, header and body.
func post(t *testing.T, target, key, message string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// The list of tools is the same bytes on stdio and over HTTP, and nothing else
// is on standard output.
func TestToolsList_IsTheSameEverywhere(t *testing.T) {
	d := startDemo(t)
	_, _, remote := post(t, d.mcpURL, d.key, listTools)
	for _, command := range [][]string{{"growpanel-mcp"}, {"growpanel", "mcp"}} {
		env := cleanEnv("GROWPANEL_API_KEY="+d.key, "GROWPANEL_API_URL="+d.apiURL)
		local, err := output(t, env, strings.NewReader(listTools+"\n"), program(command[0]), command[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		if local != remote+"\n" {
			t.Errorf("%s prints %d bytes, HTTP answers with %d", command[0], len(local), len(remote))
		}
	}
}

// Without a key the server starts all the same, and each call says what is
// missing; that reaches a person sooner than a server that does not start.
func TestStdio_WithoutKey(t *testing.T) {
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_plans"}}` + "\n"
	out, err := output(t, cleanEnv("GROWPANEL_API_URL=http://127.0.0.1:1"), strings.NewReader(call), program("growpanel-mcp"))
	if err != nil || !strings.Contains(out, `"isError":true`) || !strings.Contains(out, "GROWPANEL_API_KEY") {
		t.Errorf("answer = %s, %v; want an error that names GROWPANEL_API_KEY", out, err)
	}
}

// A client that wants the server gone closes its input or sends a signal.
func TestStdio_EndsWhenAsked(t *testing.T) {
	cmd := exec.Command(program("growpanel-mcp"))
	cmd.Env = cleanEnv("GROWPANEL_API_URL=http://127.0.0.1:1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, listTools+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v, want a clean end", err)
	}
}

// The MCP endpoint also works on its own, before an API elsewhere.
func TestRemote_BeforeAnAPIElsewhere(t *testing.T) {
	d := startDemo(t)
	log := start(t, cleanEnv("GROWPANEL_API_URL="+d.apiURL), regexp.MustCompile(`url=http://`),
		program("growpanel"), "serve", "mcp", "--mcp-listen", "127.0.0.1:0", "--data", t.TempDir())
	match := regexp.MustCompile(`url=(http://\S+)`).FindStringSubmatch(log)
	if match == nil {
		t.Fatalf("growpanel serve mcp does not say where it listens:\n%s", log)
	}
	ask := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_report","arguments":{"name":"mrr","date":"2026-01..2026-03"}}}`
	status, _, body := post(t, match[1], d.key, ask)
	var answer struct {
		Result toolResult `json:"result"`
	}
	decode(t, body, &answer)
	if status != http.StatusOK {
		t.Fatalf("tools/call = %d %s", status, body)
	}
	checkResult(t, answer.Result, reported(t, d))
	if status, _, body := post(t, match[1], "no.key", ask); status != http.StatusUnauthorized {
		t.Errorf("a key that the API does not know = %d %s", status, body)
	}
}
