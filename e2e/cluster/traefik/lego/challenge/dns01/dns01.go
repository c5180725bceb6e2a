// Package dns01 does nothing but trim names.
package dns01

import (
	"strings"
	"time"
)

// Options configure a client.
type Options struct{ RecursiveNameservers []string }

// Client does nothing.
type Client struct{}

// ChallengeOption changes nothing.
type ChallengeOption func()

// NewClient makes a client that does nothing.
func NewClient(*Options) *Client { return &Client{} }

// SetDefaultClient does nothing.
func SetDefaultClient(*Client) {}

// CondOptions is no option.
func CondOptions(bool, ...ChallengeOption) ChallengeOption { return nil }

// DisableAuthoritativeNssPropagationRequirement is no option.
func DisableAuthoritativeNssPropagationRequirement() ChallengeOption { return nil }

// DisableRecursiveNSsPropagationRequirement is no option.
func DisableRecursiveNSsPropagationRequirement() ChallengeOption { return nil }

// PropagationWait is no option.
func PropagationWait(time.Duration, bool) ChallengeOption { return nil }

// UnFqdn takes the last dot away; Traefik matches the names of certificates with it.
func UnFqdn(name string) string { return strings.TrimSuffix(name, ".") }
