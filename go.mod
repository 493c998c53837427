module github.com/growpanel/growpanel-mcp

go 1.26
