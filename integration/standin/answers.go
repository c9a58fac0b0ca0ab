package standin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// answers are what the services say to those who may ask.
var answers = map[string]func(w http.ResponseWriter, r *http.Request, content []byte){
	"openai": openai, "anthropic": anthropic, "stripe": stripe, "slack": slack, "github": githubAPI,
}

func openai(w http.ResponseWriter, r *http.Request, content []byte) {
	switch {
	case strings.Contains(string(content), `"stream":true`):
		events(w, `{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hello."}}]}`, "[DONE]")
	case r.URL.Path == "/v1/responses":
		reply(w, http.StatusOK, map[string]any{"id": "resp_1", "object": "response", "status": "completed", "output": []any{}})
	case r.URL.Path == "/v1/chat/completions":
		message := map[string]any{"role": "assistant", "content": "Hello."}
		reply(w, http.StatusOK, map[string]any{"id": "chatcmpl-1", "object": "chat.completion", "choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": "stop"}}})
	case r.URL.Path == "/v1/embeddings":
		reply(w, http.StatusOK, map[string]any{"object": "list", "data": []any{map[string]any{"index": 0, "embedding": []float64{0, 1}}}})
	default:
		reply(w, http.StatusOK, map[string]any{"id": "x_1", "object": "list", "data": []any{}, "deleted": true, "text": "Hello."})
	}
}

func anthropic(w http.ResponseWriter, r *http.Request, content []byte) {
	message := `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}`
	switch {
	case strings.Contains(string(content), `"stream":true`):
		named(w, "message_start", `{"type":"message_start","message":`+message+`}`)
		named(w, "content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
		named(w, "content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello."}}`)
		named(w, "content_block_stop", `{"type":"content_block_stop","index":0}`)
		named(w, "message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}`)
		named(w, "message_stop", `{"type":"message_stop"}`)
	case r.URL.Path == "/v1/messages":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, message) // the reader may have left
	case r.URL.Path == "/v1/messages/count_tokens":
		reply(w, http.StatusOK, map[string]any{"input_tokens": 3})
	default:
		reply(w, http.StatusOK, map[string]any{"id": "x_1", "data": []any{}, "has_more": false})
	}
}

func stripe(w http.ResponseWriter, r *http.Request, _ []byte) {
	reply(w, http.StatusOK, map[string]any{"id": "x_1", "object": "thing", "data": []any{}, "has_more": false, "url": r.URL.Path})
}

func slack(w http.ResponseWriter, _ *http.Request, _ []byte) {
	reply(w, http.StatusOK, map[string]any{
		"ok": true, "channel": "C012AB3CD", "channels": []any{}, "ts": "1700000000.000100", "user": map[string]any{"id": "U1"},
		"upload_url": "https://files.slack.com/upload/v1/F1", "file_id": "F1", "files": []any{},
	})
}

// events is a stream of events without names.
func events(w http.ResponseWriter, data ...string) {
	for _, d := range data {
		named(w, "", d)
	}
}

func named(w http.ResponseWriter, name, data string) {
	w.Header().Set("Content-Type", "text/event-stream")
	if name != "" {
		name = "event: " + name + "\n"
	}
	if _, err := fmt.Fprintf(w, "%sdata: %s\n\n", name, data); err == nil {
		_ = http.NewResponseController(w).Flush() // what cannot be flushed goes at the end
	}
}
