//go:build !linux

package streamstest

import "syscall"

// dieWithParent has no kernel's help here: a test process that is killed leaves its server behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
