package experiment

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Bucket returns the bucket of a customer under a layer's salt, 0 to Buckets-1: the first
// eight bytes of SHA-256(salt, a zero byte, id), read big-endian, modulo Buckets. The
// remainder is off a uniform draw by less than 1e-15. Any program can compute it again.
func Bucket(salt, customerID string) int {
	return int(hash(salt, customerID).first % Buckets)
}

// digest is what is used of a hash: two numbers that are independent of each other.
type digest struct{ first, second uint64 }

// hash is SHA-256 of the salt and the id. The zero byte, which neither may hold, keeps
// ("ab", "c") and ("a", "bc") apart. Ids within their bounds are hashed without allocation.
func hash(salt, customerID string) digest {
	var room [2*fund.MaxIDLength + 1]byte
	text := append(room[:0], salt...)
	text = append(text, 0)
	text = append(text, customerID...)
	sum := sha256.Sum256(text)
	return digest{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])}
}

// Assign says which arms a customer is in at an instant, and what they choose. It depends on
// nothing but the plan, the id and the instant. The exposures are written over buf, which
// makes it free of allocation where buf holds one for every layer; a nil plan assigns none.
func (p *Plan) Assign(customerID string, at fund.Instant, buf []Assignment) Assigned {
	out := Assigned{Exposures: buf[:0]}
	if p == nil {
		return out
	}
	for i := range p.Layers {
		layer := &p.Layers[i]
		e := layer.running(Bucket(layer.Salt, customerID), at)
		if e == nil {
			continue
		}
		arm := e.ArmOf(customerID)
		out.Exposures = append(out.Exposures, Assignment{Layer: layer.Name, Experiment: e.Name, Arm: arm.Name})
		if arm.Model != "" {
			out.Model = arm.Model
		}
		if arm.Explore != nil {
			out.Explore = arm.Explore
		}
	}
	return out
}

// running finds the experiment that has a bucket at an instant. There is one at most (see
// Check); nil: none.
func (l *Layer) running(bucket int, at fund.Instant) *Experiment {
	for i := range l.Experiments {
		e := &l.Experiments[i]
		if bucket >= e.FirstBucket && bucket < e.EndBucket && at >= e.From && at < e.Until {
			return e
		}
	}
	return nil
}

// ArmOf returns the arm of a customer of the experiment. Whether he is treated at all and by
// which of the treatments are two draws: raising the treatments' shares in proportion (or the
// share of the only one) takes customers from the control and moves nobody else.
func (e *Experiment) ArmOf(customerID string) *Arm {
	h := hash(e.Salt, customerID)
	control, treated := 0, 0
	for i := range e.Arms {
		if e.Arms[i].Control {
			control = i
		} else {
			treated += int(e.Arms[i].Share)
		}
	}
	if int(h.first%Buckets) >= treated {
		return &e.Arms[control]
	}
	// The high word of the product is second / 2^64 of the treated share.
	place, _ := bits.Mul64(h.second, uint64(treated))
	for i := range e.Arms {
		if e.Arms[i].Control {
			continue
		}
		if place < uint64(e.Arms[i].Share) {
			return &e.Arms[i]
		}
		place -= uint64(e.Arms[i].Share)
	}
	return &e.Arms[control] // not reached: place is below the sum of the shares
}

// Models lists the ids of the models that arms of the plan choose, each once, in the plan's
// order.
func (p *Plan) Models() []string {
	var ids []string
	for _, e := range p.all() {
		for i := range e.Arms {
			if id := e.Arms[i].Model; id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
