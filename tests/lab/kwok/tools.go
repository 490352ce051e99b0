//go:build tools

// Package tools names what the lab builds of kwok, so that its modules are pinned.
package tools

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
