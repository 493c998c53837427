package csvfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// memory is a sink that keeps what it gets and refuses the ids in bad.
type memory struct {
	rows   map[Kind][]string
	bad    map[string]string
	pushes int
	fail   func(push int) error
}

func (m *memory) Push(_ context.Context, kind Kind, rows [][]byte) ([]RowFault, error) {
	m.pushes++
	if m.fail != nil {
		if err := m.fail(m.pushes); err != nil {
			return nil, err
		}
	}
	if m.rows == nil {
		m.rows = map[Kind][]string{}
	}
	var faults []RowFault
	for i, row := range rows {
		if why, ok := m.bad[idOf(row)]; ok {
			faults = append(faults, RowFault{Index: i, Field: "id", Message: why}, RowFault{Index: i, Field: "name", Message: why})
			continue
		}
		m.rows[kind] = append(m.rows[kind], string(row))
	}
	return faults, nil
}

func (m *memory) End(context.Context, Result) error { return nil }

func fileOf(kind Kind, text string) File {
	return File{Kind: kind, Name: string(kind) + ".csv", Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// imported imports texts by kind and returns the rows, the faults and the
// result.
func imported(t *testing.T, o Options, texts map[Kind]string) (rows map[Kind][]string, faults []string, result Result) {
	t.Helper()
	for kind, text := range texts {
		o.Files = append(o.Files, fileOf(kind, text))
	}
	o.Fault = func(f Fault) { faults = append(faults, f.String()) }
	sink := &memory{}
	result, err := Import(t.Context(), o, sink)
	if err != nil {
		t.Fatal(err)
	}
	return sink.rows, faults, result
}

func TestImport_MapsColumnsByName(t *testing.T) {
	t.Parallel()
	rows, faults, result := imported(t, Options{Map: map[Kind]map[string]string{Customers: {"custom_tier": "Segment"}, Invoices: {"amount": "Gross"}}}, map[Kind]string{
		Customers: "ID,Name,E-Mail,Country Code,Created At,Segment,custom_size,Ignored\nc1,\"Ltd \"\"A\"\"\nB\",a@x.example,dk,2026-01-02,gold,big,x\n\nc2,Two,,,,,,\n",
		Plans:     "id;name;billing_freq;currency\np;P;month;usd\n",
		Invoices:  "invoice_id\tcustomer_id\tdate\tGross\tamount\tplan\tproration\tquantity\ni1\tc1\t2026-01-31\t9900\t1\tp\tyes\t3\n",
	})
	want := map[Kind][]string{
		Customers: {
			`{"id":"c1","name":"Ltd \"A\"\nB","email":"a@x.example","created":"2026-01-02","country":"dk","custom_variables":{"size":"big","tier":"gold"}}`,
			`{"id":"c2","name":"Two"}`,
		},
		Plans:    {`{"id":"p","name":"P","interval":"month","currency":"usd","interval_count":1}`},
		Invoices: {`{"id":"i1","customer_id":"c1","invoice_date":"2026-01-31","amount":9900,"plan_id":"p","proration":true,"quantity":3}`},
	}
	if diff := cmp.Diff(want, rows); diff != "" || len(faults) > 0 || result != (Result{Stored: 4}) {
		t.Errorf("rows (-want +got):\n%s\nfaults %q, %+v", diff, faults, result)
	}
}

// What spreadsheets add to the rows must not lose any.
func TestImport_FilesOfSpreadsheets(t *testing.T) {
	t.Parallel()
	want := []string{`{"id":"c1","name":"One"}`, `{"id":"c2","name":"Two"}`}
	for name, text := range map[string]string{
		"a line that names the delimiter":          "sep=;\r\nid;name\r\nc1;One\r\nc2;Two\r\n",
		"one that names an unusual delimiter":      "SEP=|\nid|name\nc1|One\nc2|Two\n",
		"lines that end with a carriage return":    "id,name\rc1,One\rc2,Two\r",
		"rows that were cleared":                   "id;name\n;\nc1;One\n ; \nc2;Two\n;\n",
		"empty lines before the header and behind": "\n\nid,name\nc1,One\n\nc2,Two\n\n",
	} {
		rows, faults, result := imported(t, Options{}, map[Kind]string{Customers: text})
		if diff := cmp.Diff(want, rows[Customers]); diff != "" || len(faults) > 0 || result != (Result{Stored: 2}) {
			t.Errorf("%s: rows (-want +got):\n%s\nfaults %q, %+v", name, diff, faults, result)
		}
	}
	_, faults, _ := imported(t, Options{}, map[Kind]string{Customers: "sep=,\nid,name\n,x\nc,\"a\"b\"\n"})
	if diff := cmp.Diff([]string{"customers.csv:3: id is required", `customers.csv:4: cannot be read: extraneous or missing " in quoted-field`}, faults); diff != "" {
		t.Errorf("lines behind the one that names the delimiter (-want +got):\n%s", diff)
	}
}

// A letter that tells the encodings apart may come late.
func TestImport_TextThatIsNotUTF8AfterAll(t *testing.T) {
	t.Parallel()
	text := "id,name\n" + strings.Repeat("c1,One\n", sampleBytes/7) + "c2,M\xfcller\n"
	o := Options{Files: []File{fileOf(Customers, text)}}
	if _, err := Import(t.Context(), o, &memory{}); err == nil || !strings.Contains(err.Error(), "--encoding windows-1252") {
		t.Errorf("error %v", err)
	}
	o.Encoding = Windows1252
	sink := &memory{}
	if _, err := Import(t.Context(), o, sink); err != nil || !slices.Contains(sink.rows[Customers], `{"id":"c2","name":"Müller"}`) {
		t.Errorf("with the encoding stated: %v, %d rows", err, len(sink.rows[Customers]))
	}
}

func TestImport_FindsOutTheEncoding(t *testing.T) {
	t.Parallel()
	const text = "id;name\r\nc1;Müller & Søn – „€“\r\n"
	const want = `{"id":"c1","name":"Müller \u0026 Søn – „€“"}`
	for name, e := range map[string]encoding.Encoding{
		"utf-8": encoding.Nop, "utf-8 with a mark": unicode.UTF8BOM, "windows-1252": charmap.Windows1252,
		"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
		"utf-16le with a mark": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf-16be with a mark": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	} {
		encoded, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		rows, faults, _ := imported(t, Options{}, map[Kind]string{Customers: encoded})
		if len(rows[Customers]) != 1 || rows[Customers][0] != want {
			t.Errorf("%s: %q, %q", name, rows[Customers], faults)
		}
	}
	latin, err := charmap.Windows1252.NewEncoder().String("id,name\nc1,é\n")
	if err != nil {
		t.Fatal(err)
	}
	if rows, _, _ := imported(t, Options{Encoding: Windows1252}, map[Kind]string{Customers: latin}); rows[Customers][0] != `{"id":"c1","name":"é"}` {
		t.Errorf("with the encoding stated: %q", rows)
	}
}

func TestDetectDelimiter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rune{
		"a,b,c\n1,2,3\n": ',', "a;b\n1,5;2\n": ';', "a\tb\n1;2\t3\n": '\t', "a|b\n1|2\n": '|', "a\n1\n": ',', "": ',',
		"id;name\n1;\"a;b,c\"\n2;x\n": ';', "id,name\n1,\"a\nb\"\n": ',',
	} {
		if got := detectDelimiter(text, true); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestImport_BadRowsAreNamedAndTheOthersStored(t *testing.T) {
	t.Parallel()
	_, faults, result := imported(t, Options{Major: true}, map[Kind]string{
		Invoices: "id,customer_id,date,amount,currency\n" +
			"i1,c,2026-01-01,99.00,usd\n" +
			",c,2026-01-01,1.00,usd\n" +
			"i3,c,01/02/2026,1.00,usd\n" +
			"i4,c,2026-01-01,0.005,usd\n" +
			"i5,c,2026-01-01,1.00,\n" +
			"i6,c,2026-01-01,a \"quote\" in the middle,usd\n" +
			"i7,c,2026-01-01,\"1.000,50\",eur,one more,column\n" +
			"i8,c\n",
	})
	want := []string{
		"invoices.csv:3: id is required",
		"invoices.csv:4 (i3): invoice_date \"01/02/2026\" does not tell day from month: say with --dates whether it is dmy (31/01/2026) or mdy (01/31/2026)",
		"invoices.csv:5 (i4): amount \"0.005\" has more decimals than USD has",
		"invoices.csv:6 (i5): amount \"1.00\" is in main units, and the row states no currency: name one with --currency",
		`invoices.csv:7: cannot be read: bare " in non-quoted-field`,
	}
	if diff := cmp.Diff(want, faults); diff != "" || result != (Result{Stored: 3, Failed: 5}) {
		t.Errorf("faults (-want +got):\n%s\n%+v", diff, result)
	}
}

func TestImport_WhatTheSinkRefusesIsCountedOnce(t *testing.T) {
	t.Parallel()
	o := Options{Files: []File{fileOf(Customers, "id,name\na,A\nb,B\nc,C\n")}}
	var faults []string
	o.Fault = func(f Fault) { faults = append(faults, f.String()) }
	result, err := Import(t.Context(), o, &memory{bad: map[string]string{"b": "is wrong"}})
	if err != nil || result != (Result{Stored: 2, Failed: 1}) || len(faults) != 2 || faults[0] != "customers.csv:3 (b): id is wrong" {
		t.Errorf("%+v, %q, %v", result, faults, err)
	}
}

func TestImport_WrongFilesEndIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		o    Options
		want string
	}{
		"no file":          {Options{}, "no file"},
		"empty":            {Options{Files: []File{fileOf(Customers, "")}}, "is empty"},
		"no id":            {Options{Files: []File{fileOf(Customers, "name\nx\n")}}, "no column gives the field id"},
		"twice":            {Options{Files: []File{fileOf(Customers, "id,id\nx,y\n")}}, `column "id" twice`},
		"two of a kind":    {Options{Files: []File{fileOf(Plans, "x"), fileOf(Plans, "x")}}, "two files of plans"},
		"no such column":   {Options{Files: []File{fileOf(Customers, "id\nx\n")}, Map: map[Kind]map[string]string{Customers: {"name": "Nam"}}}, "no such column"},
		"no such field":    {Options{Files: []File{fileOf(Customers, "id\nx\n")}, Map: map[Kind]map[string]string{Customers: {"nam": "id"}}}, "no field of this name"},
		"preset":           {Options{Preset: "paddle", Files: []File{fileOf(Customers, "id\nx\n")}}, "preset"},
		"encoding":         {Options{Encoding: "ebcdic", Files: []File{fileOf(Customers, "id\nx\n")}}, "encoding"},
		"an open quote":    {Options{Files: []File{fileOf(Customers, "id,name\nx,\""+strings.Repeat("long line\n", maxRecordBytes/8))}}, "is a quote not closed?"},
		"not from Stripe":  {Options{Preset: Stripe, Files: []File{fileOf(Customers, "key,name\nx,y\n")}}, `no column "id"`},
		"plans of Stripe":  {Options{Preset: Stripe, Files: []File{fileOf(Plans, "id\nx\n")}}, "subscriptions"},
		"no Stripe preset": {Options{Files: []File{fileOf(Subscriptions, "id\nx\n")}}, "preset stripe"},
	} {
		if _, err := Import(t.Context(), tt.o, &memory{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, tt.want)
		}
	}
}

// bigFile has n customers; every hundredth cannot be read.
func bigFile(n int) string {
	var b strings.Builder
	b.WriteString("id,name\n")
	for i := range n {
		if i%100 == 99 {
			b.WriteString("bad \"row\",x\n")
			continue
		}
		_, _ = fmt.Fprintf(&b, "c%06d,Customer %d\n", i, i)
	}
	return b.String()
}

func TestImport_GoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const n = 3*batchRows + 17
	text := bigFile(n)
	o := Options{Files: []File{fileOf(Customers, text)}, Checkpoint: CheckpointFile{Path: filepath.Join(t.TempDir(), "at"), For: "ds_1"}}
	whole := &memory{}
	want, err := Import(t.Context(), Options{Files: o.Files}, whole)
	if err != nil {
		t.Fatal(err)
	}
	down := errors.New("down")
	sink := &memory{fail: func(push int) error {
		if push%2 == 0 {
			return down
		}
		return nil
	}}
	var result Result
	var tries int
	for tries = 1; tries < 20; tries++ {
		if result, err = Import(t.Context(), o, sink); err == nil {
			break
		}
		if !errors.Is(err, down) {
			t.Fatal(err)
		}
	}
	if err != nil || result != want || tries < 3 {
		t.Errorf("after %d tries: %+v, %v, want %+v", tries, result, err, want)
	}
	if diff := cmp.Diff(whole.rows, sink.rows); diff != "" {
		t.Errorf("rows (-at once +in parts):\n%s", diff)
	}
	if left, err := o.Checkpoint.Load(); err != nil || left != nil {
		t.Errorf("the checkpoint is left: %+v, %v", left, err)
	}
}

func TestImport_ACheckpointIsOfOneImport(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "at")
	begin := Options{Files: []File{fileOf(Customers, "id\na\nb\n")}, Checkpoint: CheckpointFile{Path: path, For: "ds_1"}}
	if err := begin.Checkpoint.Save(Position{Import: "other"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), begin, &memory{}); err == nil || !strings.Contains(err.Error(), "other files or options") {
		t.Errorf("with the checkpoint of other files: %v", err)
	}
	begin.Checkpoint = CheckpointFile{Path: path, For: "ds_2"}
	if _, err := Import(t.Context(), begin, &memory{}); err == nil || !strings.Contains(err.Error(), "into ds_1") {
		t.Errorf("with the checkpoint of another data source: %v", err)
	}
}

func TestCheck_LooksUpReferences(t *testing.T) {
	t.Parallel()
	o := Options{Files: []File{
		fileOf(Customers, "id,name\nc1,One\nc2,\n"), fileOf(Plans, "id,name,interval,currency\np,P,month,usd\nq,Q,fortnight,usd\n"),
		fileOf(Invoices, "id,customer_id,date,amount,plan_id\ni1,c1,2026-01-01,1,p\ni2,c2,2026-01-01,1,p\ni3,c1,2026-01-01,1,q\ni4,c1,2026-01-01,x,p\n"),
	}}
	var faults []string
	o.Fault = func(f Fault) { faults = append(faults, f.String()) }
	result, err := Import(t.Context(), o, NewCheck(o))
	want := []string{
		"customers.csv:3 (c2): name is required (an email alone is accepted)",
		"plans.csv:3 (q): interval must be day, week, month, quarter or year",
		"invoices.csv:5 (i4): amount \"x\" must be an integer number of minor units (9900 for 99.00); for main units use --amounts major",
		"invoices.csv:3 (i2): customer_id is not in the file of customers: c2",
		"invoices.csv:4 (i3): plan_id is not in the file of plans: q",
	}
	if diff := cmp.Diff(want, faults); err != nil || diff != "" || result != (Result{Stored: 3, Failed: 5}) {
		t.Errorf("%+v, %v, faults (-want +got):\n%s", result, err, diff)
	}
}

// FuzzImport reads any bytes as a file: whatever comes out is JSON, and every
// record is accounted for.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"id,name\nc1,One\n", "id;customer_id;date;amount\ni;c;2026-01-01;1,5\n", "\xff\xfei\x00d\x00\n\x00a\x00", "id\n\"", "id\t\"\n", "\x00", "id,Email,Created (UTC)\nx,y,z",
		"id,Customer ID,Currency,Interval\ns,c,usd,3 months\n", "\xef\xbb\xbfid\n1\n",
	} {
		for kind := range uint8(5) {
			f.Add(kind, seed)
		}
	}
	f.Fuzz(func(t *testing.T, mode uint8, text string) {
		o := Options{Major: mode&8 != 0, Currency: "usd"}
		kind := []Kind{Customers, Plans, Invoices, Customers, Subscriptions}[mode%5]
		if mode%5 >= 3 {
			o.Preset = Stripe
		}
		o.Files = []File{fileOf(kind, text)}
		faults := int64(0)
		o.Fault = func(Fault) { faults++ }
		sink := &memory{}
		result, err := Import(t.Context(), o, sink)
		stored := int64(0)
		for _, rows := range sink.rows {
			for _, row := range rows {
				if !json.Valid([]byte(row)) {
					t.Fatalf("%q gives %q", text, row)
				}
				stored++
			}
		}
		if err == nil && (stored != result.Stored || faults != result.Failed) {
			t.Errorf("%q: %d rows and %d faults, the result says %+v", text, stored, faults, result)
		}
		if _, err := Import(t.Context(), Options{Files: o.Files, Preset: o.Preset}, NewCheck(o)); err != nil && bytes.Contains([]byte(err.Error()), []byte("panic")) {
			t.Error(err)
		}
	})
}
