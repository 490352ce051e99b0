//go:build tools

// Package tools names what the lab builds of cri-tools, so that its modules are pinned.
package tools

import (
	_ "sigs.k8s.io/cri-tools/cmd/crictl"
)
