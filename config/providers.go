package config

import (
	"errors"
	"slices"
	"strings"
)

// Provider is an OpenID Connect provider whose users can sign in.
type Provider struct {
	ID, Name string
	Issuer   string
	ClientID string
	// ClientSecret is needed where the pages are served, by serve and serve mcp.
	ClientSecret Secret
	// LinkVerifiedEmail lets a person in as the user with their verified address who
	// has no password yet.
	LinkVerifiedEmail bool
}

// Providers are the providers there can be; one without a client id is off.
type Providers struct {
	Google, Microsoft, OIDC Provider
	// LinkVerifiedEmail are the ids of providers.
	LinkVerifiedEmail []string
}

// The ids of providers.
const (
	googleID    = "google"
	microsoftID = "microsoft"
	oidcID      = "oidc"
)

// List returns the providers that are on.
func (p Providers) List() []Provider {
	p.Google.ID, p.Google.Name, p.Google.Issuer = googleID, "Google", "https://accounts.google.com"
	p.Microsoft.ID, p.Microsoft.Name = microsoftID, "Microsoft"
	p.OIDC.ID = oidcID
	if p.OIDC.Name == "" {
		p.OIDC.Name = "single sign-on"
	}
	var on []Provider
	for _, provider := range []Provider{p.Google, p.Microsoft, p.OIDC} {
		if provider.ClientID == "" {
			continue
		}
		provider.LinkVerifiedEmail = slices.Contains(p.LinkVerifiedEmail, provider.ID)
		on = append(on, provider)
	}
	return on
}

// check finds providers of which a part is missing.
func (p Providers) check(command Command) error {
	var all []error
	missing := func(name, what string, is bool) {
		if is {
			all = append(all, &Error{Name: name, Want: what})
		}
	}
	for _, provider := range p.List() {
		prefix := "GROWPANEL_" + strings.ToUpper(provider.ID)
		missing(prefix+"_CLIENT_SECRET", "the secret that belongs to "+prefix+"_CLIENT_ID", command != ServeAPI && provider.ClientSecret.IsZero())
		if provider.ID == microsoftID {
			missing(prefix+"_TENANT", "the id of the tenant whose users may sign in", provider.Issuer == "")
		}
		if provider.ID == oidcID {
			missing(prefix+"_ISSUER", "the issuer to which "+prefix+"_CLIENT_ID belongs", provider.Issuer == "")
		}
	}
	for _, id := range p.LinkVerifiedEmail {
		off := !slices.ContainsFunc(p.List(), func(provider Provider) bool { return provider.ID == id })
		missing("--link-verified-email", "providers that are set up, of google, microsoft and oidc", off)
	}
	return errors.Join(all...)
}

func providerSettings() []Setting {
	all := []Command{ServeAll, ServeAPI, ServeMCP}
	set := func(env, help string, secret bool, apply func(*Providers, string) error) Setting {
		return Setting{Env: env, Default: "off", Commands: all, Secret: secret, Help: help, apply: func(c *Serve, value string) error { return apply(&c.Providers, value) }}
	}
	text := func(of func(*Providers) *string) func(*Providers, string) error {
		return func(p *Providers, value string) error { *of(p) = value; return nil }
	}
	secret := func(of func(*Providers) *Provider) func(*Providers, string) error {
		return func(p *Providers, value string) error { of(p).ClientSecret = Secret{value}; return nil }
	}
	return []Setting{
		set("GROWPANEL_GOOGLE_CLIENT_ID", "client id of sign-in with Google; its redirect URI is `<public URL>/auth/callback/google`", false, text(func(p *Providers) *string { return &p.Google.ClientID })),
		set("GROWPANEL_GOOGLE_CLIENT_SECRET", "its secret", true, secret(func(p *Providers) *Provider { return &p.Google })),
		set("GROWPANEL_MICROSOFT_CLIENT_ID", "client id of sign-in with Microsoft; its redirect URI is `<public URL>/auth/callback/microsoft`", false, text(func(p *Providers) *string { return &p.Microsoft.ClientID })),
		set("GROWPANEL_MICROSOFT_CLIENT_SECRET", "its secret", true, secret(func(p *Providers) *Provider { return &p.Microsoft })),
		set("GROWPANEL_MICROSOFT_TENANT", "id of the tenant whose users may sign in", false, setTenant),
		set("GROWPANEL_OIDC_ISSUER", "issuer of another OpenID Connect provider, such as https://id.example.com", false, setIssuer),
		set("GROWPANEL_OIDC_CLIENT_ID", "client id there; its redirect URI is `<public URL>/auth/callback/oidc`", false, text(func(p *Providers) *string { return &p.OIDC.ClientID })),
		set("GROWPANEL_OIDC_CLIENT_SECRET", "its secret", true, secret(func(p *Providers) *Provider { return &p.OIDC })),
		set("GROWPANEL_OIDC_NAME", "what its button is called", false, text(func(p *Providers) *string { return &p.OIDC.Name })),
		{
			Flag: "link-verified-email", Env: "GROWPANEL_LINK_VERIFIED_EMAIL", Kind: "PROVIDERS", Default: "none", Commands: all,
			Help: "providers that own the addresses of their users, of google, microsoft and oidc, separated by commas: someone with a verified address signs in as the user who has it, until that one has a password",
			apply: func(c *Serve, value string) error {
				c.Providers.LinkVerifiedEmail = nil
				for id := range strings.SplitSeq(value, ",") {
					id = strings.TrimSpace(id)
					if id != googleID && id != microsoftID && id != oidcID {
						return errors.New("google, microsoft or oidc, separated by commas")
					}
					c.Providers.LinkVerifiedEmail = append(c.Providers.LinkVerifiedEmail, id)
				}
				return nil
			},
		},
	}
}

// setTenant takes one tenant: an address of many would let anybody in.
func setTenant(p *Providers, value string) error {
	if strings.ContainsAny(value, "/?#@ ,") || slices.Contains([]string{"common", "organizations", "consumers"}, value) {
		return errors.New("the id of one tenant, such as 72f988bf-86f1-41af-91ab-2d7cd011db47")
	}
	p.Microsoft.Issuer = "https://login.microsoftonline.com/" + value + "/v2.0"
	return nil
}

// setIssuer keeps the text as it is: an issuer is compared byte for byte.
func setIssuer(p *Providers, value string) error {
	if !strings.HasPrefix(value, "https://") && !loopback(value) || strings.ContainsAny(value, "?#@ ") {
		return errors.New("an https URL such as https://id.example.com, as the provider writes it")
	}
	p.OIDC.Issuer = value
	return nil
}
