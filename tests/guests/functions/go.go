// The conformance suite's function in Go: see ../README.md.
package main

import (
	"errors"
	"strings"
	"time"

	"ubiq"
	"ubiq/config"
	"ubiq/events"
	"ubiq/http"
	"ubiq/kv"
	"ubiq/log"
	"ubiq/response"
	"ubiq/storage"
	"ubiq/trace"
	"ubiq/vars"
)

type object = map[string]any

// A command's words behind its name.
type words []any

func (w words) text(i int) string {
	s, _ := w[i].(string)
	return s
}

func (w words) number(i int) int64 {
	n, _ := w[i].(float64)
	return int64(n)
}

func (w words) ttl(i int) time.Duration {
	return time.Duration(w.number(i)) * time.Millisecond
}

func (w words) object(i int) object {
	o, _ := w[i].(object)
	return o
}

// What is not there, or is nothing, is null.
func orNull(value []byte, found bool) any {
	if !found {
		return nil
	}
	return string(value)
}

func textOrNull(text string) any {
	return orNull([]byte(text), text != "")
}

func runKV(name string, w words) (any, error) {
	switch name {
	case "kv.get":
		value, found, err := kv.Get(w.text(0))
		return orNull(value, found), err
	case "kv.set":
		return true, kv.Set(w.text(0), []byte(w.text(1)), w.ttl(2))
	case "kv.set_if_absent":
		return kv.SetIfAbsent(w.text(0), []byte(w.text(1)), w.ttl(2))
	case "kv.compare_and_set":
		return kv.CompareAndSet(w.text(0), []byte(w.text(1)), []byte(w.text(2)), w.ttl(3))
	case "kv.increment":
		return kv.Increment(w.text(0), w.number(1))
	case "kv.delete":
		return kv.Delete(w.text(0))
	}
	page, err := kv.List(w.text(0), w.text(1), int(w.number(2)))
	return object{"keys": page.Keys, "next": textOrNull(page.Next)}, err
}

func described(file storage.File) object {
	return object{"path": file.Path, "size": file.Size, "type": file.Type,
		"dated": file.Modified.Year() > 2000}
}

func runStorage(name string, w words) (any, error) {
	switch name {
	case "storage.read":
		data, found, err := storage.Read(w.text(0))
		return orNull(data, found), err
	case "storage.write":
		return true, storage.Write(w.text(0), []byte(w.text(1)))
	case "storage.delete":
		return storage.Delete(w.text(0))
	case "storage.stat":
		file, found, err := storage.Stat(w.text(0))
		if !found {
			return nil, err
		}
		return described(file), nil
	}
	page, err := storage.List(w.text(0), w.text(1), int(w.number(2)))
	items := []object{}
	for _, file := range page.Items {
		items = append(items, described(file))
	}
	return object{"items": items, "next": textOrNull(page.Next)}, err
}

func runRequest(name string, w words) (any, error) {
	r, err := ubiq.GetRequest()
	if err != nil {
		return nil, err
	}
	switch name {
	case "request":
		return object{"trigger": r.Trigger, "method": r.Method, "path": r.Path, "route": r.Route,
			"url": r.URL, "has_id": r.ID != ""}, nil
	case "request.param":
		return textOrNull(r.Params[w.text(0)]), nil
	case "request.query":
		return textOrNull(r.Query[w.text(0)]), nil
	}
	return textOrNull(r.Header(w.text(0))), nil
}

func runHTTP(w words) (any, error) {
	r := http.Send(http.Request{Method: w.text(0), URL: w.text(1),
		Headers: map[string]string{"X-Sent": w.text(2)}, Body: []byte(w.text(3))})
	return object{"status": r.Status, "body": string(r.Body), "header": textOrNull(r.Header("x-reply"))}, nil
}

func run(name string, w words) (any, error) {
	switch name {
	case "events.emit":
		id, err := events.Emit(w.text(0), []byte(w.text(1)))
		return len(id), err
	case "invoke":
		output, err := ubiq.Invoke(w.text(0), []byte(w.text(1)))
		return string(output), err
	case "config":
		value, found := config.Get(w.text(0))
		return orNull([]byte(value), found), nil
	case "var.get":
		return orNull(vars.Get(w.text(0))), nil
	case "var.set":
		vars.Set(w.text(0), []byte(w.text(1)))
		return true, nil
	case "http":
		return runHTTP(w)
	case "log":
		return true, log.Write(log.Level(w.number(0)), w.text(1), w.object(2))
	case "trace.attribute":
		return true, trace.Attribute(w.text(0), w.text(1))
	case "trace.event":
		return true, trace.Event(w.text(0), w.object(1))
	case "response.status":
		return true, response.Status(int(w.number(0)))
	case "response.header":
		return true, response.Header(w.text(0), w.text(1))
	}
	switch {
	case strings.HasPrefix(name, "kv."):
		return runKV(name, w)
	case strings.HasPrefix(name, "storage."):
		return runStorage(name, w)
	}
	return runRequest(name, w)
}

func runAll(commands []words) ([]any, error) {
	results := []any{}
	for _, w := range commands {
		if w.text(0) == "fail" {
			return nil, errors.New(w.text(1))
		}
		result, err := run(w.text(0), w[1:])
		var problem *ubiq.Error
		if errors.As(err, &problem) {
			result = object{"code": int(problem.Code), "message": problem.Message}
		} else if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

//go:wasmexport POST
func post() int32 { return ubiq.HandleJSON(runAll) }

//go:wasmexport PUT
func put() int32 {
	return ubiq.Handle(func(input []byte) ([]byte, error) { return input, nil })
}

func main() {}
