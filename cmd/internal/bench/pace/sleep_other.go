//go:build !linux

package pace

import (
	"context"
	"time"
)

func sleep(ctx context.Context, d time.Duration) { wait(ctx, d) }
