package pages

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every pair of colors that the style puts text, or the edge of a control, on
// reaches WCAG 2.2 AA in light and in dark: 4.5 for text (1.4.3), 3 for edges
// and the focus ring (1.4.11).
func TestStyle_Contrast(t *testing.T) {
	t.Parallel()
	css, err := files.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, found := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("the style has no dark colors")
	}
	dark, _, _ = strings.Cut(dark, "*, *::before")
	const text, edge = 4.5, 3.0
	for scheme, colors := range map[string]map[string]float64{"light": luminances(t, light), "dark": luminances(t, dark)} {
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "canvas", text},
			{"ink", "surface", text},
			{"ink", "raised", text},
			{"ink", "accent-soft", text},
			{"muted", "canvas", text},
			{"muted", "surface", text},
			{"muted", "raised", text},
			{"muted", "accent-soft", text},
			{"accent-text", "canvas", text},
			{"accent-text", "surface", text},
			{"accent-text", "raised", text},
			{"accent-text", "accent-soft", text},
			{"on-accent", "accent", text},
			{"on-accent", "accent-strong", text},
			{"on-danger", "danger", text},
			{"on-danger", "danger-strong", text},
			{"danger-text", "surface", text},
			{"danger-text", "raised", text},
			{"danger-text", "danger-soft", text},
			{"ink", "danger-soft", text},
			{"muted", "danger-soft", text},
			{"warn-text", "warn-soft", text},
			{"edge", "surface", edge},
			{"edge", "canvas", edge},
			{"focus", "surface", edge},
			{"focus", "canvas", edge},
			{"focus", "raised", edge},
			{"danger", "surface", edge},
		} {
			front, ok := colors[pair.front]
			back, also := colors[pair.back]
			if !ok || !also {
				t.Fatalf("%s lacks %s or %s", scheme, pair.front, pair.back)
			}
			if ratio := (max(front, back) + .05) / (min(front, back) + .05); ratio < pair.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, pair.front, pair.back, ratio, pair.least)
			}
		}
	}
}

// luminances reads the relative luminance of every color that is defined as
// --name: #rrggbb.
func luminances(t *testing.T, css string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, match := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		rgb, err := strconv.ParseUint(match[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[match[1]]; twice {
			t.Errorf("--%s is defined twice", match[1])
		}
		all[match[1]] = .2126*linear(rgb>>16&255) + .7152*linear(rgb>>8&255) + .0722*linear(rgb&255)
	}
	return all
}

func linear(channel uint64) float64 {
	c := float64(channel) / 255
	if c <= .04045 {
		return c / 12.92
	}
	return math.Pow((c+.055)/1.055, 2.4)
}
