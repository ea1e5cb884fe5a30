package pgtest

import (
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// account is whose processes the servers are when the tests run as root, as whom PostgreSQL
// refuses to run.
const account = "postgres"

// credential returns that account; nil: the tests' own will do.
func credential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no other account
	}
	u, err := user.Lookup(account)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// owned makes a directory the account's.
func owned(dir string) error {
	c, err := credential()
	if c == nil || err != nil {
		return err
	}
	return os.Chown(dir, int(c.Uid), int(c.Gid))
}

// asOwner makes a command run as the account, in a directory that is its own.
func asOwner(cmd *exec.Cmd, dir string) *exec.Cmd {
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c, err := credential(); err == nil {
		cmd.SysProcAttr.Credential = c
	}
	return cmd
}

// launch starts a server that does not outlive this process: the kernel tells it to quit when
// the thread that started it ends, so that thread is kept until the server has ended.
func launch(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT // immediate shutdown, with all children
	started, p := make(chan error), &process{ended: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		defer close(p.ended)
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	return p, <-started
}
