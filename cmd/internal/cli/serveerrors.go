package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/server"
)

// named is an error of the library in the words of whoever wrote the configuration, with the place that it is
// about. An error that begins with no field of the library stays what it is.
func (s *serving) named(err error) error {
	code := exitCannotRun
	if errors.Is(err, server.ErrConfig) || errors.Is(err, supervisor.ErrConfig) {
		code = exitUsage
	}
	text := err.Error()
	for _, prefix := range []error{server.ErrConfig, supervisor.ErrConfig} {
		text = strings.TrimPrefix(text, prefix.Error()+": ")
	}
	field, rest, _ := strings.Cut(text, ": ")
	place, at := s.place(field)
	if place == "" {
		return &exitError{code, text}
	}
	text = place + ": " + s.renamed(rest)
	if at != nil {
		text = fmt.Sprintf("%s:%d:%d: %s", s.file.path, at.Position.Line, at.Position.Column, text)
	}
	return &exitError{code, text}
}

// place is where a field of the library has been set, empty if nowhere; at only in the file.
func (s *serving) place(field string) (name string, at *token.Token) {
	if m := regexp.MustCompile(`^api\.tokens\[(\d+)\]`).FindStringSubmatch(field); m != nil {
		return s.tokenPlace(m[1])
	}
	if m := regexp.MustCompile(`^pools\[(\d+)\]\.(.+)$`).FindStringSubmatch(field); m != nil {
		i, _ := strconv.Atoi(m[1])
		return s.file.poolPlace(s.serveOptions.pools[i], m[2])
	}
	key := map[string]string{
		"api.address": "listen", "api.tls_cert": "tls.cert", "api.tls_key": "tls.key", "api.tokens": "tokens",
		"api.wait_limit": "limits.max_wait", "api.rate_per_token": "limits.rate_per_token", "max_payload": "max_payload",
	}[field]
	if most, is := strings.CutPrefix(field, "api.max_"); is {
		key = "limits.max_" + most
	}
	if key == "" {
		return "", nil
	}
	flag := "--token-file" // of tokens
	for _, section := range s.sections() {
		for _, one := range section.all {
			if strings.TrimPrefix(section.key+"."+section.fileKey(one), ".") != key {
				continue
			}
			if from, given := one.fromOutside(s.source.c); given {
				return from.origin, nil
			}
			flag = "--" + one.name
		}
	}
	if s.file.path == "" {
		return flag, nil
	}
	return key, s.file.places[key]
}

func (s *serving) tokenPlace(index string) (string, *token.Token) {
	i, _ := strconv.Atoi(index)
	switch {
	case i < len(s.serveOptions.tokens):
		t := s.serveOptions.tokens[i]
		return "tokens." + t.name + ": " + t.where(), t.at
	case s.tokenFile != "":
		return "--token-file: " + s.tokenFile, nil
	}
	return "the variable " + tokenVariable, nil
}

// poolPlace is where a field of a pool has been set.
func (e *fileErrors) poolPlace(p *poolOptions, field string) (string, *token.Token) {
	key := strings.NewReplacer("limits.cpu", "cpu_limit", "limits.pids", "pids_limit").Replace(field)
	if e.path == "" {
		return "--" + strings.ReplaceAll(key, "_", "-"), nil
	}
	key = "pools." + p.name + "." + key
	if at := e.places[key]; at != nil {
		return key, at
	}
	return key, p.at
}

// renamed has pools and tokens called by their names in a text.
func (s *serving) renamed(text string) string {
	return regexp.MustCompile(`(pools|tokens)\[(\d+)\]`).ReplaceAllStringFunc(text, func(found string) string {
		what, rest, _ := strings.Cut(found, "[")
		i, _ := strconv.Atoi(strings.TrimSuffix(rest, "]"))
		switch {
		case what == "pools" && i < len(s.pools):
			return "pools." + s.pools[i].Name
		case what == "tokens" && i < len(s.tokens):
			return "tokens." + s.tokens[i].Name
		}
		return found
	})
}
