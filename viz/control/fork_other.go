//go:build !linux

package control

import "syscall"

// dieWithParent: other kernels have no parent-death signal; an orderly end of the launcher still ends every child.
func dieWithParent(*syscall.SysProcAttr) {}

// descendants: the process group serves on these systems.
func descendants(int) []int { return nil }

// alive is never asked: there are no descendants to know of.
func alive(int) bool { return false }
