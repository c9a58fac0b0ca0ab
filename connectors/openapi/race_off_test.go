//go:build !race

package openapi_test

const slower = 1
