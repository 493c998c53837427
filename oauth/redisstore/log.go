package redisstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogTo has the Redis library write to a logger instead of standard error. The
// library has one logger for the whole process: call it once, before Open.
func LogTo(logger *slog.Logger) { redis.SetLogger(libraryLog{logger}) }

type libraryLog struct{ logger *slog.Logger }

// Printf is called by the library, for what it does about a server that does not
// answer.
func (l libraryLog) Printf(ctx context.Context, format string, args ...any) {
	l.logger.DebugContext(ctx, "redis client", slog.String("message", fmt.Sprintf(format, args...)))
}
