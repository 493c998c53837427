package redisstore

import (
	"embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/growpanel/growpanel-mcp/oauth"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// scripts holds one script per step. Each begins with #!lua, which makes Redis
// refuse one that mixes slots, and gets every key that it touches by KEYS.
type scripts struct {
	hash, members, access                                      *redis.Script
	reserve, createCode, redeem, rotate, mint, markUsed        *redis.Script
	end, touch, claim, postpone, settle, reseal                *redis.Script
	recordPut, recordGet, recordSwap, recordConsume            *redis.Script
	clientPut, clientGet, clientTouch, clientDrop, clientAdmit *redis.Script
	clientKeep                                                 *redis.Script
	take                                                       *redis.Script
}

// loadScripts puts what all scripts share into each, after its first line.
func loadScripts() (*scripts, error) {
	shared, err := scriptFiles.ReadFile("scripts/prelude.lua")
	if err != nil {
		return nil, err
	}
	constants := fmt.Sprintf("local retention = %d\nlocal max_access_tokens = %d\n",
		oauth.Retention.Milliseconds(), oauth.MaxAccessTokens)
	s := &scripts{}
	for name, script := range map[string]**redis.Script{
		"hash": &s.hash, "members": &s.members, "access": &s.access,
		"reserve": &s.reserve, "createcode": &s.createCode, "redeem": &s.redeem, "rotate": &s.rotate,
		"mint": &s.mint, "markused": &s.markUsed, "end": &s.end, "touch": &s.touch, "claim": &s.claim,
		"postpone": &s.postpone, "settle": &s.settle, "reseal": &s.reseal,
		"record_put": &s.recordPut, "record_get": &s.recordGet, "record_swap": &s.recordSwap,
		"record_consume": &s.recordConsume,
		"client_put":     &s.clientPut, "client_get": &s.clientGet, "client_touch": &s.clientTouch,
		"client_drop": &s.clientDrop, "client_admit": &s.clientAdmit, "client_keep": &s.clientKeep,
		"take": &s.take,
	} {
		source, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
		if err != nil {
			return nil, err
		}
		first, rest, ok := strings.Cut(string(source), "\n")
		if !ok || !strings.HasPrefix(first, "#!lua") {
			return nil, fmt.Errorf("script %s does not begin with #!lua", name)
		}
		*script = redis.NewScript(first + "\n" + constants + string(shared) + rest)
	}
	return s, nil
}
