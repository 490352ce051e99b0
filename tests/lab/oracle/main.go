// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command oracle says what Go itself decides about the questions of cabundle_verify.
//
// It reads the module's arguments as JSON documents ({"bundles": [...], "at": "..."}) from standard input, as many as there are, and
// writes {"results": [{"name", "trusted", "error"}]} for each. It does what kube-apiserver does with a caBundle and a served chain:
// k8s.io/client-go builds the pool, crypto/tls parses the chain, crypto/x509 verifies it. Built with an older Go, it says what that one decides.
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const largestServedRSA = 8192 // crypto/tls

type question struct {
	Bundles []bundle `json:"bundles"`
	At      string   `json:"at"`
}

type bundle struct {
	Name       string   `json:"name"`
	Callouts   []string `json:"callouts"`
	CABundle   string   `json:"ca_bundle"`
	Chain      []string `json:"chain"`
	ServerName string   `json:"server_name"`
	At         string   `json:"at"`
}

type verdict struct {
	Name    string  `json:"name"`
	Trusted *bool   `json:"trusted"`
	Error   *string `json:"error"`
}

func main() {
	in := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		var asked question
		if err := in.Decode(&asked); err == io.EOF {
			break
		} else if err != nil {
			fail(err)
		}
		results := make([]verdict, 0, len(asked.Bundles))
		for _, one := range asked.Bundles {
			results = append(results, decide(one, asked.At))
		}
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(map[string]any{"results": results}); err != nil {
			fail(err)
		}
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func decide(one bundle, at string) verdict {
	answer := verdict{Name: one.Name}
	roots, err := pool(one)
	if err == nil {
		if len(one.Chain) == 0 {
			return answer
		}
		err = survive(func() error { return verify(one, roots, at) })
	}
	trusted := err == nil
	answer.Trusted = &trusted
	if err != nil {
		text := err.Error()
		answer.Error = &text
	}
	return answer
}

// survive makes an error of a panic: Go 1.22 and 1.23 have one for a DSA key in a loop of certificates, and kube-apiserver would end with it.
func survive(verification func() error) (err error) {
	defer func() {
		if found := recover(); found != nil {
			err = fmt.Errorf("%v", found)
		}
	}()
	return verification()
}

// pool is what k8s.io/client-go/transport makes of CAData: nil (the system's roots) if it is empty, else its certificates, and an error
// if there is none. A blank caBundle of a conversion webhook is empty (k8s.io/apiextensions-apiserver).
func pool(one bundle) (*x509.CertPool, error) {
	data := []byte(one.CABundle)
	for _, callout := range one.Callouts {
		if strings.HasPrefix(callout, "conversion/") && len(bytes.TrimSpace(data)) == 0 {
			data = nil
		}
	}
	if len(data) == 0 {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if roots.AppendCertsFromPEM(data) {
		return roots, nil
	}
	return nil, fmt.Errorf("unable to load root certificates: %w", whyEmpty(data))
}

func whyEmpty(data []byte) error {
	for rest := data; len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return errors.New("unable to parse bytes as PEM block")
		}
		if block.Type == "CERTIFICATE" && len(block.Headers) == 0 {
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return fmt.Errorf("failed to parse certificate: %w", err)
			}
		}
	}
	return errors.New("no valid certificate authority data seen")
}

// verify is crypto/tls's verification of a server's certificates.
func verify(one bundle, roots *x509.CertPool, at string) error {
	if one.At != "" {
		at = one.At
	}
	now, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		fail(err)
	}
	var chain []*x509.Certificate
	for _, text := range one.Chain {
		for rest := []byte(text); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return fmt.Errorf("tls: failed to parse certificate from server: %w", err)
			}
			if key, ok := certificate.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > largestServedRSA {
				return fmt.Errorf("tls: server sent certificate containing RSA key larger than %d bits", largestServedRSA)
			}
			chain = append(chain, certificate)
		}
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), DNSName: one.ServerName, CurrentTime: now.UTC()}
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err = chain[0].Verify(options); err != nil {
		return err
	}
	switch chain[0].PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return nil
	}
	return fmt.Errorf("tls: server's certificate contains an unsupported type of public key: %T", chain[0].PublicKey)
}
