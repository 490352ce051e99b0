//go:build tools

// Package tools names what the lab builds of Pebble, so that its modules are pinned.
package tools

import (
	_ "github.com/letsencrypt/challtestsrv"
	_ "github.com/letsencrypt/pebble/v2/core"
	_ "github.com/letsencrypt/pebble/v2/wfe"
)
