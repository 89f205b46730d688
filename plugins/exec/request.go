package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// command is one thing to run.
type command struct {
	argv   []string
	stdin  *string // nil means /dev/null
	env    map[string]string
	dir    string
	taskID string
}

var errNoTemplate = errors.New(`the payload is a string but there is no command to put it into: ` +
	`start the plugin with one (brood run --plugin exec -- wc -l {}), or send an array such as ["wc","-l","a.txt"]`)

// parseRequest turns a payload into the command it asks for.
func parseRequest(payload []byte, t template) (command, error) {
	var c command
	var err error
	switch first(payload) {
	case '"':
		var input string
		if err = decode(payload, &input); err != nil {
			return c, err
		}
		if len(t.args) == 0 {
			return c, errNoTemplate
		}
		c.argv = t.fill(input)
	case '[':
		err = decode(payload, &c.argv)
	case '{':
		c, err = decodeObject(payload)
	default:
		return c, errors.New(`the payload must be a JSON string (the template's input), an array of strings (a command) ` +
			`or an object {"argv":[...],"stdin":"...","env":{...},"dir":"..."}`)
	}
	if err != nil {
		return c, err
	}
	return c, c.check()
}

func decodeObject(payload []byte) (command, error) {
	var body struct {
		Argv  []string          `json:"argv"`
		Stdin *string           `json:"stdin"`
		Env   map[string]string `json:"env"`
		Dir   string            `json:"dir"`
	}
	err := decode(payload, &body)
	return command{argv: body.Argv, stdin: body.Stdin, env: body.Env, dir: body.Dir}, err
}

// check refuses what no operating system can start.
func (c command) check() error {
	if len(c.argv) == 0 || c.argv[0] == "" {
		return errors.New("the command is empty: its first element must name a program")
	}
	for i, arg := range c.argv {
		if strings.IndexByte(arg, 0) >= 0 {
			return fmt.Errorf("argument %d of the command has a NUL byte in it, which no program can be given", i)
		}
	}
	if strings.IndexByte(c.dir, 0) >= 0 {
		return errors.New("dir has a NUL byte in it, which no path can have")
	}
	for k, v := range c.env {
		if k == "" || strings.ContainsAny(k, "=\x00") || strings.IndexByte(v, 0) >= 0 {
			return fmt.Errorf("environment variable %q cannot be set: names have no '=', neither part a NUL byte", k)
		}
	}
	return nil
}

// decode is strict: a mistyped key must not silently run another command.
func decode(payload []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the payload cannot be read as a command: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the payload has something behind its JSON value")
	}
	return nil
}

// first is the first byte that is not JSON white space, 0 if there is none.
func first(payload []byte) byte {
	if rest := bytes.TrimLeft(payload, " \t\r\n"); len(rest) > 0 {
		return rest[0]
	}
	return 0
}
