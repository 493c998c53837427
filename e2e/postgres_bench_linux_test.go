package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPostgreSQL asks the product and SQL on PostgreSQL the same questions
// about the same invoices, checks that the answers are equal, and prints how many
// times longer SQL takes.
func BenchmarkPostgreSQL(b *testing.B) {
	n := companySize(b)
	api := startAPI(b, newFolder(b))
	pg := startPostgres(b)
	fill(b, n, api)
	pg.fill(b, n)
	for _, question := range []struct {
		name, path, sql string
		read            func(body []byte) map[string]int64
	}{
		{"movement totals by month", "/reports/mrr?date=20230101-20260630", movementsSQL, readMovements},
		{"cohort table", "/reports/cohort?date=20230101-20260630", cohortsSQL, readCohorts},
		{"cash by month", "/reports/transactions?date=20230101-20260630", cashSQL, readCash},
	} {
		b.Run(question.name, func(b *testing.B) {
			want, slow := pg.ask(b, question.sql)
			var took []time.Duration
			for b.Loop() {
				// Another query each time, so that no cache of answers helps.
				body, d := api.get(b, question.path+"&n="+strconv.Itoa(len(took)))
				took = append(took, d)
				if len(took) == 1 {
					if got := question.read(body); !maps.Equal(got, want) {
						b.Fatalf("the answers differ:\n%v\n%v", got, want)
					}
				}
			}
			slices.Sort(took)
			fast := took[len(took)/2]
			b.ReportMetric(float64(slow.Microseconds())/1000, "sql-ms")
			b.ReportMetric(float64(fast.Microseconds())/1000, "ms")
			b.ReportMetric(slow.Seconds()/fast.Seconds(), "times")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// The balance of a customer at the end of a month is what the invoice of that
// month is for; what changed since the month before is the movement.
const movementsSQL = `
WITH month AS (SELECT m, (m + interval '1 month' - interval '1 day')::date AS last
  FROM generate_series('2023-01-01'::date, '2026-06-01', '1 month') AS m),
balance AS (SELECT c.id AS customer, m, coalesce(sum(i.cents), 0) AS mrr
  FROM (SELECT DISTINCT customer AS id FROM invoice) c CROSS JOIN month
  LEFT JOIN invoice i ON i.customer = c.id AND i.until IS NOT NULL AND i.date <= last AND i.until > last
  GROUP BY c.id, m),
step AS (SELECT m, mrr, coalesce(lag(mrr) OVER w, 0) AS was, coalesce(max(mrr) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS best
  FROM balance WINDOW w AS (PARTITION BY customer ORDER BY m))
SELECT to_char(m, 'YYYY-MM') || ' ' || type, sum(delta)::bigint FROM (
  SELECT m, mrr - was AS delta, CASE WHEN was = 0 AND best = 0 THEN 'new' WHEN was = 0 THEN 'reactivation'
    WHEN mrr = 0 THEN 'churn' WHEN mrr > was THEN 'expansion' ELSE 'contraction' END AS type
  FROM step WHERE mrr <> was) movement GROUP BY 1`

func readMovements(body []byte) map[string]int64 {
	var report struct {
		Result []map[string]any `json:"result"`
	}
	_ = json.Unmarshal(body, &report) // nothing is not equal to what SQL says
	totals := map[string]int64{}
	for _, row := range report.Result {
		for _, kind := range []string{"new", "expansion", "contraction", "churn", "reactivation"} {
			if amount, _ := row[kind].(float64); amount != 0 {
				totals[fmt.Sprint(row["date"])[:7]+" "+kind] = int64(amount)
			}
		}
	}
	return totals
}

const cohortsSQL = `
WITH month AS (SELECT m, (m + interval '1 month' - interval '1 day')::date AS last
  FROM generate_series('2023-01-01'::date, '2026-06-01', '1 month') AS m),
started AS (SELECT customer, date_trunc('month', min(date)) AS cohort FROM invoice WHERE until IS NOT NULL GROUP BY customer)
SELECT to_char(cohort, 'YYYY-MM') || ' ' || to_char(m, 'YYYY-MM'), count(DISTINCT s.customer)
FROM started s JOIN month ON m > cohort AND last <= '2026-06-30'
JOIN invoice i ON i.customer = s.customer AND i.until IS NOT NULL AND i.date <= last AND i.until > last
GROUP BY 1`

func readCohorts(body []byte) map[string]int64 {
	var report struct {
		Result struct {
			List []struct {
				Date    string `json:"cohort_group"`
				Periods []struct {
					Customers *int64 `json:"customers_retained"`
				} `json:"periods"`
			} `json:"list"`
		} `json:"result"`
	}
	_ = json.Unmarshal(body, &report) // nothing is not equal to what SQL says
	counts := map[string]int64{}
	for _, cohort := range report.Result.List {
		first, err := time.Parse("2006-01", cohort.Date[:min(7, len(cohort.Date))])
		if err != nil {
			continue // the average
		}
		for k, period := range cohort.Periods {
			if k > 0 && period.Customers != nil && *period.Customers > 0 {
				counts[first.Format("2006-01")+" "+first.AddDate(0, k, 0).Format("2006-01")] = *period.Customers
			}
		}
	}
	return counts
}

const cashSQL = `
SELECT to_char(date, 'YYYY-MM') || CASE WHEN until IS NULL THEN ' one_time' ELSE ' month_sub' END, sum(cents)::bigint
FROM invoice WHERE date <= '2026-06-30' GROUP BY 1`

func readCash(body []byte) map[string]int64 {
	var report struct {
		Result []map[string]any `json:"result"`
	}
	_ = json.Unmarshal(body, &report) // nothing is not equal to what SQL says
	totals := map[string]int64{}
	for _, row := range report.Result {
		for _, kind := range []string{"month_sub", "one_time"} {
			if amount, _ := row[kind].(float64); amount != 0 {
				totals[fmt.Sprint(row["date"])[:7]+" "+kind] = int64(amount)
			}
		}
	}
	return totals
}

// postgres is a server of its own, in a temporary folder.
type postgres struct {
	socket string
	psql   string
	as     *syscall.Credential // nil for this user
}

// startPostgres starts the newest PostgreSQL of the machine. It refuses to run
// as root, so that root starts it as nobody.
func startPostgres(b *testing.B) *postgres {
	b.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		b.Fatal("no PostgreSQL to compare with: sudo apt-get install -y postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("", "growpanel-pg-") //nolint:usetesting // its socket's path must be short
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(folder) })
	pg := &postgres{socket: folder, psql: filepath.Join(bin, "psql")}
	if os.Geteuid() == 0 {
		nobody, err := user.Lookup("nobody")
		if err != nil {
			b.Fatal(err)
		}
		uid, _ := strconv.ParseUint(nobody.Uid, 10, 32)
		gid, _ := strconv.ParseUint(nobody.Gid, 10, 32)
		pg.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(folder, int(uid), int(gid)); err != nil {
			b.Fatal(err)
		}
	}
	data := filepath.Join(folder, "data")
	initdb := pg.command(filepath.Join(bin, "initdb"), "-D", data, "-U", "bench", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		b.Fatalf("initdb: %v\n%s", err, out)
	}
	server := pg.command(filepath.Join(bin, "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=",
		"-c", "shared_buffers=1GB", "-c", "work_mem=256MB", "-c", "fsync=off", "-c", "jit=off")
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT)
		_ = server.Wait()
	})
	for range 100 {
		if pg.command(filepath.Join(bin, "pg_isready"), "-h", folder).Run() == nil {
			return pg
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatal("PostgreSQL does not start")
	return nil
}

func (pg *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = pg.socket
	if pg.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: pg.as}
	}
	return cmd
}

func (pg *postgres) run(b *testing.B, sql string, in io.Reader) string {
	b.Helper()
	cmd := pg.command(pg.psql, "-h", pg.socket, "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt", "-F", "\t", "-c", `\timing on`)
	for statement := range strings.SplitSeq(sql, ";") {
		cmd.Args = append(cmd.Args, "-c", statement)
	}
	cmd.Stdin = in
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%.2000s", err, out)
	}
	return string(out)
}

// fill gives it the bills of the company.
func (pg *postgres) fill(b *testing.B, n int) {
	b.Helper()
	var table bytes.Buffer
	bills(n, func(i bill) {
		until := `\N`
		if !i.until.IsZero() {
			until = i.until.Format(time.DateOnly)
		}
		fmt.Fprintf(&table, "%d\t%d\t%s\t%s\t%d\n", i.id, i.customer, i.date.Format(time.DateOnly), until, i.cents)
	})
	pg.run(b, `CREATE TABLE invoice (id int PRIMARY KEY, customer int NOT NULL, date date NOT NULL, until date, cents int NOT NULL)`, nil)
	pg.run(b, `COPY invoice FROM STDIN`, &table)
	pg.run(b, `CREATE INDEX ON invoice (customer, date); CREATE INDEX ON invoice (date); VACUUM ANALYZE invoice`, nil)
}

// ask returns the rows of a query by their first column, and the best of three
// times that it takes.
func (pg *postgres) ask(b *testing.B, sql string) (map[string]int64, time.Duration) {
	b.Helper()
	rows := map[string]int64{}
	best := time.Duration(0)
	for range 3 {
		for line := range strings.Lines(pg.run(b, sql, nil)) {
			line = strings.TrimSpace(line)
			if ms, ok := strings.CutPrefix(line, "Time: "); ok {
				value, err := strconv.ParseFloat(strings.Fields(ms)[0], 64)
				if err != nil {
					b.Fatal(err)
				}
				if took := time.Duration(value * float64(time.Millisecond)); best == 0 || took < best {
					best = took
				}
				continue
			}
			if key, value, ok := strings.Cut(line, "\t"); ok {
				n, err := strconv.ParseInt(value, 10, 64)
				if err != nil {
					b.Fatal(err)
				}
				if n != 0 {
					rows[key] = n
				}
			}
		}
	}
	return rows, best
}
