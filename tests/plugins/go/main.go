// A plug-in made with Extism's Go PDK: one function for each part of the PDK.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/extism/go-pdk"
)

//go:wasmimport extism:host/user shout
func shout(text uint64) uint64

//go:wasmexport count_vowels
func countVowels() int32 {
	count := 0
	for _, c := range pdk.InputString() {
		if strings.ContainsRune("aeiouAEIOU", c) {
			count++
		}
	}
	pdk.OutputString(fmt.Sprintf(`{"count":%d}`, count))
	return 0
}

//go:wasmexport echo
func echo() int32 {
	pdk.Output(pdk.Input())
	return 0
}

//go:wasmexport config
func config() int32 {
	value, ok := pdk.GetConfig(pdk.InputString())
	if !ok {
		pdk.SetError(errors.New("no such key"))
		return 4
	}
	pdk.OutputString(value)
	return 0
}

// How often it was called, by a global of the guest and by a variable of the host.
var calls int

//go:wasmexport counter
func counter() int32 {
	calls++
	n := pdk.GetVarInt("n") + 1
	pdk.SetVarInt("n", n)
	pdk.OutputString(strconv.Itoa(calls) + " " + strconv.Itoa(n))
	return 0
}

//go:wasmexport fetch
func fetch() int32 {
	request := pdk.NewHTTPRequest(pdk.MethodPost, pdk.InputString())
	request.SetHeader("X-Sent", "by go")
	request.SetBody([]byte("a body from go"))
	response := request.Send()
	pdk.OutputString(fmt.Sprintf("%d %s", response.Status(), response.Body()))
	return 0
}

//go:wasmexport log
func log() int32 {
	text := pdk.InputString()
	pdk.Log(pdk.LogTrace, "trace "+text)
	pdk.Log(pdk.LogDebug, "debug "+text)
	pdk.Log(pdk.LogInfo, "info "+text)
	pdk.Log(pdk.LogWarn, "warn "+text)
	pdk.Log(pdk.LogError, "error "+text)
	return 0
}

//go:wasmexport call_host
func callHost() int32 {
	text := pdk.AllocateString(pdk.InputString())
	defer text.Free()
	answer := pdk.FindMemory(shout(text.Offset()))
	pdk.OutputString(string(answer.ReadBytes()))
	return 0
}

//go:wasmexport fail
func fail() int32 {
	pdk.SetErrorString(pdk.InputString())
	return 17
}

//go:wasmexport panics
func panics() int32 {
	panic(pdk.InputString())
}

//go:wasmexport exits
func exits() int32 {
	os.Exit(3)
	return 0
}

// The collector runs while it works.
//
//go:wasmexport garbage
func garbage() int32 {
	total := 0
	for i := 0; i < 200; i++ {
		total += len(strings.Repeat("x", 100_000))
	}
	pdk.OutputString(strconv.Itoa(total))
	return 0
}

func main() {}
