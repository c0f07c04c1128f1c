// Counts the lines of a text, and finds the longest one.
package main

import (
	"bytes"
	"unicode/utf8"

	"github.com/extism/go-pdk"
)

type line struct {
	Number int    `json:"number"`
	Length int    `json:"length"` // in characters
	Text   string `json:"text"`
}

type answer struct {
	Lines   int  `json:"lines"`
	Longest line `json:"longest"`
}

func measure(text []byte) answer {
	var a answer
	for len(text) > 0 {
		content, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		a.Lines++
		if length := utf8.RuneCount(content); length > a.Longest.Length {
			a.Longest = line{Number: a.Lines, Length: length, Text: string(content)}
		}
	}
	return a
}

//go:wasmexport handle
func handle() int32 {
	if err := pdk.OutputJSON(measure(pdk.Input())); err != nil {
		pdk.SetError(err)
		return 1
	}
	return 0
}

func main() {}
