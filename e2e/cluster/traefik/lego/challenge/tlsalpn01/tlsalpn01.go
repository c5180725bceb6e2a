// Package tlsalpn01 holds the protocol's name, which Traefik's TLS configuration knows.
package tlsalpn01

import (
	"errors"
	"time"
)

// ACMETLS1Protocol is the name that a client negotiates.
const ACMETLS1Protocol = "acme-tls/1"

// ChallengeOption changes nothing.
type ChallengeOption func()

// SetDelay is no option.
func SetDelay(time.Duration) ChallengeOption { return nil }

// ChallengeBlocks fails.
func ChallengeBlocks(string, string) ([]byte, []byte, error) {
	return nil, nil, errors.New("this build has no ACME client")
}
