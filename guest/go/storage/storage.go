// Package storage keeps files by path, shared by the functions of a project.
package storage

import (
	"errors"
	"time"

	"ubiq/internal/host"
)

// File is what is known of a file.
type File struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Type     string    `json:"type"` // the media type that the path's ending stands for
	Modified time.Time `json:"modified"`
}

// Read gives what is stored at a path, if there is something.
func Read(path string) (data []byte, found bool, err error) {
	return host.BytesIfThere(host.Block(path, host.StorageRead))
}

// Write stores bytes at a path, all of them or none; they are on disk once this returns.
func Write(path string, data []byte) error {
	return host.Done(host.Blocks(path, data, host.StorageWrite))
}

// Delete deletes what is stored at a path. Whether it was there.
func Delete(path string) (bool, error) {
	return host.Bool(host.Block(path, host.StorageDelete))
}

// Stat tells of the file at a path, if there is one.
func Stat(path string) (file File, found bool, err error) {
	err = host.JSON(host.Block(path, host.StorageStat), &file)
	if errors.Is(err, host.NotFound) {
		return File{}, false, nil
	}
	return file, err == nil, err
}

// Page is a part of a list of files.
type Page struct {
	Items []File `json:"items"`
	Next  string `json:"next"` // what the next page's after is; "" when there is none
}

// List has the files whose paths begin with a prefix, behind after ("" for the beginning), in the order of
// their bytes; at most limit of them.
func List(prefix, after string, limit int) (Page, error) {
	var page Page
	err := host.JSON(host.Blocks(prefix, after, func(p, a uint64) int64 {
		return host.StorageList(p, a, int64(limit))
	}), &page)
	return page, err
}
