// Reads a shop's events from Apache Kafka as CloudEvents, and places an order from outside.
//
//	shop read orders                      every message of a topic, one JSON object a line, without end
//	shop read -count 3 orders             only the first three
//	shop place -sku 85123A -quantity 2    sends order.place to the door orders-in
//
// The brokers are those of WAYBILL_KAFKA_URL, else 127.0.0.1:9092.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const attribute = "ce_"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say read or place")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	count := flags.Int("count", 0, "how many messages to read; 0: all, without end")
	sku := flags.String("sku", "", "what is ordered")
	quantity := flags.Int("quantity", 1, "how much of it")
	orderID := flags.String("order-id", rand.Text(), "the order's id")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch {
	case args[0] == "read" && flags.NArg() == 1:
		return read(ctx, flags.Arg(0), *count)
	case args[0] == "place" && *sku != "":
		return place(ctx, *orderID, *sku, *quantity)
	}
	return errors.New("say read TOPIC, or place -sku SKU")
}

func connect(options ...kgo.Opt) (*kgo.Client, error) {
	brokers := "127.0.0.1:9092"
	if named := os.Getenv("WAYBILL_KAFKA_URL"); named != "" {
		brokers = named
	}
	return kgo.NewClient(append(options, kgo.SeedBrokers(strings.Split(brokers, ",")...))...)
}

// read prints a topic from its first message on.
func read(ctx context.Context, topic string, count int) error {
	client, err := connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	lines := json.NewEncoder(os.Stdout)
	for seen := 0; ; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for records := fetches.RecordIter(); !records.Done(); {
			if err := lines.Encode(cloudEvent(records.Next())); err != nil {
				return err
			}
			if seen++; seen == count {
				return nil
			}
		}
	}
}

// cloudEvent is a record as CloudEvents 1.0 writes it in JSON: its attributes are the record's headers.
func cloudEvent(record *kgo.Record) map[string]any {
	event := map[string]any{"data": json.RawMessage(record.Value)}
	for _, header := range record.Headers {
		if header.Key == "content-type" {
			event["datacontenttype"] = string(header.Value)
		} else if name, ok := strings.CutPrefix(header.Key, attribute); ok {
			event[name] = string(header.Value)
		}
	}
	return event
}

// place sends an order, and prints its id once all replicas in sync have it. The same record may be sent again until it
// is confirmed: an order with the same id and content is one order.
func place(ctx context.Context, orderID, sku string, quantity int) error {
	client, err := connect()
	if err != nil {
		return err
	}
	defer client.Close()
	body, err := json.Marshal(map[string]any{
		"orderId":    orderID,
		"placedAtMs": time.Now().UnixMilli(),
		"customer":   map[string]string{"id": "example", "email": "ann@example.org"},
		"currency":   "GBP",
		"payment":    map[string]string{"token": "tok_approved"},
		"lines":      []map[string]any{{"sku": sku, "quantity": quantity}},
	})
	if err != nil {
		return err
	}
	record := &kgo.Record{
		Topic: "orders-in",
		// This client chooses the partition of a key as the shop does. One that chooses another is put right: the reader
		// of a door passes a message on to the partition of its key.
		Key:   []byte(orderID),
		Value: body,
		Headers: []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_id", Value: []byte("place-" + orderID)},
			{Key: "ce_source", Value: []byte("example/go")},
			{Key: "ce_type", Value: []byte("order.place")},
			{Key: "ce_subject", Value: []byte(orderID)},
			{Key: "content-type", Value: []byte("application/json")},
		},
	}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return err
	}
	fmt.Println(orderID)
	return nil
}
