package delivery

import (
	"context"
	"time"
)

type beganKey struct{}

// WithBegan tells exporters when the first record of what is delivered was
// acknowledged, or the sender started, if that was later. It is for metrics:
// over a network it does not travel.
func WithBegan(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, beganKey{}, t)
}

// Began is the time that [WithBegan] told, zero if it is not known.
func Began(ctx context.Context) time.Time {
	t, _ := ctx.Value(beganKey{}).(time.Time)
	return t
}
