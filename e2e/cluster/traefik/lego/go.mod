// Stands in for the ACME client of Traefik, which the module proxy does not serve: the signatures
// that Traefik compiles against. Asking for a certificate fails; nothing here configures that.
module github.com/go-acme/lego/v5

go 1.26.0
