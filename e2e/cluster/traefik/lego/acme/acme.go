// Package acme holds the account types that Traefik stores.
package acme

// Account is an account at a certificate authority.
type Account struct{}

// ExtendedAccount is an account and where it is found.
type ExtendedAccount struct {
	Account

	Location string
}
