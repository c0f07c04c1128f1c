// Package events is for events between functions, and ticks of cron.
package events

import (
	"time"

	"ubiq/internal/host"
)

// Event is what a function gets that a trigger names, with ubiq.HandleJSON. The same one may come again
// (with a higher Attempt, or not); its ID tells.
type Event[T any] struct {
	Topic   string    `json:"topic"`
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Source  string    `json:"source"`  // the function that emitted it
	Attempt int       `json:"attempt"` // from 1
	Payload T         `json:"payload"`
}

// Tick is what a function gets that a cron line names.
type Tick struct {
	Schedule string    `json:"schedule"`
	Time     time.Time `json:"time"`
}

// Emit emits an event to the functions whose triggers match its topic. Its id, once it is on disk.
func Emit(topic string, payload []byte) (id string, err error) {
	data, err := host.Bytes(host.Blocks(topic, payload, host.EventsEmit))
	return string(data), err
}
