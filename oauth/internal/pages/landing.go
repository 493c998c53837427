package pages

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/url"
	"strconv"
)

// Landing tells a browser at the server's address how to connect to it.
type Landing struct {
	Session
	URL     string // origin under which clients reach this server
	APIURL  string // origin of the REST API
	OAuth   bool   // clients can sign in, rather than bring a key
	Local   bool   // this machine alone reaches URL
	Version string
}

func (Landing) page() page {
	return page{template: "landing", title: "Connect your assistant", wide: true, script: true}
}

// Guide is how one client is connected.
type Guide struct {
	Name, About string
	Icon        string // "chat", "terminal", "editor", "key" or "link"
	Open        bool   // shown from the start
	Steps       []Step
}

// Step is one thing to do.
type Step struct {
	Text string
	Code *Code
	Link *Link
}

// Code is something to copy. Its label names it to those who cannot see it.
type Code struct{ ID, Label, Text string }

// Link opens an app with the server's address filled in.
type Link struct {
	Label string
	Href  template.URL
}

const yourKey = "your-api-key-here"

// mcp is the address of the MCP endpoint in configurations. Clients take the
// plain origin too, but it is what a few of them handle best.
func (l Landing) mcp() string { return l.URL + "/mcp" }

// Guides are the clients in the order in which people look for them.
func (l Landing) Guides() []Guide {
	var guides []Guide
	if l.OAuth {
		guides = append(guides, l.claude(), l.claudeCode(), l.chatGPT(), l.cursor(), l.vsCode(), l.mcpRemote())
	}
	guides = append(guides, l.withKey(), l.stdio(), l.curl())
	guides[0].Open = true
	for i, guide := range guides {
		for j, step := range guide.Steps {
			if step.Code != nil {
				step.Code.ID = "code-" + strconv.Itoa(i) + "-" + strconv.Itoa(j)
			}
		}
	}
	return guides
}

func (l Landing) claude() Guide {
	return Guide{
		Name: "Claude", About: "Web, desktop and phone", Icon: "chat",
		Steps: []Step{
			{Text: "Open Settings → Connectors and choose “Add custom connector”."},
			{Text: "Paste this address. Leave the fields for a client ID empty.", Code: &Code{Label: "the address for Claude", Text: l.URL}},
			{Text: "Click Connect, sign in to GrowPanel, choose an account, and click Allow."},
		},
	}
}

func (l Landing) claudeCode() Guide {
	return Guide{
		Name: "Claude Code", About: "In the terminal", Icon: "terminal",
		Steps: []Step{
			{Text: "Add the server.", Code: &Code{Label: "the command for Claude Code", Text: "claude mcp add --transport http growpanel " + l.mcp()}},
			{Text: "Start claude, type /mcp, choose growpanel and then Authenticate. Your browser opens; click Allow."},
		},
	}
}

func (l Landing) chatGPT() Guide {
	return Guide{
		Name: "ChatGPT", About: "Web and desktop", Icon: "chat",
		Steps: []Step{
			{Text: "Open Settings → Connectors and choose “Add custom connector”. Some plans ask you to turn on developer mode first, under Advanced."},
			{Text: "Paste this address and choose OAuth for authentication.", Code: &Code{Label: "the address for ChatGPT", Text: l.URL}},
			{Text: "Click Connect, sign in to GrowPanel, choose an account, and click Allow."},
		},
	}
}

func (l Landing) cursor() Guide {
	entry := map[string]string{"url": l.mcp()}
	install := "cursor://anysphere.cursor-deeplink/mcp/install?" + url.Values{
		"name": {"growpanel"}, "config": {base64.StdEncoding.EncodeToString([]byte(compact(entry)))},
	}.Encode()
	return Guide{
		Name: "Cursor", About: "Editor and agents", Icon: "editor",
		Steps: []Step{
			{Text: "Let Cursor add the server,", Link: &Link{"Add to Cursor", template.URL(install)}}, //nolint:gosec // made of our own address
			{Text: "or write it into ~/.cursor/mcp.json yourself.", Code: &Code{Label: "the configuration for Cursor", Text: servers("mcpServers", entry)}},
			{Text: "Open Settings → MCP, click “Needs login” beside growpanel, and click Allow in your browser."},
		},
	}
}

func (l Landing) vsCode() Guide {
	entry := struct {
		Name string `json:"name,omitempty"`
		Type string `json:"type"`
		URL  string `json:"url"`
	}{"growpanel", "http", l.mcp()}
	install := "vscode:mcp/install?" + url.PathEscape(compact(entry))
	entry.Name = ""
	return Guide{
		Name: "VS Code", About: "With GitHub Copilot", Icon: "editor",
		Steps: []Step{
			{Text: "Let VS Code add the server,", Link: &Link{"Add to VS Code", template.URL(install)}}, //nolint:gosec // made of our own address
			{Text: "or write it into .vscode/mcp.json yourself.", Code: &Code{Label: "the configuration for VS Code", Text: servers("servers", entry)}},
			{Text: "Click Start above the entry, allow VS Code to open your browser, and click Allow there."},
		},
	}
}

func (l Landing) mcpRemote() Guide {
	return Guide{
		Name: "Any other client", About: "Windsurf, Zed and everything that starts a program, through mcp-remote", Icon: "link",
		Steps: []Step{
			{Text: "Clients that take an address need only this one.", Code: &Code{Label: "the address for other clients", Text: l.mcp()}},
			{Text: "For those that start a program, put this into their configuration. It needs Node 20 or newer.", Code: &Code{
				Label: "the configuration for mcp-remote", Text: servers("mcpServers", program{Command: "npx", Args: []string{"-y", "mcp-remote", l.mcp()}}),
			}},
			{Text: "Restart the client. Your browser opens; sign in and click Allow."},
		},
	}
}

func (l Landing) withKey() Guide {
	return Guide{
		Name: "With an API key", About: "For clients that cannot open a browser", Icon: "key",
		Steps: []Step{
			{Text: "Send the key as a bearer token. A key with the role read-only is enough for questions.", Code: &Code{
				Label: "the configuration with a key", Text: servers("mcpServers", struct {
					URL     string            `json:"url"`
					Headers map[string]string `json:"headers"`
				}{l.mcp(), map[string]string{"Authorization": "Bearer " + yourKey}}),
			}},
			{Text: "The same through mcp-remote:", Code: &Code{
				Label: "the configuration for mcp-remote with a key", Text: servers("mcpServers", program{
					Command: "npx", Args: []string{"-y", "mcp-remote", l.mcp(), "--header", "Authorization:Bearer " + yourKey},
				}),
			}},
		},
	}
}

func (l Landing) stdio() Guide {
	return Guide{
		Name: "On your own machine", About: "The server as a local program, over stdio", Icon: "terminal",
		Steps: []Step{
			{Text: "Put the program growpanel-mcp on your PATH."},
			{Text: "Add it to the configuration of your client.", Code: &Code{
				Label: "the configuration for stdio", Text: servers("mcpServers", program{
					Command: "growpanel-mcp", Env: map[string]string{"GROWPANEL_API_KEY": yourKey, "GROWPANEL_API_URL": l.APIURL},
				}),
			}},
		},
	}
}

func (l Landing) curl() Guide {
	return Guide{
		Name: "curl", About: "To see that address and key work", Icon: "terminal",
		Steps: []Step{
			{Text: "This lists the 14 tools.", Code: &Code{
				Label: "the command for curl", Text: "curl -X POST " + l.mcp() + " \\\n" +
					"  -H 'Authorization: Bearer " + yourKey + "' \\\n" +
					"  -H 'Content-Type: application/json' \\\n" +
					"  -H 'Accept: application/json, text/event-stream' \\\n" +
					`  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
			}},
		},
	}
}

// program is an entry for clients that start their servers.
type program struct {
	Command string            `json:"command"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// servers is a client's configuration with this server alone.
func servers(section string, entry any) string {
	return marshal(map[string]any{section: map[string]any{"growpanel": entry}}, "  ")
}

func compact(v any) string { return marshal(v, "") }

// marshal is v as JSON for people: & and < stay what they are.
func marshal(v any, indent string) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		panic(err) // strings and maps of them always encode
	}
	return string(bytes.TrimSpace(text.Bytes()))
}
