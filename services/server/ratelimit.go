package server

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/peer"
)

// maxPeers bounds how many peers have a bucket of their own. When all are in use, new
// peers share one, so that many addresses cannot take the memory.
const maxPeers = 10_000

// sweepInterval is the least time between two searches for idle peers: a search reads all
// buckets, and must not be what a flood of addresses costs.
const sweepInterval = time.Second

// peerLimiter is a token bucket for each peer.
type peerLimiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu     sync.Mutex
	peers  map[netip.Addr]*rate.Limiter
	shared *rate.Limiter
	swept  time.Time // when idle peers were last forgotten
}

// newPeerLimiter returns nil when nothing is limited.
func newPeerLimiter(cfg LimitsConfig, now func() time.Time) *peerLimiter {
	if cfg.PeerRate == 0 {
		return nil
	}
	l := &peerLimiter{rate: rate.Limit(cfg.PeerRate), burst: cfg.PeerBurst, now: now, peers: map[netip.Addr]*rate.Limiter{}}
	l.shared = rate.NewLimiter(l.rate, l.burst)
	return l
}

// allow takes a token of the peer that a context comes from.
func (l *peerLimiter) allow(ctx context.Context) bool {
	now := l.now()
	return l.bucket(addressOf(ctx), now).AllowN(now, 1)
}

func (l *peerLimiter) bucket(from netip.Addr, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.peers[from]; b != nil {
		return b
	}
	if len(l.peers) >= maxPeers && now.Sub(l.swept) >= sweepInterval {
		l.forgetIdle(now)
	}
	if len(l.peers) >= maxPeers {
		return l.shared
	}
	b := rate.NewLimiter(l.rate, l.burst)
	l.peers[from] = b
	return b
}

// forgetIdle drops full buckets: a new one would be full too.
func (l *peerLimiter) forgetIdle(now time.Time) {
	l.swept = now
	for from, b := range l.peers {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.peers, from)
		}
	}
}

// addressOf returns the IP address of the peer; one bucket stands for those without.
func addressOf(ctx context.Context) netip.Addr {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return netip.Addr{}
	}
	if tcp, ok := p.Addr.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
