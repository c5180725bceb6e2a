// Package http01 holds the path of the challenge, which Traefik's router knows.
package http01

import "time"

// PathPrefix is where a challenge is asked for.
const PathPrefix = "/.well-known/acme-challenge/"

// ChallengeOption changes nothing.
type ChallengeOption func()

// SetDelay is no option.
func SetDelay(time.Duration) ChallengeOption { return nil }
