//go:build tools

// Package tools pins GoToSocial and everything in it, by version and by hash, for the tests that run it.
package tools

import _ "github.com/superseriousbusiness/gotosocial/cmd/gotosocial"
