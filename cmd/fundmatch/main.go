// Command fundmatch matches customers with the funds of a bank's pool. It is the whole
// program: the service, the jobs, and the tools around them, one verb each.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is set when the binary is built (-ldflags -X main.version=...).
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the work in good order; a second one ends the process.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, world{
		version: version, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isTerminal(os.Stderr), now: time.Now, random: rand.Reader,
	}, os.Args[1:]))
}

// isTerminal reports whether a person looks at a file: progress is for people only.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
