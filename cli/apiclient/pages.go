package apiclient

import (
	"context"
	"maps"
	"net/url"
	"strconv"

	"github.com/tameflare/tameflare/domain/rest"
)

const page = 200

// All returns a list, page by page, up to limit items of it.
func All[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) ([]T, error) {
	items := []T{}
	query = maps.Clone(query)
	for {
		query.Set("limit", strconv.Itoa(min(page, limit-len(items))))
		list, err := Get[rest.List[T]](ctx, c, path, query)
		if err != nil {
			return nil, err
		}
		items = append(items, list.Items...)
		if list.Next == "" || len(items) >= limit || list.Next == query.Get("cursor") {
			return items[:min(len(items), limit)], nil
		}
		query.Set("cursor", list.Next)
	}
}
