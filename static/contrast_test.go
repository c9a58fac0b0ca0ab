package static

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// What is written on what, and how much they must differ: 4.5 for text, 3 for lines that carry meaning (WCAG 2.2 AA).
var contrasts = []struct {
	front, back string
	least       float64
}{
	{"foreground", "background", 4.5},
	{"foreground", "card", 4.5},
	{"foreground", "surface", 4.5},
	{"foreground", "accent", 4.5},
	{"foreground", "ember-soft", 4.5},
	{"muted-foreground", "background", 4.5},
	{"muted-foreground", "card", 4.5},
	{"muted-foreground", "surface", 4.5},
	{"muted-foreground", "muted", 4.5},
	{"muted-foreground", "ember-soft", 4.5},
	{"primary-foreground", "primary", 4.5},
	{"destructive", "card", 4.5},
	{"ember-text", "ember-soft", 4.5},
	{"ember-text", "background", 4.5},
	{"allowed", "allowed-soft", 4.5},
	{"allowed", "card", 4.5},
	{"held", "held-soft", 4.5},
	{"held", "card", 4.5},
	{"denied", "denied-soft", 4.5},
	{"denied", "card", 4.5},
	{"monitored", "monitored-soft", 4.5},
	{"monitored", "card", 4.5},
	{"killed-foreground", "killed", 4.5},
	{"ring", "background", 3},
	{"ring", "surface", 3},
	{"input", "background", 3},
	{"input", "card", 3},
	{"ember", "background", 3},
}

func TestTextAndControlsStandOutInBothThemes(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("build/theme/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark := themes(t, string(css))
	for name, theme := range map[string]map[string]float64{"light": light, "dark": dark} {
		for _, c := range contrasts {
			front, ok := theme[c.front]
			back, also := theme[c.back]
			if !ok || !also {
				t.Errorf("%s: no colour %s or %s", name, c.front, c.back)
				continue
			}
			if got := (math.Max(front, back) + 0.05) / (math.Min(front, back) + 0.05); got < c.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", name, c.front, c.back, got, c.least)
			}
		}
	}
}

// themes reads the luminance of each token in the light and the dark theme.
func themes(t *testing.T, css string) (light, dark map[string]float64) {
	t.Helper()
	light, dark = map[string]float64{}, map[string]float64{}
	colour := `oklch\(([0-9.]+) ([0-9.]+) ([0-9.]+)\)`
	both := regexp.MustCompile(`--([a-z-]+): light-dark\(` + colour + `, ` + colour + `\);`)
	for _, m := range both.FindAllStringSubmatch(css, -1) {
		light[m[1]], dark[m[1]] = luminance(t, m[2:5]), luminance(t, m[5:8])
	}
	one := regexp.MustCompile(`--([a-z-]+): ` + colour + `;`)
	for _, m := range one.FindAllStringSubmatch(css, -1) {
		light[m[1]] = luminance(t, m[2:5])
		dark[m[1]] = light[m[1]]
	}
	if len(light) < 30 {
		t.Fatalf("only %d colours were found in tokens.css", len(light))
	}
	return light, dark
}

// luminance is WCAG's relative luminance of an OKLCH colour, clipped to sRGB.
func luminance(t *testing.T, lch []string) float64 {
	t.Helper()
	var v [3]float64
	for i, s := range lch {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(fmt.Errorf("colour %v: %w", lch, err))
		}
		v[i] = f
	}
	hue := v[2] * math.Pi / 180
	a, b := v[1]*math.Cos(hue), v[1]*math.Sin(hue)
	l := math.Pow(v[0]+0.3963377774*a+0.2158037573*b, 3)
	m := math.Pow(v[0]-0.1055613458*a-0.0638541728*b, 3)
	s := math.Pow(v[0]-0.0894841775*a-1.2914855480*b, 3)
	clip := func(x float64) float64 { return math.Min(1, math.Max(0, x)) }
	return 0.2126*clip(4.0767416621*l-3.3077115913*m+0.2309699292*s) +
		0.7152*clip(-1.2684380046*l+2.6097574011*m-0.3413193965*s) +
		0.0722*clip(-0.0041960863*l-0.7034186147*m+1.7076147010*s)
}
