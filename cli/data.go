package cli

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

func (c *client) data() *cobra.Command {
	resources := group("data", "Read, push, change and delete customers, plans, invoices, data sources, plan groups and segments")
	for _, name := range []string{"customers", "plans", "invoices"} {
		resources.AddCommand(group(name, "Read, push, change and delete "+name,
			c.rows(name),
			c.row("get <id>", "Show one as it was pushed", http.MethodGet, false, name),
			c.push(name),
			c.row("update <id>", "Change fields of one and recompute", http.MethodPut, true, name),
			c.row("delete <id>", "Delete one and recompute", http.MethodDelete, false, name)))
	}
	resources.AddCommand(c.sources(), c.importCSV(), c.planGroups(), c.segments())
	return resources
}

func (c *client) sources() *cobra.Command {
	at := []string{"data", "data-sources"}
	return group("data-sources", "Manage data sources and what they fetch",
		c.get("list", "List data sources", at...),
		c.byID("get <id>", "Show one with its connection", http.MethodGet, at...),
		c.send("create", "Create a data source; the key of type api is shown once", http.MethodPost, at...),
		c.send("update <id>", "Rename one or change its connection", http.MethodPut, at...),
		c.byID("delete <id>", "Delete one with all of its rows", http.MethodDelete, at...),
		c.act("reset <id>", "Remove all rows of one", "reset", false),
		c.act("connect <id>", "Connect one to an endpoint to fetch from", "connect", true),
		c.act("full-import <id>", "Fetch everything from its endpoint", "full-import", false),
		c.progress(),
		c.act("abort <id>", "End the import that runs", "abort", false))
}

func (c *client) progress() *cobra.Command {
	return &cobra.Command{
		Use: "progress <id>", Short: "See how its last import is getting on", Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: []string{"data", "data-sources", args[0], "progress"}})
		},
	}
}

// act is a command that does something with a data source.
func (c *client) act(use, short, action string, mayBody bool) *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			r := request{method: http.MethodPost, segments: []string{"data", "data-sources", args[0], action}}
			if flag != "" {
				if r.body, err = c.body(flag, true); err != nil {
					return err
				}
			}
			return c.call(cmd.Context(), r)
		},
	}
	if mayBody {
		bodyFlag(cmd, &flag)
	}
	return cmd
}

func (c *client) planGroups() *cobra.Command {
	const name = "plan-groups"
	return group(name, "Read, create, change, merge and delete plan groups",
		c.get("list", "List plan groups", "data", name),
		c.byID("get <id>", "Show one", http.MethodGet, "data", name),
		c.send("create", "Create one of named plans, or one that chooses its plans", http.MethodPost, "data", name),
		c.send("update <id>", "Change fields of one", http.MethodPut, "data", name),
		c.byID("delete <id>", "Delete one; its plans stay", http.MethodDelete, "data", name),
		c.send("merge", "Move the plans of a source to a target and delete the source", http.MethodPost, "data", name, "merge"),
		c.send("delete-multiple", "Delete several", http.MethodPost, "data", name, "delete-multiple"),
		c.maySend("ai-suggest", "Propose groups of plans with like names", http.MethodPost, "data", name, "ai-suggest"))
}

func (c *client) segments() *cobra.Command {
	const name = "segments"
	return group(name, "Read, create, change and delete segments: filters of reports under a name",
		c.get("list", "List segments", "data", name),
		c.byID("get <id>", "Show one", http.MethodGet, "data", name),
		c.send("create", "Create one", http.MethodPost, "data", name),
		c.send("update <id>", "Change fields of one", http.MethodPut, "data", name),
		c.byID("delete <id>", "Delete one", http.MethodDelete, "data", name))
}

// rows lists stored rows.
func (c *client) rows(name string) *cobra.Command {
	var limit, offset int
	var params []string
	flags := map[string]*string{}
	cmd := &cobra.Command{
		Use: "list", Short: "List " + name + " as they were pushed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := pairs(params)
			if err != nil {
				return err
			}
			query.Set("limit", strconv.Itoa(limit))
			query.Set("offset", strconv.Itoa(offset))
			for param, value := range flags {
				if *value != "" {
					query.Set(param, *value)
				}
			}
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: []string{"data", name}, query: query})
		},
	}
	flags["data_source"] = cmd.Flags().String("data-source", "", "only those of this data source `id`")
	if name == "invoices" {
		flags["customer"] = cmd.Flags().String("customer", "", "only those of this customer `id`")
		flags["date"] = cmd.Flags().String("date", "", "only those dated in this `range`")
		flags["type"] = cmd.Flags().String("type", "", "only those of this `type`: subscription, one-time, refund or cancellation")
		flags["status"] = cmd.Flags().String("status", "", "only those of this `status`: paid, open, failed, void or uncollectible")
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this `many`, up to 1000")
	cmd.Flags().IntVar(&offset, "offset", 0, "skip this `many`")
	cmd.Flags().StringArrayVar(&params, "param", nil, "any other parameter as `key=value`; may be repeated")
	return cmd
}

// row is a command about one stored row.
func (c *client) row(use, short, method string, takesBody bool, name string) *cobra.Command {
	var flag, source string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			r := request{method: method, segments: []string{"data", name, args[0]}, query: url.Values{}}
			if takesBody {
				if r.body, err = c.body(flag, true); err != nil {
					return err
				}
			}
			if source != "" {
				r.query.Set("data_source", source)
			}
			return c.call(cmd.Context(), r)
		},
	}
	if takesBody {
		bodyFlag(cmd, &flag)
	}
	cmd.Flags().StringVar(&source, "data-source", "", "data source `id`, for an id that several have")
	return cmd
}

// push creates or updates rows: one object, an array or a named batch.
func (c *client) push(name string) *cobra.Command {
	var flag, source string
	cmd := &cobra.Command{
		Use: "create", Short: "Create or update " + name + ": one object, an array or a batch", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := c.body(flag, true)
			if err != nil {
				return err
			}
			query := url.Values{}
			if source != "" {
				query.Set("data_source", source)
			}
			return c.call(cmd.Context(), request{method: http.MethodPost, segments: []string{"data", name}, query: query, body: body})
		},
	}
	bodyFlag(cmd, &flag)
	cmd.Flags().StringVar(&source, "data-source", "", "data source `id` (the only one when not given)")
	return cmd
}
