// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
)

// DNSConfig is a name server that knows a few names; every other one does not exist (NXDOMAIN).
type DNSConfig struct {
	Listen  string            `json:"listen"`
	Records map[string]string `json:"records"` // name without the final dot -> IPv4 address
}

// RFC 1035, sections 3.2 and 4.1.
const (
	headerLength = 12
	typeA        = 1
	classIN      = 1
	codeNoError  = 0
	codeFormat   = 1
	codeNXDomain = 3
)

func startDNS(config DNSConfig, failed chan<- error) error {
	for name, address := range config.Records {
		if net.ParseIP(address).To4() == nil {
			return fmt.Errorf("records: %s: %q is not an IPv4 address", name, address)
		}
	}
	connection, err := net.ListenPacket("udp", config.Listen)
	if err != nil {
		return err
	}
	go func() {
		query := make([]byte, 1500)
		for {
			length, peer, err := connection.ReadFrom(query)
			if err != nil {
				failed <- err
				return
			}
			if answer := answerDNS(query[:length], config.Records); answer != nil {
				_, _ = connection.WriteTo(answer, peer)
			}
		}
	}()
	return nil
}

// answerDNS returns the answer to a query, nil where it is too broken to be answered.
func answerDNS(query []byte, records map[string]string) []byte {
	if len(query) < headerLength {
		return nil
	}
	name, end := questionName(query)
	if end == 0 || len(query) < end+4 || binary.BigEndian.Uint16(query[4:6]) != 1 {
		return dnsHeader(query, codeFormat, 0, 0)
	}
	question := query[headerLength : end+4]
	address, known := records[strings.ToLower(name)]
	if !known {
		return append(dnsHeader(query, codeNXDomain, 1, 0), question...)
	}
	if binary.BigEndian.Uint16(query[end:end+2]) != typeA {
		return append(dnsHeader(query, codeNoError, 1, 0), question...) // the name exists, but has no such record
	}
	answer := append(dnsHeader(query, codeNoError, 1, 1), question...)
	answer = append(answer, 0xc0, headerLength, 0, typeA, 0, classIN, 0, 0, 0, 5, 0, 4) // a pointer to the question's name, TTL 5 s
	return append(answer, net.ParseIP(address).To4()...)
}

func dnsHeader(query []byte, code byte, questions, answers uint16) []byte {
	header := make([]byte, headerLength)
	copy(header, query[:2])          // ID
	header[2] = 0x84 | query[2]&0x01 // an authoritative response; recursion desired as asked
	header[3] = 0x80 | code          // recursion available: resolvers ask no further
	binary.BigEndian.PutUint16(header[4:], questions)
	binary.BigEndian.PutUint16(header[6:], answers)
	return header
}

// questionName returns the name asked for and the offset after it; offset 0 if it is malformed.
func questionName(query []byte) (string, int) {
	var labels []string
	for offset := headerLength; offset < len(query); {
		length := int(query[offset])
		offset++
		if length == 0 {
			return strings.Join(labels, "."), offset
		}
		if length > 63 || offset+length > len(query) {
			return "", 0
		}
		labels = append(labels, string(query[offset:offset+length]))
		offset += length
	}
	return "", 0
}
