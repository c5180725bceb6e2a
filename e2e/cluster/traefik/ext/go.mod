// The two extension points of Traefik's configuration, which its own source leaves empty. They are
// a nested module of its repository, which no module proxy serves.
module github.com/traefik/traefik/dynamic/ext

go 1.26.0
