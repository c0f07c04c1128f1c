package host

import (
	"encoding/json"

	"github.com/extism/go-pdk"
)

// Code says what kind of error it is. It is an error itself, so that errors.Is(err, ubiq.NotFound) tells.
type Code int

const (
	NotFound    Code = -1
	Denied      Code = -2
	Invalid     Code = -3
	TooLarge    Code = -4
	OverQuota   Code = -5
	Conflict    Code = -6
	Timeout     Code = -7
	Unavailable Code = -8
	Busy        Code = -9
)

var words = map[Code]string{
	NotFound: "not found", Denied: "denied", Invalid: "invalid", TooLarge: "too large",
	OverQuota: "over quota", Conflict: "conflict", Timeout: "timeout", Unavailable: "unavailable",
	Busy: "busy",
}

func (c Code) Error() string {
	return words[c]
}

// Error says why a service did not do what it was asked for.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string {
	return e.Message
}

// Unwrap makes errors.Is find the code.
func (e *Error) Unwrap() error {
	return e.Code
}

// Block copies bytes to a new block, for the time of a call: it is given to use, and freed afterwards.
func Block[T string | []byte](data T, use func(offset uint64) int64) int64 {
	if len(data) == 0 {
		return use(0)
	}
	block := pdk.AllocateBytes([]byte(data))
	defer block.Free()
	return use(block.Offset())
}

// Blocks does the same with two.
func Blocks[T, U string | []byte](one T, two U, use func(one, two uint64) int64) int64 {
	return Block(one, func(a uint64) int64 {
		return Block(two, func(b uint64) int64 { return use(a, b) })
	})
}

// take copies a block that a host function gave back, and frees it.
func take(offset int64) []byte {
	if offset == 0 {
		return nil
	}
	block := pdk.FindMemory(uint64(offset))
	defer block.Free()
	return block.ReadBytes()
}

// Number is what a host function gave back, or an error.
func Number(result int64) (int64, error) {
	if result >= 0 {
		return result, nil
	}
	err := &Error{Code: Code(result)}
	var said struct{ Message string }
	if json.Unmarshal(take(lastError()), &said) != nil || said.Message == "" {
		said.Message = err.Code.Error()
	}
	err.Message = said.Message
	return 0, err
}

// Done is for results that say nothing but that it was done.
func Done(result int64) error {
	_, err := Number(result)
	return err
}

// Bool is for results that are 1 or 0.
func Bool(result int64) (bool, error) {
	number, err := Number(result)
	return number == 1, err
}

// Bytes are those of the block that a host function gave back.
func Bytes(result int64) ([]byte, error) {
	offset, err := Number(result)
	if err != nil {
		return nil, err
	}
	return take(offset), nil
}

// BytesIfThere is the same where what is not there is no error.
func BytesIfThere(result int64) (data []byte, found bool, err error) {
	if Code(result) == NotFound {
		return nil, false, nil
	}
	data, err = Bytes(result)
	return data, err == nil, err
}

// JSON is the block's that a host function gave back.
func JSON(result int64, into any) error {
	data, err := Bytes(result)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// Attributes are a JSON object, or nothing.
func Attributes(attributes map[string]any) ([]byte, error) {
	if attributes == nil {
		return nil, nil
	}
	data, err := json.Marshal(attributes)
	if err != nil {
		return nil, &Error{Code: Invalid, Message: err.Error()}
	}
	return data, nil
}
