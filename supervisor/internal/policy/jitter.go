package policy

// Jitter spreads a limit downwards by up to that fraction, so that workers
// started together do not wear out together. Every whole number from
// limit - limit*fraction to the limit is equally likely, so that a limit of ten
// tasks and a tenth still gives nine half of the time. The result is at least
// 1; a limit of zero means none and stays zero.
func Jitter[N ~int | ~int64 | ~uint64](limit N, fraction float64, rnd func() float64) N {
	if limit <= 0 || fraction <= 0 {
		return limit
	}
	widest := float64(limit) * min(fraction, 1)
	cut := N(rnd() * (float64(N(widest)) + 1))
	if cut >= limit {
		return 1
	}
	return limit - cut
}
