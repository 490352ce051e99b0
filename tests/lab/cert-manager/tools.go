//go:build tools

// Package tools names what the lab builds of cert-manager, so that its modules are pinned.
package tools

import (
	_ "github.com/cert-manager/cert-manager/cmd/cainjector/app"
	_ "github.com/cert-manager/cert-manager/cmd/controller/app"
	_ "github.com/cert-manager/cert-manager/cmd/webhook/app"
)
