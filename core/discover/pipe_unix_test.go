//go:build unix

package discover

import (
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe in the place of the file, or a link to one, holds up neither the feed nor its end.
func TestFileIsAPipe(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "e.toml")
	do(t, syscall.Mkfifo(pipe, 0o600))
	link(t, pipe, file)
	f := watched(t, NewFolders(slog.New(slog.DiscardHandler)), file)
	failsWith(t, f, "no regular file")
}
