//go:build tools

// Package tools names what the lab builds of Gatekeeper, so that its modules are pinned.
package tools

import (
	_ "github.com/open-policy-agent/gatekeeper/v3"
)
