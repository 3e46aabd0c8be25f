package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/agent"
	"github.com/influxdata/telegraf/config"
	"github.com/influxdata/telegraf/logger"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/plugins/inputs"
)

// agentConfig is the configuration of a Telegraf agent with outputs.influxdb_v2 and the input of this program. It is given the URL and
// the token.
const agentConfig = `
[agent]
  flush_interval = "200ms"
  metric_batch_size = 200
  metric_buffer_limit = 1000000
  omit_hostname = true
[[outputs.influxdb_v2]]
  urls = [%q]
  token = %q
  organization = "ons-energy"
  bucket = "energy_data"
[[inputs.points]]
`

// command is what the program reads after its job: so many points with a time in the past.
type command struct {
	Late int
	Days int
}

// point is what the program prints of each metric once the agent has settled it.
type point struct {
	Measurement string               `json:"measurement"`
	Tags        map[string]string    `json:"tags"`
	Time        string               `json:"time"`
	Fields      map[string][2]string `json:"fields"` // type and value
	Delivered   bool                 `json:"delivered"`
}

// points is an input that makes metrics without pause until it is told to end. Telegraf's tracking says when each one was delivered.
type points struct {
	accumulator telegraf.TrackingAccumulator
	mutex       sync.Mutex
	pending     map[telegraf.TrackingID]point
	made        int
	printer     *json.Encoder
	started     chan struct{}
}

func (*points) SampleConfig() string              { return "" }
func (*points) Gather(telegraf.Accumulator) error { return nil }
func (*points) Stop()                             {}
func (p *points) Start(a telegraf.Accumulator) error {
	p.accumulator = a.WithTracking(1_000_000)
	go p.settle()
	close(p.started)
	return nil
}

// runAgent runs until its input ends and each metric is settled.
func runAgent(given job, commands *json.Decoder) error {
	// Standard output is for the points.
	log.SetOutput(os.Stderr)
	input := &points{
		pending: map[telegraf.TrackingID]point{},
		printer: json.NewEncoder(os.Stdout),
		started: make(chan struct{}),
	}
	inputs.Add("points", func() telegraf.Input { return input })
	settings := config.NewConfig()
	if err := settings.LoadConfigData(fmt.Appendf(nil, agentConfig, given.URL, given.Token), "telegraf.conf"); err != nil {
		return err
	}
	if err := logger.SetupLogging(&logger.Config{Quiet: true}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- agent.NewAgent(settings).Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-input.started:
	}
	go input.generate(commands, cancel)
	return <-ended
}

// generate makes some points every 50 ms, and those in the past that are requested. At the end it waits for their delivery.
func (p *points) generate(commands *json.Decoder, done func()) {
	requests := make(chan command)
	go func() {
		defer close(requests)
		for {
			var next command
			if err := commands.Decode(&next); err != nil {
				if err != io.EOF {
					log.Print(err)
				}
				return
			}
			requests <- next
		}
	}()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for host := range 4 {
				p.make(host, time.Now())
			}
		case request, open := <-requests:
			if !open {
				for !p.isSettled() {
					time.Sleep(50 * time.Millisecond)
				}
				done()
				return
			}
			for n := range request.Late {
				days := time.Duration(request.Days) * 24 * time.Hour
				p.make(n%4, time.Now().Add(-days-time.Duration(rand.Int64N(int64(time.Hour)))))
			}
		}
	}
}

// make adds a metric of one of two measurements. Each has its number as a field, so no two metrics are equal.
func (p *points) make(host int, at time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.made++
	n := p.made
	tags := map[string]string{"host": fmt.Sprintf("server %d", host)}
	fields := map[string]any{"n": int64(n), "load": rand.NormFloat64() * 1e3, "up": n%3 > 0}
	measurement := "cpu"
	if n%5 == 0 {
		measurement = "disk"
		tags["path"] = `C:\data, a=b`
		fields = map[string]any{"n": int64(n), "used": uint64(rand.Uint32()), "state": fmt.Sprintf("número %d, \"ok\" \\ 日", n)}
	}
	printed := point{Measurement: measurement, Tags: tags, Time: strconv.FormatInt(at.UnixNano(), 10), Fields: map[string][2]string{}}
	for name, value := range fields {
		switch v := value.(type) {
		case int64:
			printed.Fields[name] = [2]string{"integer", strconv.FormatInt(v, 10)}
		case uint64:
			// Without influx_uint_support, the plugin writes unsigned values as integers.
			printed.Fields[name] = [2]string{"integer", strconv.FormatUint(v, 10)}
		case float64:
			printed.Fields[name] = [2]string{"float", strconv.FormatFloat(v, 'g', -1, 64)}
		case bool:
			printed.Fields[name] = [2]string{"boolean", strconv.FormatBool(v)}
		case string:
			printed.Fields[name] = [2]string{"string", v}
		}
	}
	p.pending[p.accumulator.AddTrackingMetric(metric.New(measurement, tags, fields, at))] = printed
}

func (p *points) settle() {
	for info := range p.accumulator.Delivered() {
		p.mutex.Lock()
		printed := p.pending[info.ID()]
		delete(p.pending, info.ID())
		printed.Delivered = info.Delivered()
		if err := p.printer.Encode(printed); err != nil {
			log.Fatal(err)
		}
		p.mutex.Unlock()
	}
}

func (p *points) isSettled() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.pending) == 0
}
