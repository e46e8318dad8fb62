package awsnotify

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// signedFields are the members of an SNS message that its signature covers, and those
// that say how. Each is exactly the text that the message has.
type signedFields struct {
	message, messageID, subject, timestamp, topicARN, kind string
	hasSubject                                             bool
	subscribeURL, token                                    string // of confirmations

	version, signature, certURL string
}

func readSigned(f fields) signedFields {
	return signedFields{
		message: f.optional("Message"), messageID: f.optional("MessageId"), timestamp: f.optional("Timestamp"),
		topicARN: f.optional("TopicArn"), kind: f.optional("Type"),
		subject: f.optional("Subject"), hasSubject: f.has("Subject"),
		subscribeURL: f.optional("SubscribeURL"), token: f.optional("Token"),
		version: f.optional("SignatureVersion"), signature: f.optional("Signature"), certURL: f.optional("SigningCertURL"),
	}
}

// canonical is the text that SNS signs: names and values, each with its line end, in
// the order of the names. A value with a line end in it could pass for several members,
// so only Message may have one; the real members that follow Message come last.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
func (s signedFields) canonical() ([]byte, error) {
	pairs := [][2]string{{"Message", s.message}, {"MessageId", s.messageID}}
	if s.kind == "Notification" {
		if s.hasSubject {
			pairs = append(pairs, [2]string{"Subject", s.subject})
		}
		pairs = append(pairs, [][2]string{{"Timestamp", s.timestamp}, {"TopicArn", s.topicARN}, {"Type", s.kind}}...)
	} else {
		pairs = append(pairs, [][2]string{
			{"SubscribeURL", s.subscribeURL}, {"Timestamp", s.timestamp}, {"Token", s.token},
			{"TopicArn", s.topicARN}, {"Type", s.kind},
		}...)
	}
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 && strings.Contains(p[1], "\n") {
			return nil, fmt.Errorf("%s has a line end in it", p[0])
		}
		b.WriteString(p[0] + "\n" + p[1] + "\n")
	}
	return []byte(b.String()), nil
}

// check says whether a key made the signature. Version 1 is SHA-1 and version 2 is
// SHA-256, both with RSA PKCS #1 v1.5.
func (s signedFields) check(key *rsa.PublicKey) error {
	text, err := s.canonical()
	if err != nil {
		return err
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(s.signature)
	if err != nil || len(sig) == 0 {
		return errors.New("the signature is not base64")
	}
	if s.version == "1" {
		sum := sha1.Sum(text)
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], sig)
	} else {
		sum := sha256.Sum256(text)
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig)
	}
	if err != nil {
		return errors.New("the signature does not fit the message")
	}
	return nil
}
