// Command clients writes with one of three Go packages: influxdb-client-go, line-protocol/v2 and Telegraf's outputs.influxdb_v2.
// It reads a job from stdin (see ../../clients.ts) and prints the errors that the client reports as a JSON array of texts.
// As telegraf-agent it is an agent that writes until stdin ends (see ../../cut-over/agent.ts).
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"
)

type job struct {
	URL         string
	Token       string
	Gzip        bool
	BatchSize   int
	Measurement string
	// The server's first response will be 429 or 503.
	Throttled bool
	// Lines to write; if empty, one point with a field of every type.
	Lines []string
}

// The point with a field of every type.
var (
	tags      = map[string]string{"city": "São Paulo", "path": `C:\a, b=c`}
	fields    = map[string]any{"f": -0.25, "i": int64(-7), "u": uint64(7), "b": true, "s": `a "b" \ c`}
	pointTime = time.Unix(0, 1709294400000000007)
)

func main() {
	clients := map[string]func(job) ([]string, error){
		"influxdb-client-go": writeByClient,
		"line-protocol":      writeByEncoder,
		"telegraf":           writeByTelegraf,
	}
	isAgent := len(os.Args) == 2 && os.Args[1] == "telegraf-agent"
	if len(os.Args) != 2 || (clients[os.Args[1]] == nil && !isAgent) {
		log.Fatal("usage: clients influxdb-client-go|line-protocol|telegraf|telegraf-agent < job.json")
	}
	input := json.NewDecoder(os.Stdin)
	var given job
	if err := input.Decode(&given); err != nil {
		log.Fatal(err)
	}
	if isAgent {
		if err := runAgent(given, input); err != nil {
			log.Fatal(err)
		}
		return
	}
	errors, err := clients[os.Args[1]](given)
	if err != nil {
		log.Fatal(err)
	}
	if errors == nil {
		errors = []string{}
	}
	text, err := json.Marshal(errors)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}
