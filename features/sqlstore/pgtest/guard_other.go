//go:build !linux

package pgtest

import "os/exec"

// owned does nothing: outside Linux the tests do not run as root.
func owned(string) error { return nil }

// asOwner makes a command run in a directory.
func asOwner(cmd *exec.Cmd, dir string) *exec.Cmd {
	cmd.Dir = dir
	return cmd
}

// launch starts a server. Only Main stops it: outside Linux nobody tells it that this process
// was killed.
func launch(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{pid: cmd.Process.Pid, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	return p, nil
}
