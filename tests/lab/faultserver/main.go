// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Faultserver stands behind the lab's Services: webhooks and aggregated APIs that are healthy or broken in one way, all in
// one process, as its configuration says. It also answers the lab's DNS and can be a forward proxy that intercepts TLS.
//
//	faultserver -config servers.json -ready ready
//	faultserver webhook -secure-port 8443    (in a container: see webhook.go)
//
// It writes the file named by -ready once every address is bound, and one JSON line per request to standard output.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
)

// Config is the whole configuration; Python's doctorlab.servers writes it.
type Config struct {
	DNS     *DNSConfig     `json:"dns"`
	Proxy   *ProxyConfig   `json:"proxy"`
	Servers []ServerConfig `json:"servers"`
}

// ServerConfig is one behaviour on one or more addresses.
type ServerConfig struct {
	Name   string   `json:"name"`
	Listen []string `json:"listen"`
	// Accept: what becomes of a connection before TLS. "serve" (default), "close" (FIN), "reset" (RST once the peer speaks), "stall".
	Accept string       `json:"accept"`
	TLS    *TLSConfig   `json:"tls"` // null: plain HTTP
	Answer AnswerConfig `json:"answer"`
}

// TLSConfig is how the server speaks TLS.
type TLSConfig struct {
	Certificate       string `json:"certificate"` // path of the PEM chain
	Key               string `json:"key"`
	MaxVersion        string `json:"max_version"` // "1.1": what a server from before 2018 offers
	ClientCertificate bool   `json:"client_certificate"`
}

func load(path string) (Config, error) {
	var config Config
	content, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(content, &config); err != nil {
		return config, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	if len(os.Args) > 1 && os.Args[1] == "webhook" {
		if err := serveWebhook(os.Args[2:]); err != nil {
			log.Fatalf("faultserver: %v", err)
		}
		return
	}
	path := flag.String("config", "", "path of the configuration (JSON)")
	ready := flag.String("ready", "", "file to write once every address is bound")
	flag.Parse()

	config, err := load(*path)
	if err != nil {
		log.Fatalf("faultserver: configuration: %v", err)
	}
	failed := make(chan error, 1)
	if err := start(config, failed); err != nil {
		log.Fatalf("faultserver: %v", err)
	}
	if *ready != "" {
		if err := os.WriteFile(*ready, []byte("ready\n"), 0o600); err != nil {
			log.Fatalf("faultserver: %v", err)
		}
	}
	log.Fatalf("faultserver: %v", <-failed)
}

// start binds everything before it returns; what fails later is sent to failed.
func start(config Config, failed chan<- error) error {
	if config.DNS != nil {
		if err := startDNS(*config.DNS, failed); err != nil {
			return fmt.Errorf("dns: %w", err)
		}
	}
	if config.Proxy != nil {
		if err := startProxy(*config.Proxy, failed); err != nil {
			return fmt.Errorf("proxy: %w", err)
		}
	}
	for _, server := range config.Servers {
		if err := startServer(server, failed); err != nil {
			return fmt.Errorf("%s: %w", server.Name, err)
		}
	}
	return nil
}
