//go:build race

package balance

// raceDetector says that allocation counts mean nothing: the race detector allocates too.
const raceDetector = true
