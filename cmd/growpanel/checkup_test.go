package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
)

// A folder whose secret is not that of its connections tells which keys are left
// behind, and a folder without its secret says so without drawing one.
func TestDoctor_LostSecret(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	good(t, "admin", "create-account", "Acme", "--data", folder)
	secret := oauthtest.SecretText("first").Reveal()
	connectIn(t, folder)
	file := filepath.Join(folder, config.SecretFile)
	examine := func() (string, int) {
		stdout, _, code := command(t, nil, "", "admin", "doctor", "--data", folder)
		return stdout, code
	}
	if out, code := examine(); code != 1 || !strings.Contains(out, "secret of the connections is missing") {
		t.Errorf("without a secret: %d\n%s", code, out)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("doctor has drawn a secret")
	}
	for text, want := range map[string]string{
		secret:                                 "the secret opens all connections",
		strings.Repeat("x", 40):                "1 connections were made with another secret",
		strings.Repeat("y", 40):                "account acme (Acme), API key key-1 of Claude",
		strings.Repeat("z", 40) + "," + secret: "the secret opens all connections",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := examine(); !strings.Contains(out, want) || (code == 0) != strings.Contains(text, secret) {
			t.Errorf("want %q: %d\n%s", want, code, out)
		}
	}
}

// connectIn makes a connection in a data folder.
func connectIn(t *testing.T, folder string) {
	t.Helper()
	store, err := oauthsql.Open(t.Context(), folder, oauthsql.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	grants := oauth.New(oauth.Config{
		Store: store, API: oauthtest.NewAPI(), Keys: oauthtest.Keyring(t, "first"), Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Audit: func(context.Context, oauth.AuditEvent) {},
	})
	code, err := grants.IssueCode(t.Context(), oauth.CodeRequest{
		Transaction: "tx", Challenge: oauthtest.Challenge(),
		Grant: oauth.Grant{User: "ann", Account: "acme", AccountName: "Acme", Client: "c", ClientName: "Claude"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := grants.RedeemCode(t.Context(), oauth.RedeemRequest{Code: code, Client: "c", Verifier: oauth.NewSecret(oauthtest.Verifier)}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
