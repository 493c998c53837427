package apiclient

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrPath is the kind of every error about a path or a part of one.
var ErrPath = errors.New("invalid path")

// SplitPath takes a path apart that a person or a model wrote, such as
// /reports/mrr?date=20260101, for use with Do. It accepts only what stays on
// the API's host and in its tree: one slash at the beginning, no empty or dot
// segments, no fragment.
func SplitPath(path string) (segments []string, query url.Values, err error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || strings.Contains(path, `\`) || strings.Contains(path, "#") {
		return nil, nil, fmt.Errorf("%w %q: begin with one slash and name a route, such as /reports/mrr", ErrPath, path)
	}
	rest, rawQuery, _ := strings.Cut(rest, "?")
	query, err = url.ParseQuery(rawQuery)
	if err != nil {
		return nil, nil, fmt.Errorf("%w %q: %w", ErrPath, path, err)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), "/") {
		segment, err := url.PathUnescape(part)
		if err != nil {
			return nil, nil, fmt.Errorf("%w %q: %w", ErrPath, path, err)
		}
		if err := checkSegment(segment); err != nil {
			return nil, nil, fmt.Errorf("%w in %q", err, path)
		}
		segments = append(segments, segment)
	}
	return segments, query, nil
}

// checkSegment refuses the segments that would make another path when put
// between slashes. Everything else is harmless once it is escaped.
func checkSegment(segment string) error {
	switch segment {
	case "":
		return fmt.Errorf("%w: an empty segment", ErrPath)
	case ".", "..":
		return fmt.Errorf("%w: a segment %q", ErrPath, segment)
	default:
		return nil
	}
}

// route joins segments to a path, as it is meant and as it is sent.
func route(segments []string) (plain, escaped string, err error) {
	if len(segments) == 0 {
		return "", "", fmt.Errorf("%w: no segments", ErrPath)
	}
	var p, e strings.Builder
	for _, segment := range segments {
		if err := checkSegment(segment); err != nil {
			return "", "", err
		}
		p.WriteByte('/')
		p.WriteString(segment)
		e.WriteByte('/')
		e.WriteString(url.PathEscape(segment))
	}
	return p.String(), e.String(), nil
}
