package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/brood-run/brood/cmd/internal/bench/peer"
)

func main() {
	if peer.IsPlugin() {
		peer.ServePlugin()
		return
	}
	mode := flag.String("mode", "full", "quick (under two minutes) or full")
	bin := flag.String("bin", "bin", "directory with brood, plugins/ and bench/bare, as make lays them out")
	only := flag.String("only", "", "measure only groups with a row that matches this regular expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *mode, *bin, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, mode, bin, only string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, mode, bin)
	if err != nil {
		return err
	}
	defer l.close()
	fmt.Printf("%s\n", l.header())
	var all []result
	failed := 0
	for _, g := range selected(l.groups(), pattern) {
		results, err := g.measure(ctx, l.rounds, os.Stderr)
		if err != nil {
			return err
		}
		all = append(all, results...)
	}
	for _, r := range all {
		failed += r.failed()
	}
	var b strings.Builder
	if err := render(&b, all); err != nil {
		return err
	}
	b.WriteByte('\n')
	if err := promises(&b, all); err != nil {
		return err
	}
	fmt.Print(trimmed(b.String()))
	if failed > 0 {
		return fmt.Errorf("%d cells could not be measured; the table says why", failed)
	}
	return nil
}
