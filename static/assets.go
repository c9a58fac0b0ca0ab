package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// contentTypes are those of the kinds of file that we ship; another kind is a mistake found at load.
// The standard library's table depends on the machine.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are the files by the two names they have.
type assets struct {
	names  []string
	byName map[string]*asset
	byHash map[string]*asset
}

type asset struct {
	hashed      string // app.1f2e3d4c5b6a.css
	contentType string
	etag        string
	plain       []byte
	gzipped     []byte // nil when it is not smaller
}

func load(fsys fs.FS, dir string) (assets, error) {
	a := assets{byName: map[string]*asset{}, byHash: map[string]*asset{}}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return assets{}, fmt.Errorf("list %s: %w", dir, err)
	}
	for _, e := range entries {
		body, err := fs.ReadFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return assets{}, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		f, err := newAsset(e.Name(), body)
		if err != nil {
			return assets{}, err
		}
		a.names = append(a.names, e.Name())
		a.byName[e.Name()] = f
		a.byHash[f.hashed] = f
	}
	slices.Sort(a.names)
	return a, nil
}

func newAsset(name string, body []byte) (*asset, error) {
	ext := path.Ext(name)
	kind, ok := contentTypes[ext]
	if !ok {
		return nil, fmt.Errorf("%s: files ending in %q are not served", name, ext)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:6])
	f := &asset{
		hashed:      strings.TrimSuffix(name, ext) + "." + hash + ext,
		contentType: kind,
		etag:        `"` + hash + `"`,
		plain:       body,
	}
	zipped, err := compress(body)
	if err != nil {
		return nil, fmt.Errorf("compress %s: %w", name, err)
	}
	if len(zipped) < len(body) {
		f.gzipped = zipped
	}
	return f, nil
}

func compress(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (f *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	body, etag := f.plain, f.etag
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			// A different representation has a different tag.
			body, etag = f.gzipped, strings.TrimSuffix(f.etag, `"`)+`-gzip"`
		}
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip says whether gzip is named, and not with a weight of zero.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight := strings.ReplaceAll(params, " ", "")
		return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
	}
	return false
}
