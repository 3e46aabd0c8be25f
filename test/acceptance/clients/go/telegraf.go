package main

import (
	"strings"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/config"
	"github.com/influxdata/telegraf/logger"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/models"
	"github.com/influxdata/telegraf/plugins/outputs/influxdb_v2"
	"github.com/influxdata/telegraf/plugins/parsers/influx"
)

// Interval and maximum number of flushes of the agent's buffer.
const (
	flushInterval = 500 * time.Millisecond
	flushes       = 10
)

// writeByTelegraf reads the lines with Telegraf's parser and writes the metrics with outputs.influxdb_v2, through the buffer in which
// the agent keeps unwritten metrics.
func writeByTelegraf(given job) ([]string, error) {
	if err := logger.SetupLogging(&logger.Config{Quiet: true}); err != nil {
		return nil, err
	}
	metrics := []telegraf.Metric{metric.New(given.Measurement, tags, fields, pointTime)}
	if len(given.Lines) > 0 {
		parser := influx.Parser{}
		if err := parser.Init(); err != nil {
			return nil, err
		}
		var err error
		if metrics, err = parser.Parse([]byte(strings.Join(given.Lines, "\n"))); err != nil {
			return []string{"parser: " + err.Error()}, nil
		}
	}
	output := models.NewRunningOutput(newPlugin(given), &models.OutputConfig{Name: "influxdb_v2"}, given.BatchSize, 10*given.BatchSize)
	if err := output.Init(); err != nil {
		return nil, err
	}
	if err := output.Connect(); err != nil {
		return nil, err
	}
	defer output.Close()
	for _, each := range metrics {
		output.AddMetric(each)
	}
	var reported []string
	for n := 0; n < flushes && output.BufferLength() > 0; n++ {
		if n > 0 {
			time.Sleep(flushInterval)
		}
		if err := output.Write(); err != nil {
			reported = append(reported, err.Error())
		}
	}
	return reported, nil
}

// newPlugin returns the plugin of this configuration:
//
//	[[outputs.influxdb_v2]]
//	  urls = ["http://127.0.0.1:9000"]
//	  token = "..."
//	  organization = "any"
//	  bucket = "any"
//	  content_encoding = "gzip"
//	  influx_uint_support = true
func newPlugin(given job) *influxdb_v2.InfluxDB {
	encoding := "identity"
	if given.Gzip {
		encoding = "gzip"
	}
	return &influxdb_v2.InfluxDB{
		URLs:            []string{given.URL},
		Token:           config.NewSecret([]byte(given.Token)),
		Organization:    "any",
		Bucket:          "any",
		Timeout:         config.Duration(5 * time.Second),
		ContentEncoding: encoding,
		UintSupport:     true,
	}
}
