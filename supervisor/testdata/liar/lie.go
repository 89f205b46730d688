package main

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// liar makes up what to say when it is given the task seq.
type liar struct {
	*rand.Rand
	seq uint64
}

// lie is a few frames, most of which would be in order from somebody else, or at another time, and
// now and then with something wrong in them.
func (l liar) lie() []byte {
	var b []byte
	for range 1 + l.IntN(5) {
		b = l.frame(b)
	}
	switch l.IntN(6) {
	case 0: // some bits turned
		for range 1 + l.IntN(8) {
			b[l.IntN(len(b))] ^= byte(1 << l.IntN(8))
		}
	case 1: // cut short
		b = b[:l.IntN(len(b))]
	case 2: // another length
		binary.LittleEndian.PutUint32(b, l.Uint32()>>l.IntN(32))
	case 3: // noise
		for range l.IntN(1 << 12) {
			b = append(b, byte(l.Uint32()))
		}
	case 4: // an honest answer at the end: perhaps to a supervisor that still listens
		b = wire.AppendResult(b, &wire.Result{Seq: l.seq})
	}
	return b
}

// id is of a task that it has, or had, or will have, or nobody ever had.
func (l liar) id() uint64 {
	switch l.IntN(4) {
	case 0:
		return l.Uint64()
	case 1:
		return 0
	case 2:
		return l.seq + l.Uint64N(4) - 2
	default:
		return l.seq
	}
}

func (l liar) frame(b []byte) []byte {
	switch l.IntN(9) {
	case 0:
		return wire.AppendFrame(b, wire.Frame{Type: ipc.Type(l.Uint32()), Flags: uint8(l.Uint32()), ID: l.id(), Body: l.noise()})
	case 1:
		return wire.AppendControl(b, ipc.TypeReady, 0, l.id(), ipc.Ready{Plugin: "another", SDK: "x", Wire: l.IntN(3), Scoreboard: true})
	case 2:
		return wire.AppendControl(b, ipc.TypeBeat, 0, l.id(), ipc.Beat{Running: []uint64{l.id()}, Queued: -1})
	case 3:
		return wire.AppendControl(b, ipc.TypeProgress, 0, l.id(), ipc.Progress{Fraction: -1e300, Message: string(l.noise())})
	case 4:
		return wire.AppendIDs(b, ipc.TypeRecalled, l.id(), []uint64{l.id(), l.id()})
	case 5:
		return wire.AppendControl(b, ipc.TypeRecycle, 0, l.id(), ipc.Recycle{Reason: string(l.noise())})
	case 6: // what only a supervisor says
		return wire.AppendHeader(b, ipc.TypeDrain, 0, l.id(), 0)
	case 7:
		return wire.AppendResult(b, &wire.Result{
			Seq: l.id(), Outcome: ipc.Outcome(l.IntN(256)), Flags: uint8(l.Uint32()),
			StdoutEnd: l.Uint64(), StderrEnd: l.Uint64(), Message: l.noise(), Stack: l.noise(), Payload: l.noise(),
		})
	default:
		return wire.AppendResult(b, &wire.Result{Seq: l.id(), Payload: l.noise()})
	}
}

func (l liar) noise() []byte {
	b := make([]byte, l.IntN(200))
	for i := range b {
		b[i] = byte(l.Uint32())
	}
	return b
}
