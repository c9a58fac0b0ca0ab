package jsonrpc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/jsonrpc"
)

func BenchmarkRead(b *testing.B) {
	data := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write_file","arguments":{"path":"a/b","content":"` + strings.Repeat(`line\n`, 320) + `"}}}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		batch, err := jsonrpc.Read(data)
		if err != nil {
			b.Fatal(err)
		}
		if v, _ := batch.Messages[0].Param("name"); v.Text != "write_file" {
			b.Fatal(v)
		}
	}
}

func BenchmarkFilterTools(b *testing.B) {
	var tools []string
	for i := range 50 {
		tools = append(tools, fmt.Sprintf(`{"name":"tool_%d","description":"does something","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}}}`, i))
	}
	data := []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[` + strings.Join(tools, ",") + `]}}`)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, changed, err := jsonrpc.FilterTools(data, func(name string) bool { return name != "tool_7" }); err != nil || !changed {
			b.Fatal(changed, err)
		}
	}
}
