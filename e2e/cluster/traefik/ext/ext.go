// Package ext stands in for the module that Traefik keeps for extensions of its configuration.
package ext

// HTTP extends the HTTP configuration by nothing.
type HTTP struct{}

// Router extends a router by nothing.
type Router struct{}
