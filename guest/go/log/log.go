// Package log writes the log.
package log

import "ubiq/internal/host"

// Level says how grave a line is.
type Level int32

const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

// Write writes a line with attributes, which may be nil.
func Write(level Level, message string, attributes map[string]any) error {
	data, err := host.Attributes(attributes)
	if err != nil {
		return err
	}
	return host.Done(host.Blocks(message, data, func(m, a uint64) int64 {
		return host.Log(int32(level), m, a)
	}))
}

// Without attributes nothing can be wrong with a line.

func Trace(message string) { _ = Write(LevelTrace, message, nil) }
func Debug(message string) { _ = Write(LevelDebug, message, nil) }
func Info(message string)  { _ = Write(LevelInfo, message, nil) }
func Warn(message string)  { _ = Write(LevelWarn, message, nil) }
func Error(message string) { _ = Write(LevelError, message, nil) }
