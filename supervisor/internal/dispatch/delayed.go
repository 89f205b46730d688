package dispatch

import "container/heap"

// delayed holds the jobs that wait for their next attempt, the earliest first. It
// holds no job that has ended: Cancel removes it.
type delayed []*Job

func (h *delayed) push(j *Job) { heap.Push((*jobHeap)(h), j) }
func (h *delayed) pop() *Job   { return heap.Pop((*jobHeap)(h)).(*Job) }

func (h *delayed) remove(j *Job) {
	for i, x := range *h {
		if x == j {
			heap.Remove((*jobHeap)(h), i)
			return
		}
	}
}

type jobHeap []*Job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h jobHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *jobHeap) Push(x any)        { *h = append(*h, x.(*Job)) }

func (h *jobHeap) Pop() any {
	old := *h
	n := len(old) - 1
	j := old[n]
	old[n] = nil
	*h = old[:n]
	return j
}
