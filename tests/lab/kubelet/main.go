// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Kubelet is the one thing of a kubelet that the lab needs: port forwarding, with the kubelet's own streaming code.
// There are no containers, so instead of entering a pod's network it connects from the pod's address to the pod's
// address; the lab's packet filter lets that pass, as no packet filter stands inside a pod.
//
//	kubelet -listen 172.31.0.21:10250 -pods pods.json -certificate kubelet.crt -key kubelet.key -client-ca ca.crt
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
)

const (
	connectTimeout = 10 * time.Second
	// As the kubelet's own (streaming.DefaultConfig).
	idleTimeout           = 4 * time.Hour
	streamCreationTimeout = 30 * time.Second
)

// node forwards ports of its pods. It is the path of a file, read for every request: pods come and go. In it "<namespace>/<name>" -> "<address>", or
// "<address>@<pid>" for a pod with a network of its own, which that process is in.
type node string

func (n node) address(pod string) (string, bool) {
	var pods map[string]string
	content, err := os.ReadFile(string(n))
	if err == nil {
		err = json.Unmarshal(content, &pods)
	}
	if err != nil {
		log.Printf("%s: %v", n, err)
	}
	address, known := pods[pod]
	return address, known
}

// dial connects as the pod itself would: from its own address, or inside its own network.
func dial(ctx context.Context, pod string, port int32) (net.Conn, error) {
	address, pid, own := strings.Cut(pod, "@")
	if !own {
		dialer := net.Dialer{Timeout: connectTimeout, LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		return dialer.DialContext(ctx, "tcp4", fmt.Sprintf("%s:%d", address, port))
	}
	network, err := os.Open("/proc/" + pid + "/ns/net")
	if err != nil {
		return nil, err
	}
	defer network.Close()
	type answer struct {
		connection net.Conn
		err        error
	}
	answered := make(chan answer, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, which is in another network now, ends with this goroutine
		if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			answered <- answer{nil, err}
			return
		}
		dialer := net.Dialer{Timeout: connectTimeout}
		connection, err := dialer.DialContext(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		answered <- answer{connection, err}
	}()
	got := <-answered
	return got.connection, got.err
}

// PortForward implements portforward.PortForwarder.
func (n node) PortForward(ctx context.Context, pod string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	address, _ := n.address(pod)
	connection, err := dial(ctx, address, port)
	if err != nil { // in containerd's words
		return fmt.Errorf("failed to execute portforward in network namespace %q: failed to connect to localhost:%d inside namespace %q: %w", pod, port, pod, err)
	}
	defer connection.Close()
	log.Printf("forwarding port %d of %s", port, pod)

	done := make(chan error, 2)
	go func() {
		_, err := io.Copy(connection, stream)
		done <- err
	}()
	go func() {
		_, err := io.Copy(stream, connection)
		done <- err
	}()
	return <-done // when one side has ended, the other has nobody to speak to
}

func (n node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The kubelet's router knows no representation of a stream, and refuses who asks for a particular one (go-restful, Route.matchesAccept).
	if accept := r.Header.Get("Accept"); accept != "" && !strings.Contains(accept, "*/*") {
		http.Error(w, "406: Not Acceptable", http.StatusNotAcceptable)
		return
	}
	pod := r.PathValue("namespace") + "/" + r.PathValue("name")
	if _, known := n.address(pod); !known {
		http.Error(w, fmt.Sprintf("pod does not exist: %s", pod), http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, n, pod, types.UID(r.PathValue("uid")), options, idleTimeout, streamCreationTimeout, portforward.SupportedProtocols)
}

func run() error {
	listen := flag.String("listen", "", "host:port")
	podsPath := flag.String("pods", "", `path of JSON: {"<namespace>/<name>": "<address>", or "<address>@<pid>"}`)
	certificate := flag.String("certificate", "", "PEM")
	key := flag.String("key", "", "PEM")
	clientCA := flag.String("client-ca", "", "PEM; only clients with a certificate of it are served, as the kubelet does")
	flag.Parse()

	pods := node(*podsPath)
	authority, err := os.ReadFile(*clientCA)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(authority) {
		return errors.New("-client-ca: no certificate in it")
	}
	mux := http.NewServeMux()
	mux.Handle("/portForward/{namespace}/{name}", pods)
	mux.Handle("/portForward/{namespace}/{name}/{uid}", pods)
	server := &http.Server{
		Addr:         *listen,
		Handler:      mux,
		TLSConfig:    &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // upgrades need HTTP/1.1
	}
	return server.ListenAndServeTLS(*certificate, *key)
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	log.Fatalf("kubelet: %v", run())
}
