// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"time"
)

// ProxyConfig is a forward proxy that opens every tunnel itself, with certificates of its own CA, as inspecting proxies do.
type ProxyConfig struct {
	Listen      string `json:"listen"`
	Certificate string `json:"certificate"` // of its CA
	Key         string `json:"key"`
}

func startProxy(config ProxyConfig, failed chan<- error) error {
	authority, err := tls.LoadX509KeyPair(config.Certificate, config.Key)
	if err != nil {
		return err
	}
	issuer, err := x509.ParseCertificate(authority.Certificate[0])
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return err
	}
	proxy := &interceptor{issuer: issuer, authority: authority, key: key}
	server := &http.Server{Handler: proxy, ReadTimeout: longestConnection}
	go func() { failed <- server.Serve(listener) }()
	return nil
}

type interceptor struct {
	issuer    *x509.Certificate
	authority tls.Certificate
	key       *ecdsa.PrivateKey
}

func (p *interceptor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	record("proxy", r, nil, nil)
	if r.Method != http.MethodConnect {
		http.Error(w, "this proxy only knows CONNECT", http.StatusMethodNotAllowed)
		return
	}
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if _, err := connection.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		connection.Close()
		return
	}
	tunnel := tls.Server(connection, &tls.Config{GetCertificate: p.certificate})
	inside := &http.Server{Handler: http.HandlerFunc(blocked), ReadTimeout: longestConnection}
	_ = inside.Serve(&oneConnection{connection: tunnel}) // ends with errServed once the connection is handed out
}

// blocked is what a client that trusts the proxy's CA would get.
func blocked(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "blocked by the proxy's policy", http.StatusForbidden)
}

// certificate makes a certificate for whatever name the client asks.
func (p *interceptor) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: hello.ServerName},
		DNSNames:     []string{hello.ServerName},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.issuer, p.key.Public(), p.authority.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: p.key}, nil
}

// oneConnection is a net.Listener for http.Server that yields one connection.
type oneConnection struct{ connection net.Conn }

func (l *oneConnection) Accept() (net.Conn, error) {
	if l.connection == nil {
		return nil, net.ErrClosed
	}
	connection := l.connection
	l.connection = nil
	return connection, nil
}

func (l *oneConnection) Close() error   { return nil }
func (l *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }
