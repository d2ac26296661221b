//go:build race

package upstream

// raceDetector says that allocation counts mean nothing: the race detector allocates too.
const raceDetector = true
