package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestWebPagesFromElsewhereAreNotServed(t *testing.T) {
	r := newRig(t, setup{idle: true})
	port := r.web.Listener.Addr().(*net.TCPAddr).Port
	local := fmt.Sprintf("127.0.0.1:%d", port)
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"as it is":                    {nil, 200},
		"localhost":                   {[]string{"Host", fmt.Sprintf("localhost:%d", port)}, 200},
		"LOCALHOST":                   {[]string{"Host", "LOCALHOST."}, 200},
		"IPv6":                        {[]string{"Host", fmt.Sprintf("[::1]:%d", port)}, 200},
		"rebound name":                {[]string{"Host", fmt.Sprintf("evil.example:%d", port)}, 403},
		"name that looks like us":     {[]string{"Host", "127.0.0.1.evil.example"}, 403},
		"name that ends like us":      {[]string{"Host", "evillocalhost"}, 403},
		"other address":               {[]string{"Host", "10.0.0.1"}, 403},
		"no host":                     {[]string{"Host", " "}, 403},
		"origin elsewhere":            {[]string{"Origin", "https://evil.example"}, 403},
		"origin here":                 {[]string{"Origin", "http://" + local}, 200},
		"cross-site":                  {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"same-site, another origin":   {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		"same-origin":                 {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		"opaque origin":               {[]string{"Origin", "null"}, 403},
		"form without a content-type": {[]string{"Content-Type", "text/plain"}, 415},
	} {
		got := r.curl(t, "Submit", `{"task":"ok"}`, c.header...)
		if got.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, c.status)
		}
	}
}

func TestTokensReplaceTheHostCheck(t *testing.T) {
	r := newRig(t, setup{idle: true, tokens: threeTokens()})
	if got := r.curl(t, "Submit", `{"task":"ok"}`, "Host", "brood.example", "Authorization", "Bearer "+submitSecret); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// raw sends what no client would and returns the status line and the body.
func (r *rig) raw(t testing.TB, request string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", r.web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if l := res.Header.Get("Location"); l != "" {
		t.Errorf("%q redirects to %s", request, l)
	}
	return res.StatusCode, string(b)
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	r := newRig(t, setup{idle: true})
	for _, path := range []string{
		"/", "//", "/brood.v1.TaskService", "/brood.v1.TaskService/", "/brood.v1.TaskService/submit", "/brood.v1.TaskService/Submit/",
		"//brood.v1.TaskService/Submit", "/brood.v1.TaskService//Submit", "/x/../brood.v1.TaskService/Submit", "/brood.v1.TaskService/./Submit",
		"/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/brood.v1.TaskService/Submit%00", "/brood.v1.TaskService/Submit;x=y",
		"/brood.v1.TaskService\\Submit", "/healthz/", "/healthz/../readyz", "/HEALTHZ", "/debug/pprof/", "/favicon.ico", "/" + strings.Repeat("a/", 2000),
		"/brood.v1.AdminService/Submit", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "http://127.0.0.1/nothing", "*",
	} {
		for _, method := range []string{"POST", "GET", "OPTIONS"} {
			if path == "*" && method != "OPTIONS" {
				continue
			}
			status, body := r.raw(t, method+" "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
			if path == "*" {
				if status >= 500 {
					t.Errorf("%s %s: %d", method, path, status)
				}
				continue
			}
			if status != 404 || !strings.Contains(body, "brood.v1.TaskService") && status == 404 {
				t.Errorf("%s %s: %d %q", method, path, status, body)
			}
		}
	}
	if status, _ := r.raw(t, "POST /brood.v1.TaskService/%53ubmit?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{\"task\":\"ok\"}"); status != 200 {
		t.Errorf("an escaped letter: %d", status)
	}
}

func TestRequestsThatAreNoneOfTheAPI(t *testing.T) {
	r := newRig(t, setup{idle: true})
	for name, c := range map[string]struct {
		method, path, contentType string
		status                    int
		says                      string
	}{
		"form":               {"POST", "Submit", "application/x-www-form-urlencoded", 415, "application/json"},
		"no content-type":    {"POST", "Submit", "", 415, "application/json"},
		"xml":                {"POST", "Submit", "application/xml", 415, "application/json"},
		"put":                {"PUT", "Submit", "application/json", 405, "POST"},
		"get of a method":    {"GET", "Submit", "", 405, ""},
		"stream by HTTP/1.1": {"POST", "SubmitStream", "application/connect+json", 505, "HTTP/2"},
		"post of a probe":    {"POST", "/healthz", "application/json", 405, ""},
	} {
		got := r.send(t, c.method, c.path, `{}`, "Content-Type", c.contentType)
		if got.status != c.status || !strings.Contains(string(got.body), c.says) {
			t.Errorf("%s: %d %q, want %d and %q", name, got.status, got.body, c.status, c.says)
		}
	}
}
