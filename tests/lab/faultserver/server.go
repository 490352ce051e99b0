// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// No fault needs a connection for longer; an abandoned one must not stay for ever.
const longestConnection = 5 * time.Minute

func startServer(config ServerConfig, failed chan<- error) error {
	tlsConfig, err := serverTLS(config.TLS)
	if err != nil {
		return err
	}
	_, err = listenAndServe(config, tlsConfig, failed)
	return err
}

// listenAndServe binds every address before it returns; tlsConfig nil is plain HTTP.
func listenAndServe(config ServerConfig, tlsConfig *tls.Config, failed chan<- error) (*http.Server, error) {
	if err := config.Answer.check(); err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler:      &answerer{name: config.Name, config: config.Answer},
		ErrorLog:     log.New(log.Writer(), config.Name+": ", log.LstdFlags|log.LUTC),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 only, as the API server calls webhooks
		ReadTimeout:  longestConnection,
		IdleTimeout:  longestConnection,
	}
	for _, address := range config.Listen {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return nil, err
		}
		switch config.Accept {
		case "", "serve":
			if tlsConfig != nil {
				listener = tls.NewListener(listener, tlsConfig)
			}
			go func() { failed <- server.Serve(listener) }()
		case "close", "reset", "stall":
			go func() { failed <- refuseAll(listener, config.Accept) }()
		default:
			return nil, fmt.Errorf("accept: unknown word %q, expected serve, close, reset or stall", config.Accept)
		}
	}
	return server, nil
}

func serverTLS(config *TLSConfig) (*tls.Config, error) {
	if config == nil {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(config.Certificate, config.Key)
	if err != nil {
		return nil, err
	}
	result := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
	if config.ClientCertificate {
		result.ClientAuth = tls.RequireAnyClientCert
	}
	switch config.MaxVersion {
	case "":
	case "1.1":
		result.MinVersion, result.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	default:
		return nil, fmt.Errorf("tls.max_version: unknown version %q, expected 1.1", config.MaxVersion)
	}
	return result, nil
}

// refuseAll accepts connections and never serves one.
func refuseAll(listener net.Listener, how string) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go refuse(connection, how)
	}
}

func refuse(connection net.Conn, how string) {
	defer connection.Close()
	switch how {
	case "reset":
		_ = connection.SetDeadline(time.Now().Add(longestConnection))
		_, _ = connection.Read(make([]byte, 1)) // the peer has begun: middleboxes that dislike a ClientHello do it then
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // Close then sends RST
		}
	case "stall":
		_ = connection.SetDeadline(time.Now().Add(longestConnection))
		_, _ = io.Copy(io.Discard, connection) // until the peer gives up
	}
}
