package main

import (
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/http"
	influxlog "github.com/influxdata/influxdb-client-go/v2/log"
)

// writeByClient uses the client's non-blocking API. The API retries a failed batch only when it has another one to send and the wait
// is over. So if the server throttles, the last line is written after the wait, as a continuous source of points would do.
func writeByClient(given job) ([]string, error) {
	influxlog.Log = nil
	options := influxdb2.DefaultOptions().SetUseGZip(given.Gzip).SetBatchSize(uint(given.BatchSize)).SetFlushInterval(60_000)
	client := influxdb2.NewClientWithOptions(given.URL, given.Token, options)
	writer := client.WriteAPI("any", "any")

	var reported []string
	collected := make(chan struct{})
	failures := writer.Errors()
	go func() {
		defer close(collected)
		for err := range failures {
			reported = append(reported, err.Error())
		}
	}()
	waits := make(chan time.Duration, 1)
	writer.SetWriteFailedCallback(func(_ string, err http.Error, _ uint) bool {
		waits <- time.Duration(err.RetryAfter) * time.Second
		return true
	})

	if len(given.Lines) == 0 {
		writer.WritePoint(influxdb2.NewPoint(given.Measurement, tags, fields, pointTime))
	}
	for n, line := range given.Lines {
		if given.Throttled && n == given.BatchSize {
			time.Sleep(<-waits + 100*time.Millisecond)
		}
		writer.WriteRecord(line)
	}
	client.Close()
	<-collected
	return reported, nil
}
