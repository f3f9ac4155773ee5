// A stand-in for HyperFleet's status-reporter: reads the result file of the job beside it, and
// writes it into the Job's conditions.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	account    = "/var/run/secrets/kubernetes.io/serviceaccount/"
	mostBytes  = 1 << 20
	lookAtPods = 10 * time.Second
)

type condition struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	Reason             string `json:"reason"`
	Message            string `json:"message"`
	LastProbeTime      string `json:"lastProbeTime"`
	LastTransitionTime string `json:"lastTransitionTime"`
}

type reporter struct {
	client           *http.Client
	server           string
	namespace, job   string
	pod, container   string
	path, kind       string
	interval, atMost time.Duration
}

func main() {
	r := reporter{
		namespace: needed("JOB_NAMESPACE"), job: needed("JOB_NAME"), pod: needed("POD_NAME"),
		path:      or("RESULTS_PATH", "/results/adapter-result.json"),
		kind:      or("CONDITION_TYPE", "Available"),
		container: os.Getenv("ADAPTER_CONTAINER_NAME"),
		interval:  seconds("POLL_INTERVAL_SECONDS", 2), atMost: seconds("MAX_WAIT_TIME_SECONDS", 300),
		server: "https://" + net.JoinHostPort(
			needed("KUBERNETES_SERVICE_HOST"), needed("KUBERNETES_SERVICE_PORT")),
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(account + "ca.crt"))
	r.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}}}
	found, ok := r.wait()
	r.report(found)
	fmt.Println("reported", found.Status, found.Reason)
	if !ok {
		os.Exit(1)
	}
}

// wait returns what to report, and whether it came from a valid result file.
func (r *reporter) wait() (condition, bool) {
	files, pods := time.NewTicker(r.interval), time.NewTicker(lookAtPods)
	end := time.After(r.atMost)
	found, ended := r.ended()
	for !ended {
		select {
		case <-files.C:
			if _, err := os.Stat(r.path); err == nil {
				value, err := r.result()
				if err != nil {
					return r.failure("InvalidResultFormat",
						"Failed to parse adapter result: "+err.Error()), false
				}
				return value, true
			}
		case <-pods.C:
			found, ended = r.ended()
		case <-end:
			return r.failure("AdapterTimeout", fmt.Sprintf(
				"Adapter did not produce results within %s", r.atMost)), false
		}
	}
	if value, err := r.result(); err == nil {
		return value, true
	}
	return found, false
}

// result reads the file, which is looked at once only.
func (r *reporter) result() (condition, error) {
	var value struct{ Status, Reason, Message string }
	data, err := os.ReadFile(r.path)
	if err == nil && (len(data) == 0 || len(data) > mostBytes) {
		err = fmt.Errorf("result file has %d bytes", len(data))
	}
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	if err == nil && value.Status != "success" && value.Status != "failure" {
		err = fmt.Errorf("status is %q", value.Status)
	}
	found := r.failure(cut(value.Reason, 128, "NoReasonProvided"),
		cut(value.Message, 1024, "No message provided"))
	if value.Status == "success" {
		found.Status = "True"
	}
	return found, err
}

// ended returns what the container's end means without a result file, if it has ended.
func (r *reporter) ended() (condition, bool) {
	var pod struct {
		Status struct {
			ContainerStatuses []struct {
				Name  string
				State struct {
					Terminated *struct {
						ExitCode int
						Reason   string
					}
				}
			}
		}
	}
	r.call("GET", "/api/v1/namespaces/"+r.namespace+"/pods/"+r.pod, "", nil, &pod)
	for _, status := range pod.Status.ContainerStatuses {
		known := status.Name == r.container || (r.container == "" && status.Name != "status-reporter")
		end := status.State.Terminated
		switch {
		case !known || end == nil:
			continue
		case end.Reason == "OOMKilled":
			return r.failure("AdapterOOMKilled",
				"Adapter container was killed due to out of memory (OOMKilled)"), true
		case end.ExitCode != 0:
			return r.failure("AdapterExitedWithError", fmt.Sprintf(
				"Adapter container exited with code %d: %s", end.ExitCode, end.Reason)), true
		}
		return r.failure("AdapterMissingResults", "Adapter container exited successfully "+
			"(code 0) but did not produce a valid result file"), true
	}
	return condition{}, false
}

func (r *reporter) failure(reason, message string) condition {
	return condition{Type: r.kind, Status: "False", Reason: reason, Message: message}
}

// report puts the condition among those that the Job has.
func (r *reporter) report(found condition) {
	path := "/apis/batch/v1/namespaces/" + r.namespace + "/jobs/" + r.job
	var job struct{}
	r.call("GET", path, "", nil, &job)
	found.LastProbeTime = time.Now().UTC().Format(time.RFC3339)
	found.LastTransitionTime = found.LastProbeTime
	body, _ := json.Marshal(map[string]any{"status": map[string]any{"conditions": []condition{found}}})
	r.call("PATCH", path+"/status", "application/strategic-merge-patch+json", body, &job)
}

// call makes one call of the API, which must succeed.
func (r *reporter) call(method, path, contents string, body []byte, reply any) {
	request, _ := http.NewRequest(method, r.server+path, bytes.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(read(account+"token"))))
	request.Header.Set("Content-Type", contents)
	response, err := r.client.Do(request)
	if err != nil {
		fail(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, data)
	}
	if err == nil {
		err = json.Unmarshal(data, reply)
	}
	if err != nil {
		fail(err)
	}
}

// cut trims a text to so many bytes of whole characters.
func cut(text string, most int, empty string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return empty
	}
	for len(text) > most || !utf8.ValidString(text) {
		text = text[:min(most, len(text)-1)]
	}
	return text
}

func or(name, fallback string) string {
	if value := strings.TrimSpace(os.Getenv(name)); value != "" {
		return value
	}
	return fallback
}

func needed(name string) string {
	value := os.Getenv(name)
	if value == "" {
		fail(fmt.Errorf("%s is not set", name))
	}
	return value
}

func seconds(name string, fallback int) time.Duration {
	number, err := strconv.Atoi(or(name, strconv.Itoa(fallback)))
	if err != nil || number <= 0 {
		fail(fmt.Errorf("%s is no number of seconds", name))
	}
	return time.Duration(number) * time.Second
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	return data
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "status-reporter:", err)
	os.Exit(1)
}
