//go:build !race

package plugin

// raceEnabled says that the race detector is on: allocations are not counted then.
const raceEnabled = false
