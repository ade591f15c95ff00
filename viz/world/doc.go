// Package world is the visualizer's vocabulary and model: it folds observations into what is known now.
//
// It does no I/O and takes its clock from observations, so that a replay of the same observations gives the same world.
package world
