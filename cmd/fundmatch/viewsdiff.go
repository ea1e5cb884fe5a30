package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/features/view"
)

// viewChange is one thing that differs between two catalogues.
type viewChange struct {
	Place  string `json:"place"`  // purpose NAME, view NAME, or view NAME WHAT
	Before string `json:"before"` // empty: it is new
	After  string `json:"after"`  // empty: it is gone
}

// diffViews lists what differs: what is gone or other in the order of the one before, then
// what is new in the order of the one after.
func diffViews(before, after *view.Catalogue) []viewChange {
	was, is := viewLines(before), viewLines(after)
	now := make(map[string]string, len(is))
	for _, l := range is {
		now[l.place] = l.text
	}
	then := make(map[string]bool, len(was))
	out := []viewChange{}
	for _, l := range was {
		then[l.place] = true
		if text := now[l.place]; text != l.text {
			out = append(out, viewChange{l.place, l.text, text})
		}
	}
	for _, l := range is {
		if !then[l.place] {
			out = append(out, viewChange{l.place, "", l.text})
		}
	}
	return out
}

// viewLine is one thing that a catalogue says.
type viewLine struct{ place, text string }

// viewLines are all of them. What is not said has no line.
func viewLines(c *view.Catalogue) (out []viewLine) {
	for _, p := range c.Purposes() {
		out = append(out, viewLine{"purpose " + p.Name, strings.TrimSpace(p.Kind.String() + " " + p.Doc)})
	}
	for _, v := range c.Views() {
		add := func(what, text string) {
			if text != "" {
				out = append(out, viewLine{"view " + v.Name + " " + what, text})
			}
		}
		add("version", v.Version)
		add("owner", v.Owner)
		add("doc", v.Doc)
		add("personal", fmt.Sprint(v.Personal))
		add("purposes", strings.Join(v.Purposes, ", "))
		add("needs_consent", strings.Join(v.NeedsConsent, ", "))
		add("roles", strings.Join(roleTexts(v.Roles), ", "))
		add("max_age", spanText(v.MaxAge))
		add("look_back", spanText(v.LookBack))
		add("retention", spanText(v.Retention))
		if v.Open != 0 {
			add("open", v.Open.String())
		}
		for i := range v.Features {
			f := &v.Features[i]
			text := f.Type.String()
			if len(f.Roles) > 0 {
				text += " for " + strings.Join(roleTexts(f.Roles), ", ")
			}
			if f.Doc != "" {
				text += ": " + f.Doc
			}
			add("feature "+f.Name, text)
		}
	}
	return out
}

func roleTexts(roles []view.Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = r.String()
	}
	return out
}

// spanText is a span as a catalogue writes it, in its largest whole unit; 0 is no bound.
func spanText(d time.Duration) string {
	for _, u := range [...]struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d > 0 && d%u.unit == 0 {
			return fmt.Sprint(int64(d/u.unit)) + u.name
		}
	}
	return ""
}
