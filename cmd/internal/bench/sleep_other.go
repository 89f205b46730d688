//go:build !linux

package bench

import (
	"context"
	"time"
)

func sleep(ctx context.Context, d time.Duration) { wait(ctx, d) }
