package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// writeByEncoder decodes the lines with line-protocol/v2, encodes them again and sends them. The package is only a codec, so nothing
// is retried.
func writeByEncoder(given job) ([]string, error) {
	if len(given.Lines) == 0 {
		var encoder lineprotocol.Encoder
		encodePoint(&encoder, given.Measurement)
		return postAll(given, [][]byte{encoder.Bytes()})
	}
	var bodies [][]byte
	for batch := range slices.Chunk(given.Lines, given.BatchSize) {
		body, err := recode(batch)
		if err != nil {
			return []string{"decoder: " + err.Error()}, nil
		}
		bodies = append(bodies, body)
	}
	return postAll(given, bodies)
}

func encodePoint(encoder *lineprotocol.Encoder, measurement string) {
	encoder.StartLine(measurement)
	for _, key := range []string{"city", "path"} {
		encoder.AddTag(key, tags[key])
	}
	for _, key := range []string{"b", "f", "i", "s", "u"} {
		encoder.AddField(key, lineprotocol.MustNewValue(fields[key]))
	}
	encoder.EndLine(pointTime)
}

// recode decodes lines and encodes them again.
func recode(lines []string) ([]byte, error) {
	var encoder lineprotocol.Encoder
	encoder.SetLax(true)
	decoder := lineprotocol.NewDecoderWithBytes([]byte(strings.Join(lines, "\n")))
	for decoder.Next() {
		measurement, err := decoder.Measurement()
		if err != nil {
			return nil, err
		}
		encoder.StartLineRaw(measurement)
		for {
			key, value, err := decoder.NextTag()
			if err != nil {
				return nil, err
			}
			if key == nil {
				break
			}
			encoder.AddTagRaw(key, value)
		}
		for {
			key, value, err := decoder.NextField()
			if err != nil {
				return nil, err
			}
			if key == nil {
				break
			}
			encoder.AddFieldRaw(key, value)
		}
		time, err := decoder.Time(lineprotocol.Nanosecond, pointTime)
		if err != nil {
			return nil, err
		}
		encoder.EndLine(time)
	}
	return encoder.Bytes(), encoder.Err()
}

func postAll(given job, bodies [][]byte) ([]string, error) {
	var reported []string
	for _, body := range bodies {
		failure, err := post(given, body)
		if err != nil {
			return nil, err
		}
		if failure != "" {
			reported = append(reported, failure)
		}
	}
	return reported, nil
}

// post returns the status and the body of a failure.
func post(given job, body []byte) (string, error) {
	headers := map[string]string{"Authorization": "Token " + given.Token}
	if given.Gzip {
		var compressed bytes.Buffer
		writer := gzip.NewWriter(&compressed)
		writer.Write(body)
		writer.Close()
		body = compressed.Bytes()
		headers["Content-Encoding"] = "gzip"
	}
	request, err := http.NewRequest(http.MethodPost, given.URL+"/api/v2/write?org=any&bucket=any", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode < 300 {
		return "", err
	}
	return fmt.Sprintf("%s: %s", response.Status, text), nil
}
