// judge LEAF ISSUER CRL: checks a certificate by its CRL with Go's standard library.
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func read(file string) []byte {
	text, err := os.ReadFile(file)
	check(err)
	block, _ := pem.Decode(text)
	return block.Bytes
}

func main() {
	leaf, err := x509.ParseCertificate(read(os.Args[1]))
	check(err)
	issuer, err := x509.ParseCertificate(read(os.Args[2]))
	check(err)
	crl, err := x509.ParseRevocationList(read(os.Args[3]))
	check(err)
	check(crl.CheckSignatureFrom(issuer))
	now := time.Now()
	if now.Before(crl.ThisUpdate) || now.After(crl.NextUpdate) || crl.Number.Sign() <= 0 ||
		!bytes.Equal(crl.RawIssuer, leaf.RawIssuer) {
		fmt.Println("not the current CRL of the issuer")
		os.Exit(1)
	}
	for _, revoked := range crl.RevokedCertificates {
		if revoked.SerialNumber.Cmp(leaf.SerialNumber) == 0 {
			fmt.Println("revoked")
			return
		}
	}
	fmt.Println("good")
}
