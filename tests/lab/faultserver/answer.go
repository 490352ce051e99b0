// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const largestRequest = 8 << 20

// AnswerConfig is what the server says once it has read a request.
type AnswerConfig struct {
	// Behaviour: one of the words of behaviours; "" is allow.
	Behaviour    string            `json:"behaviour"`
	Status       int               `json:"status"` // for behaviour "status"
	Headers      map[string]string `json:"headers"`
	Body         string            `json:"body"`
	DelaySeconds float64           `json:"delay_seconds"`
}

// What a review is answered with. The healthy answers also convert objects and serve an aggregated API's discovery.
var behaviours = map[string]bool{
	"": true, "allow": true, "deny": true, "status": true, "truncated": true, "close": true, "stall": true,
	"wrong_uid": true, "no_response": true, "patch_without_type": true, "convert_to_wrong_version": true,
}

func (config AnswerConfig) check() error {
	if !behaviours[config.Behaviour] {
		return fmt.Errorf("answer.behaviour: unknown word %q", config.Behaviour)
	}
	if config.Behaviour == "status" && (config.Status < 200 || config.Status > 599) {
		return fmt.Errorf("answer.status: %d is not the status of a final HTTP answer", config.Status)
	}
	return nil
}

type object map[string]any

type answerer struct {
	name   string
	config AnswerConfig
}

func (a *answerer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largestRequest))
	if err != nil {
		return // the peer went away
	}
	var review object
	_ = json.Unmarshal(body, &review) // a GET, or a probe that is no review: nil, and answered as such
	request, _ := review["request"].(map[string]any)
	record(a.name, r, review, request)

	if a.config.DelaySeconds > 0 {
		select {
		case <-time.After(time.Duration(a.config.DelaySeconds * float64(time.Second))):
		case <-r.Context().Done():
			return
		}
	}
	switch a.config.Behaviour {
	case "status":
		for name, value := range a.config.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.config.Status)
		_, _ = io.WriteString(w, a.config.Body)
	case "truncated":
		hangUpAfter(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"apiVersion\":\"admission.k8s.io/v1\",")
	case "close":
		hangUpAfter(w, "")
	case "stall":
		<-r.Context().Done()
	default:
		a.answer(w, r, review, request)
	}
}

func (a *answerer) answer(w http.ResponseWriter, r *http.Request, review object, request map[string]any) {
	var response any
	switch {
	case review["kind"] == "AdmissionReview" && request != nil:
		response = a.admit(review, request)
	case review["kind"] == "ConversionReview" && request != nil:
		response = a.convert(review, request)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/apis/"):
		response = discovery(r.URL.Path)
	}
	if response == nil {
		http.Error(w, "not a review, and nothing that an aggregated API serves", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(response)
}

func (a *answerer) admit(review object, request map[string]any) any {
	answer := object{"apiVersion": review["apiVersion"], "kind": "AdmissionReview"}
	response := object{"uid": request["uid"], "allowed": true}
	switch a.config.Behaviour {
	case "deny":
		response["allowed"] = false
	case "wrong_uid":
		response["uid"] = "00000000-0000-0000-0000-000000000000"
	case "patch_without_type":
		response["patch"] = []byte(`[{"op":"add","path":"/metadata/labels","value":{"patched":"true"}}]`)
	case "no_response":
		return answer
	}
	answer["response"] = response
	return answer
}

// convert changes nothing but the version: the lab's custom resources have the same fields in all of them.
func (a *answerer) convert(review object, request map[string]any) any {
	objects, _ := request["objects"].([]any)
	version := request["desiredAPIVersion"]
	if a.config.Behaviour == "convert_to_wrong_version" {
		version = "lab.example.com/v9"
	}
	for _, item := range objects {
		if converted, ok := item.(map[string]any); ok {
			converted["apiVersion"] = version
		}
	}
	return object{"apiVersion": review["apiVersion"], "kind": "ConversionReview",
		"response": object{"uid": request["uid"], "convertedObjects": objects, "result": object{"status": "Success"}}}
}

// discovery serves /apis/<group>/<version> and an empty list below it; nil elsewhere.
func discovery(path string) any {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) == 3:
		return object{"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": parts[1] + "/" + parts[2], "resources": []object{
			{"name": "gauges", "singularName": "gauge", "namespaced": true, "kind": "Gauge", "verbs": []string{"get", "list"}}}}
	case len(parts) > 3 && parts[len(parts)-1] == "gauges":
		return object{"apiVersion": parts[1] + "/" + parts[2], "kind": "GaugeList", "metadata": object{}, "items": []object{}}
	}
	return nil
}

// hangUpAfter writes raw bytes and closes the connection.
func hangUpAfter(w http.ResponseWriter, text string) {
	connection, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // closes the connection as well
	}
	defer connection.Close()
	_, _ = buffered.WriteString(text)
	_ = buffered.Flush()
}

var recording sync.Mutex

// record writes one line about a request; tests read there that a probe was a dry run.
func record(server string, r *http.Request, review object, request map[string]any) {
	line, err := json.Marshal(object{"server": server, "method": r.Method, "path": r.URL.RequestURI(), "review": review["kind"],
		"operation": request["operation"], "namespace": request["namespace"], "name": request["name"], "dry_run": request["dryRun"]})
	if err != nil {
		return // strings and what came out of JSON always marshal
	}
	recording.Lock()
	defer recording.Unlock()
	fmt.Fprintf(os.Stdout, "%s\n", line)
}
