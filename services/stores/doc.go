// Package stores turns an engine (Postgres, MongoDB, Redis) into a command that runs one store of it as a child process:
// the server found on this machine, else an embedded one.
package stores
