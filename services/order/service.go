// Package order answers OrderService: whether an order or a switch may be dealt, and what
// customers said to its warnings. It reads, asks the core, and keeps; every rule is the
// matcher's.
package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
)

// The refusals of RecordConfirmations that no other call makes.
var (
	// ErrNotAsked: the decision asked the customer nothing of the kind.
	ErrNotAsked = errors.New("the decision did not ask for this confirmation")
	// ErrAlreadyConfirmed: the question was answered before, with other proof.
	ErrAlreadyConfirmed = errors.New("the question was answered before with other proof")
	// ErrQuestionExpired: an answer to the question would no longer serve.
	ErrQuestionExpired = errors.New("the question is too old to be answered")
)

// Cores gives the core in force and an instant that it speaks for. *engine.Engine is one.
type Cores interface {
	// Core gives a core and an instant that it speaks for: now.
	Core() (*matcher.Core, fund.Instant, error)
}

// Log takes decision records. *decisionlog.Log is one.
type Log interface {
	// Append returns when the record outlives this process.
	Append(ctx context.Context, r decisionlog.Record) error
}

// Records finds decision records. *decisionlog.Reader is one.
type Records interface {
	// Find gives the record of a decision.
	Find(ctx context.Context, decisionID string) (decisionlog.Stored, error)
}

// Stores are what the service reads and writes.
type Stores struct {
	Profiles      features.Profiles
	Confirmations features.Confirmations
	Staff         features.Staff // nil: nobody is known to be the bank's
	Log           Log
	Records       Records
}

// Config is what the service needs beside.
type Config struct {
	// NewID makes a time-ordered decision id (UUIDv7).
	NewID func() (string, error)
	// Now is the clock of what is confirmed.
	Now func() time.Time
}

// Service implements fundmatchv1.OrderServiceServer. Its methods return the typed errors
// of the packages below; the server's table gives them codes.
type Service struct {
	fundmatchv1.UnimplementedOrderServiceServer
	cores  Cores
	stores Stores
	config Config
}

// New returns a service.
func New(cores Cores, stores Stores, config Config) *Service {
	return &Service{cores: cores, stores: stores, config: config}
}

// question is what every judgement is about.
type question struct {
	core    *matcher.Core
	at      fund.Instant
	profile *fund.Profile
}

// ask takes the core in force and the profile as of its instant.
func (s *Service) ask(ctx context.Context, customerID string) (question, error) {
	core, at, err := s.cores.Core()
	if err != nil {
		return question{}, err
	}
	profile, err := s.profile(ctx, customerID, at)
	return question{core, at, profile}, err
}

func (s *Service) profile(ctx context.Context, customerID string, at fund.Instant) (*fund.Profile, error) {
	profile, err := s.stores.Profiles.Profile(ctx, customerID, at)
	if errors.Is(err, features.ErrNotFound) {
		return nil, &features.NotFoundError{Kind: features.CustomerKind, ID: customerID}
	}
	return profile, err
}

// licence is what the gate reads of the manager in charge; outside a branch no manager
// speaks.
func (s *Service) licence(ctx context.Context, q *question, channel fund.Channel) (eligibility.Licence, error) {
	if channel != fund.Branch {
		return eligibility.LicenceMissing, nil
	}
	inCharge, err := engine.Licence(ctx, s.stores.Staff, &q.profile.Person, q.at)
	return inCharge.ForGate(), err
}

// record seals a decision. It is called before its answer is given: an answer that nobody
// can account for is not given.
func (s *Service) record(ctx context.Context, id string, q *question, payload []byte) error {
	return s.stores.Log.Append(ctx, decisionlog.Record{
		DecisionID: id, DecidedAt: int64(q.at), CustomerID: q.profile.CustomerID, Kind: decisionlog.KindDecision,
		Profile: fund.AppendProfile(nil, q.profile), Payload: payload,
	})
}

func (s *Service) newID() (string, error) {
	id, err := s.config.NewID()
	if err != nil {
		return "", fmt.Errorf("decision id: %w", err)
	}
	return id, nil
}

// checkID refuses what no id can be.
func checkID(field, id string) error {
	if fund.CheckID(id) != nil {
		return features.Invalid(field, id, "1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit")
	}
	return nil
}

// parseChannel reads a channel of the API.
func parseChannel(code string, absent fund.Channel) (fund.Channel, error) {
	switch code {
	case "":
		return absent, nil
	case "APP":
		return fund.App, nil
	case "BRANCH":
		return fund.Branch, nil
	default:
		return absent, features.Invalid("channel", code, "APP or BRANCH")
	}
}

// parseAudience reads who will read the answer.
func parseAudience(code string, absent wording.Audience) (wording.Audience, error) {
	switch code {
	case "":
		return absent, nil
	case "CUSTOMER":
		return wording.Customer, nil
	case "MANAGER":
		return wording.Manager, nil
	default:
		return absent, features.Invalid("audience", code, "CUSTOMER or MANAGER")
	}
}
