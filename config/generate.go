package config

//go:generate go run ./envdoc ../docs/env.md
