// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command proxyoracle says what Go itself decides about HTTPS_PROXY and NO_PROXY of its environment: for each URL, one a line on standard
// input, it writes "proxy" or "direct". net/http is what kube-apiserver asks as well.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		request, err := http.NewRequest("GET", lines.Text(), nil)
		if err != nil {
			fmt.Fprintln(out, "invalid")
			continue
		}
		proxy, err := http.ProxyFromEnvironment(request)
		switch {
		case err != nil:
			fmt.Fprintln(out, "invalid")
		case proxy == nil:
			fmt.Fprintln(out, "direct")
		default:
			fmt.Fprintln(out, "proxy")
		}
	}
}
