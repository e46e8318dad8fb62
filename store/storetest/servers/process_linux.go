package servers

import (
	"os/exec"
	"syscall"
)

// ownGroup gives the server a process group, so that it is ended with all
// that it started. It also ends when the test's process is killed.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func signalGroup(cmd *exec.Cmd, s syscall.Signal) {
	_ = syscall.Kill(-cmd.Process.Pid, s) // It may have ended by itself.
}

// hasAttributes reports whether files in dir can have extended attributes.
func hasAttributes(dir string) bool {
	return syscall.Setxattr(dir, "user.custody", []byte("x"), 0) == nil
}
