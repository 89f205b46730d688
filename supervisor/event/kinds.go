package event

// Kinds are the kinds of all events, in no order.
func Kinds() []string {
	all := []Event{
		PluginChanged{}, PoolDegraded{}, PoolRecovered{}, ReloadStarted{}, ReloadFinished{}, ReloadRolledBack{},
		TaskQueued{}, TaskStarted{}, TaskAttemptFailed{}, TaskRetrying{}, TaskRecalled{}, TaskProgress{}, TaskFinished{},
		WorkerStarting{}, WorkerReady{}, WorkerDraining{}, WorkerStopping{}, WorkerExited{},
	}
	kinds := make([]string, len(all))
	for i, e := range all {
		kinds[i] = e.Kind()
	}
	return kinds
}
