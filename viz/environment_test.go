package viz

import "testing"

func TestMasked(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"STILLUP_ADDR", "127.0.0.1:8080", "127.0.0.1:8080"},
		{"STILLUP_TOKEN", "s3cret", "•••"},
		{"STILLUP_TOKEN", "", ""},
		{"db_password", "x", "•••"},
		{"API_KEY", "https://host/path", "•••"},
		{"ClientSecret", "x", "•••"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer x", "•••"},
		{"STORE", "postgres://orders:s3cret@127.0.0.1:5432/orders?sslmode=disable", "postgres://orders:•••@127.0.0.1:5432/orders?sslmode=disable"},
		{"STORE", "redis://:s3c/r@t@host:6379/0", "redis://:•••@host:6379/0"},
		{"STORE", "mongodb://u:p@h1:1,h2:2/db", "mongodb://u:•••@h1:1,h2:2/db"},
		{"STORES", "a-db=postgres://u:p,w@h:1/a,b-db=redis://h:2,c-db=mongodb://u:q@h:3", "a-db=postgres://u:•••@h:1/a,b-db=redis://h:2,c-db=mongodb://u:•••@h:3"},
		{"PEERS", "catalog=http://127.0.0.1:7201,users=http://127.0.0.1:7202", "catalog=http://127.0.0.1:7201,users=http://127.0.0.1:7202"},
		{"DSN", "host=h user=u password=s3cret dbname=d", "host=h user=u password=••• dbname=d"},
		{"DSN", "host=h password='two words' dbname=d", "host=h password=••• dbname=d"},
		{"HOOK", "https://h/x?access_token=s3cret&y=1", "https://h/x?access_token=•••&y=1"},
		{"NOTE", "see http://h mail me@h", "see http://h mail me@h"},
	} {
		if got := masked(tc.name, tc.value); got != tc.want {
			t.Errorf("%s=%s: %s, want %s", tc.name, tc.value, got, tc.want)
		}
	}
}
