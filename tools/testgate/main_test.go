package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	const golden = `{"Action":"output","Package":"p","Test":"TestG","Output":"set GROWPANEL_GOLDEN_DIR\n"}
{"Action":"skip","Package":"p","Test":"TestG"}
`
	const pass = `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.01s\n"}
{"Action":"pass","Package":"p"}
`
	tests := []struct {
		name, in  string
		maySkip   bool
		wantErr   string
		wantPrint string
	}{
		{name: "all pass", in: pass, wantPrint: "ok  \tp\t0.01s\nDONE 1 tests, 0 skipped, 0 failures\n"},
		{name: "golden skip without the folder", in: golden + pass, maySkip: true, wantPrint: "DONE 2 tests, 1 skipped, 0 failures\n"},
		{name: "golden skip with the folder", in: golden + pass, wantErr: "1 tests were skipped"},
		{name: "any other skip", in: `{"Action":"skip","Package":"p","Test":"TestS"}` + "\n" + pass, maySkip: true, wantErr: "p TestS"},
		{
			name: "a failure prints its output", maySkip: true, wantErr: "1 tests failed", wantPrint: "x.go:1: boom\n",
			in: `{"Action":"output","Package":"p","Test":"TestF","Output":"x.go:1: boom\n"}
{"Action":"fail","Package":"p","Test":"TestF"}
{"Action":"fail","Package":"p"}`,
		},
		{name: "a package that does not build", in: `{"Action":"fail","Package":"p"}` + "\n" + pass, wantErr: "in 1 packages"},
		{name: "nothing ran", in: "", wantErr: "no test ran"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			err := run(strings.NewReader(tt.in), &out, tt.maySkip)
			if (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("run() error = %v, want %q", err, tt.wantErr)
			}
			if !strings.Contains(out.String(), tt.wantPrint) {
				t.Errorf("run() printed %q, want %q in it", out.String(), tt.wantPrint)
			}
		})
	}
}
