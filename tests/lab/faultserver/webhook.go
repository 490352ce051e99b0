// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// serveWebhook is the fault server as the program of a container: one webhook with the certificate of a mounted Secret, and the paths that probes
// ask for. Its ports are flags, as those of the webhooks that people run. It returns when a listener has failed, and nil when it was told to end,
// once it has answered what it was asked.
//
//	faultserver webhook -secure-port=8443 -faults='{"accept": "stall"}'
func serveWebhook(arguments []string) error {
	flags := flag.NewFlagSet("webhook", flag.ExitOnError)
	securePort := flags.Int("secure-port", 8443, "where reviews are answered, on every address")
	healthzPort := flags.Int("healthz-port", 6080, "where /healthz, /livez and /readyz are answered over plain HTTP; 0: nowhere")
	certificate := flags.String("certificate", "/tls/tls.crt", "PEM, read for every connection: a mounted Secret changes")
	key := flags.String("key", "/tls/tls.key", "PEM")
	faults := flags.String("faults", "{}", `an item of "servers" of the configuration, as JSON, without addresses and paths; "tls": null is plain HTTP`)
	_ = flags.Parse(arguments) // ends the program where it fails

	config := ServerConfig{Name: "webhook", TLS: &TLSConfig{}}
	if err := json.Unmarshal([]byte(*faults), &config); err != nil {
		return fmt.Errorf("-faults: %w", err)
	}
	config.Listen = []string{fmt.Sprintf(":%d", *securePort)}
	var tlsConfig *tls.Config
	if config.TLS != nil {
		config.TLS.Certificate, config.TLS.Key = *certificate, *key
		var err error
		if tlsConfig, err = serverTLS(config.TLS); err != nil {
			return err
		}
		tlsConfig.Certificates = nil
		tlsConfig.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(*certificate, *key)
			return &pair, err
		}
	}
	failed := make(chan error, 1)
	server, err := listenAndServe(config, tlsConfig, failed)
	if err != nil {
		return err
	}
	if *healthzPort != 0 {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", *healthzPort))
		if err != nil {
			return err
		}
		go func() { failed <- http.Serve(listener, health()) }()
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	select {
	case err := <-failed:
		return err
	case <-ended:
		answered, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(answered) // what is not answered by then stalls on purpose
		return nil
	}
}

// health says that the process runs and has bound its ports; it says so too where reviews are not answered, as most webhooks' probes do.
func health() http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{"/healthz", "/livez", "/readyz"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	}
	return mux
}
