//go:build !linux

package control

import "syscall"

// dieWithParent: other kernels have no parent-death signal; an orderly end of the launcher still ends every child.
func dieWithParent(*syscall.SysProcAttr) {}

// descendants: the process group serves on these systems.
func descendants(int) []int { return nil }

// stateOf: it is not waited for what a signal does on these systems.
func stateOf(int) byte { return 0 }
