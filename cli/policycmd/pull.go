package policycmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

func pull(c *console.Console) *cobra.Command {
	var dir string
	var force bool
	cmd := &cobra.Command{
		Use:   "pull [NAME...]",
		Short: "Write the server's policies into files",
		Long: `Write the server's policies into files, each called like its policy: all of them, or
those that are named.

A file that is as the server has it now, or had it before, is brought up to date. One
that was changed here stays as it is, unless --force is given.`,
		Example: `  tameflare policy pull -d policies/
  tameflare policy pull protect-main`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return pullAll(cmd.Context(), c, args, dir, force)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "dir", "d", ".", "the folder for the files")
	f.BoolVar(&force, "force", false, "overwrite files that were changed here")
	return cmd
}

func pullAll(ctx context.Context, c *console.Console, names []string, dir string, force bool) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		all, err := apiclient.Get[rest.List[rest.Policy]](ctx, client, "/policies", nil)
		if err != nil {
			return err
		}
		for _, p := range all.Items {
			names = append(names, p.ID)
		}
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fault.New(fault.Invalid, "The folder "+dir+" cannot be made.", err)
	}
	kept := 0
	taken := map[string]bool{}
	for _, name := range names {
		p, err := find(ctx, client, name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, fileName(p, taken))
		stays, err := bring(ctx, c, client, p, path, force)
		if err != nil {
			return err
		}
		if stays {
			kept++
		}
	}
	if kept > 0 {
		return fault.New(fault.Conflict, many(kept, "file")+" changed here, and left alone. See tameflare policy diff; --force overwrites.", nil)
	}
	return nil
}

// bring writes a policy into its file. Stays reports that what is there was
// changed here, and left alone.
func bring(ctx context.Context, c *console.Console, client *apiclient.Client, p rest.Policy, path string, force bool) (stays bool, err error) {
	there, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Say("%s %s  new", c.Mark(c.Err, console.Good), path)
		return false, write(path, p.Document)
	case err != nil:
		return false, fault.New(fault.Invalid, "The file "+path+" cannot be read.", err)
	case string(there) == p.Document:
		c.Say("%s %s  unchanged", c.Mark(c.Err, console.Good), path)
		return false, nil
	}
	if !force {
		old, err := apiclient.Get[rest.List[rest.PolicyVersion]](ctx, client, "/policies/"+url.PathEscape(p.ID)+"/versions", nil)
		if err != nil {
			return false, err
		}
		if !wasOnce(old.Items, there) {
			c.Say("%s %s  was changed here", c.Mark(c.Err, console.Bad), path)
			return true, nil
		}
	}
	c.Say("%s %s  version %d", c.Mark(c.Err, console.Good), path, p.Version)
	return false, write(path, p.Document)
}

// wasOnce reports whether text was a version.
func wasOnce(versions []rest.PolicyVersion, text []byte) bool {
	sum := sha256.Sum256(text)
	for _, v := range versions {
		if v.Digest == hex.EncodeToString(sum[:]) {
			return true
		}
	}
	return false
}

// write replaces a file in one step, so that there is never half of one.
func write(path, text string) error {
	bad := func(err error) error { return fault.New(fault.Invalid, "The file "+path+" cannot be written.", err) }
	f, err := os.CreateTemp(filepath.Dir(path), ".tameflare-*")
	if err != nil {
		return bad(err)
	}
	defer os.Remove(f.Name())
	if _, err := f.WriteString(text); err != nil {
		return bad(errors.Join(err, f.Close()))
	}
	if err := errors.Join(f.Chmod(0o644), f.Close(), os.Rename(f.Name(), path)); err != nil {
		return bad(err)
	}
	return nil
}

// fileName is what a policy's file is called. It never leads out of a folder.
func fileName(p rest.Policy, taken map[string]bool) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, p.Name), "-.")
	if name == "" {
		name = "policy"
	}
	for base, i := name, 2; taken[name]; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	taken[name] = true
	return name + ".yaml"
}
