package worker

// pulse is what is known of a worker's signs of life. It belongs to who calls Pulse.
type pulse struct {
	life   uint64 // reads from the pipe and beats on the scoreboard so far
	missed int    // looks since that changed
}

// Pulse looks for a sign of life since the last look. The worker's owner calls it once each
// Heartbeat, for all its workers together: that costs a thousand idle ones one wake-up,
// where a timer or a frame for each would cost a thousand. A worker without
// one at Missed looks in a row is stopped or wedged, and is given up.
//
// Looks are counted rather than time, so that a supervisor that was itself held up for long finds
// its workers as alive as before.
func (w *Worker) Pulse() {
	p := &w.pulse
	life, starting := w.signs()
	if starting || life != p.life {
		p.life, p.missed = life, 0
		return
	}
	if p.missed++; p.missed >= w.cfg.Missed {
		w.Dump(ReasonHeartbeatLost, 0, nil)
	}
}

// signs sums up what the worker has shown of itself. A sum that a worker makes up still has
// to change each time.
func (w *Worker) signs() (life uint64, starting bool) {
	life = w.heard.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.board != nil {
		life += w.board.Beats()
	}
	return life, w.state == StateStarting
}
