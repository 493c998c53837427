package mcp

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// question is what a person might ask and the call that answers it.
type question struct {
	Question  string          `json:"question"`
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments"`
}

func questions(t *testing.T) []question {
	t.Helper()
	data, err := os.ReadFile("testdata/questions.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []question
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 150 {
		t.Fatalf("%d questions, want at least 150", len(list))
	}
	return list
}

func TestQuestions_CallsAreAccepted(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{}
	for _, q := range questions(t) {
		asked[q.Tool] = true
		result := callTool(t, newServer(t, &stubAPI{}, false), q.Tool, string(q.Arguments))
		if result.IsError {
			t.Errorf("%q: %s %s is refused: %s", q.Question, q.Tool, q.Arguments, textOf(t, result))
		}
	}
	for _, tool := range tools() {
		if !asked[tool.name] {
			t.Errorf("no question for %s", tool.name)
		}
	}
}

// TestQuestions_DescriptionsLeadToTheTool ranks the tools by BM25 over their
// names and descriptions, as tool search in several clients does.
func TestQuestions_DescriptionsLeadToTheTool(t *testing.T) {
	t.Parallel()
	index := newIndex(tools())
	list := questions(t)
	first := 0
	for _, q := range list {
		rank := index.rank(q.Question, q.Tool)
		if rank == 1 {
			first++
		} else {
			t.Logf("%q finds %s at place %d", q.Question, q.Tool, rank)
		}
		if rank > 3 {
			t.Errorf("%q finds %s only at place %d", q.Question, q.Tool, rank)
		}
	}
	if share := float64(first) / float64(len(list)); share < 0.9 {
		t.Errorf("%.0f %% of the questions find their tool first, want 90 %%", 100*share)
	}
}

// index is a BM25 index over tools.
type index struct {
	names []string
	terms []map[string]float64 // how often a term is in a tool
	size  []float64
	mean  float64
	in    map[string]float64 // tools that have a term
}

func newIndex(list []tool) *index {
	x := &index{in: map[string]float64{}}
	for _, t := range list {
		counts := map[string]float64{}
		words := stems(t.name + " " + t.title + " " + t.description)
		for _, w := range words {
			if counts[w] == 0 {
				x.in[w]++
			}
			counts[w]++
		}
		x.names, x.terms, x.size = append(x.names, t.name), append(x.terms, counts), append(x.size, float64(len(words)))
		x.mean += float64(len(words)) / float64(len(list))
	}
	return x
}

// rank returns the place of a tool among the results for a query, from 1; ties
// count against it.
func (x *index) rank(query, name string) int {
	const k, b = 1.2, 0.75
	scores := make([]float64, len(x.names))
	want := 0.0
	for i := range x.names {
		for _, w := range stems(query) {
			f := x.terms[i][w]
			idf := math.Log(1 + (float64(len(x.names))-x.in[w]+0.5)/(x.in[w]+0.5))
			scores[i] += idf * f * (k + 1) / (f + k*(1-b+b*x.size[i]/x.mean))
		}
		if x.names[i] == name {
			want = scores[i]
		}
	}
	rank := 1
	for i, score := range scores {
		if x.names[i] != name && score >= want {
			rank++
		}
	}
	return rank
}

// stopWords carry no meaning for a search.
const stopWords = " a all already an and are as at be because by did do does for from give had has have how i if in into is it its " +
	"many me more most much my now of on once only or our over right s set show since t than that the their them there these they this to " +
	"up us was we were what when where which who why will with you your "

// stems returns the words of a text without stop words and without the endings
// of number and tense.
func stems(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	words = slices.DeleteFunc(words, func(w string) bool { return strings.Contains(stopWords, " "+w+" ") })
	for i, w := range words {
		for _, ending := range []string{"ing", "ies", "es", "ed", "s", "e"} {
			if stem, ok := strings.CutSuffix(w, ending); ok && len(stem) > 2 {
				w = stem
				break
			}
		}
		words[i] = w
	}
	return words
}
