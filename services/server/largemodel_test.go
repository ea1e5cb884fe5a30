package server

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/model"
)

// upload is the JSON of a model that is no model, of n bytes: who refuses it has read it all.
func upload(n int) string {
	text := string(score.DefaultModel()) + strings.Repeat("#", max(0, n-len(score.DefaultModel())))
	return `{"artifact":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `","by":"a","note":"b"}`
}

// TestModelsMayBeLarge: an upload beyond what other paths take gets to the reader of models;
// one beyond the largest model is not even read.
func TestModelsMayBeLarge(t *testing.T) {
	t.Parallel()
	s := openMemoryBank(t, goldenBank).start(t)
	got := s.do(http.MethodPost, modelsPath, upload(3<<20))
	if f := got.failure(t); f.reason() != model.Malformed || !strings.Contains(f.Message, "3145728 bytes") {
		t.Errorf("3 MiB: %d %.300s, want %s", got.code, got.body, model.Malformed)
	}
	head := "POST " + modelsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(model.MaxBody+1) + "\r\n\r\n"
	if status := sayRaw(t, s.addr.HTTP.String(), head); status != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte beyond the largest: %d, want 413", status)
	}
	other := "POST " + modelsPath + "/" + strings.Repeat("0", 64) + ":activate HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(2<<20) + "\r\n\r\n"
	if status := sayRaw(t, s.addr.HTTP.String(), other); status != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MiB elsewhere below %s: %d, want 413", modelsPath, status)
	}
}

// sayRaw sends the head of a request and returns the status of the answer.
func sayRaw(t *testing.T, address, head string) int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return say(t, conn, head)
}

// say sends the head of a request and returns the status of the first answer.
func say(t *testing.T, conn net.Conn, head string) int {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("HTTP/1.1 413"))
	if _, err := io.ReadFull(conn, line); err != nil {
		t.Fatal(err)
	}
	code, err := strconv.Atoi(string(line[len("HTTP/1.1 "):]))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestOneLargeModelAtATime: while one upload is on its way, another that is large is told to
// come back, and small ones are answered; when the first ends, the next is taken.
func TestOneLargeModelAtATime(t *testing.T) {
	t.Parallel()
	s := openMemoryBank(t, goldenBank).start(t)
	body := upload(2 << 20)
	slow, err := net.Dial("tcp", s.addr.HTTP.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	// A server says 100 when it begins to read the body.
	head := "POST " + modelsPath + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	if code := say(t, slow, head); code != http.StatusContinue {
		t.Fatalf("the first upload: %d, want 100", code)
	}
	got := s.do(http.MethodPost, modelsPath, body)
	if got.code != http.StatusServiceUnavailable || got.failure(t).reason() != "OVERLOADED" || got.header.Get("Retry-After") != "1" {
		t.Errorf("a second upload at once: %d %s %v, want 503", got.code, got.body, got.header)
	}
	if got := s.do(http.MethodPost, modelsPath, upload(0)); got.failure(t).reason() == "OVERLOADED" {
		t.Errorf("a small upload meanwhile: %s", got.body)
	}
	if got := s.do(http.MethodGet, modelsPath, ""); got.code != http.StatusOK {
		t.Errorf("a list meanwhile: %d", got.code)
	}
	_ = slow.Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		got := s.do(http.MethodPost, modelsPath, body)
		if got.failure(t).reason() == model.Malformed {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the first has gone: %.300s", got.body)
		}
		time.Sleep(time.Millisecond)
	}
}
