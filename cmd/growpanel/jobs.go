package main

import (
	"context"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest/pull"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/internal/sealed"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// outgoing is what calls to the URLs of users may reach.
func (pf *platform) outgoing(p process, cfg config.Serve) httpx.OutgoingConfig {
	return httpx.OutgoingConfig{
		Networks: cfg.PrivateNetworks, AllowHTTP: len(cfg.PrivateNetworks) > 0, Log: httpx.LogCalls(pf.log), Now: p.now,
	}
}

// openJobs adds the work that outlives a request.
func (pf *platform) openJobs(ctx context.Context, p process, cfg config.Serve, store *sqlstore.Store, engine *analytics.Engine, users *identity.Service, secrets []config.Secret) (*pull.Control, *notify.Service, error) {
	box, err := newBox("credentials", secrets)
	if err != nil {
		return nil, nil, err
	}
	importer := pull.NewImporter(pull.Config{Engine: engine, Sealer: box, Outgoing: pf.outgoing(p, cfg), Now: p.now, Logger: pf.log})
	links, err := newBox("mail-links", secrets)
	if err != nil {
		return nil, nil, err
	}
	receivers, err := newBox("webhooks", secrets)
	if err != nil {
		return nil, nil, err
	}
	err = store.Analytics().RewriteConnections(ctx, func(account, source string, connection []byte) ([]byte, error) {
		return pull.Reseal(box, account, source, connection)
	})
	if err != nil {
		return nil, nil, err
	}
	if err := store.Hooks(receivers).Reseal(ctx); err != nil {
		return nil, nil, err
	}
	hooks := notify.New(notify.Config{
		Store: store.Hooks(receivers), Queue: store.Jobs(), Engine: engine, Now: p.now, Outgoing: pf.outgoing(p, cfg), Version: version,
		Suspended: users.Closing,
		Mailer:    p.mailer(cfg.Mail), People: people{users}, Sealer: links, PublicURL: cfg.APIPublicURL,
	})
	handlers := hooks.Handlers()
	handlers[pull.JobKind] = importer.Handler()
	runner := jobs.NewRunner(jobs.Config{Store: store.Jobs(), Handlers: handlers, Suspended: users.Closing, Now: p.now, Logger: pf.log})
	// This process alone has the data folder: whoever held a lease is gone.
	if _, err := store.Jobs().ReclaimAll(ctx, p.now()); err != nil {
		return nil, nil, err
	}
	pf.tasks = append(pf.tasks, runner.Run)
	return pull.NewControl(engine, runner, importer), hooks, hooks.Start(ctx, runner)
}

// newBox derives what seals texts of one purpose.
func newBox(purpose string, secrets []config.Secret) (*sealed.Box, error) {
	raw := make([][]byte, len(secrets))
	for i, secret := range secrets {
		raw[i] = []byte(secret.Reveal())
	}
	return sealed.NewBox(purpose, raw...)
}
